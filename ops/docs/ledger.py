"""The chart of accounts as a table, and every posting rule as T-accounts with an example that it computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from handlers.disputes import postings as disputes
from handlers.fees.model import FeeTerms
from handlers.fees.rules import fee_of
from handlers.ledger.model import CHART, CREDIT, DEBIT, PostingRule
from handlers.ledger.rules import post
from handlers.payments import postings as payments
from handlers.refunds import postings as refunds
from handlers.wallets import postings as wallets
from schemas.currencies import format_amount
from schemas.money import Rounding
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from schemas.ledger import Side

CURRENCY: Final = "EUR"
TERMS: Final = FeeTerms(version=1, bps=250, fixed_minor=30, rounding=Rounding.HALF_EVEN)
SOLD_MINOR: Final = 1999
FEE_MINOR: Final = fee_of(TERMS, SOLD_MINOR)
REFUNDED_MINOR: Final = 1000
REFUNDED_FEE_MINOR: Final = FEE_MINOR * REFUNDED_MINOR // SOLD_MINOR
LOST_MINOR: Final = SOLD_MINOR - REFUNDED_MINOR
PROVIDER_CHARGE_MINOR: Final = 1500
WALLET_MINOR: Final = 1000
SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN: Final = 14


@value
class Chapter:
    """The rules of a context. `amounts_minor` is what its example moves, by the names that the legs use.

    `otherwise` has the amounts of rules that mean something else by a name.
    """

    title: str
    about: str
    postings: ModuleType
    amounts_minor: Mapping[str, int]
    otherwise: Mapping[str, Mapping[str, int]]


_PLATFORM_FEE: Final = {"fee": FEE_MINOR * LOST_MINOR // SOLD_MINOR}
_EXCESS: Final = {"merchant": REFUNDED_MINOR}
CHAPTERS: Final = (
    Chapter(
        "Payments",
        "19.99 EUR at 250 basis points and 0.30 EUR.",
        payments,
        {"gross": SOLD_MINOR, "net": SOLD_MINOR - FEE_MINOR, "fee": FEE_MINOR},
        {},
    ),
    Chapter(
        "Refunds",
        "10.00 EUR of it, and with it the fee's share.",
        refunds,
        {
            "gross": REFUNDED_MINOR,
            "net": REFUNDED_MINOR - REFUNDED_FEE_MINOR,
            "fee": REFUNDED_FEE_MINOR,
        },
        {},
    ),
    Chapter(
        "Disputes",
        "The bank takes all 19.99 EUR back although 10.00 EUR were refunded, and the provider charges 15.00 EUR.",
        disputes,
        {
            "funds": SOLD_MINOR,
            "merchant": LOST_MINOR,
            "excess": REFUNDED_MINOR,
            "fee": PROVIDER_CHARGE_MINOR,
        },
        {
            "dispute_excess_cleared": _EXCESS,
            "dispute_loss_suspended": _EXCESS,
            "dispute_platform_fee_returned": _PLATFORM_FEE,
            "dispute_platform_fee_kept": _PLATFORM_FEE,
        },
    ),
    Chapter(
        "Wallets",
        "10.00 EUR for a wallet, and out of it: 3.00 EUR of promotions, 2.00 EUR of stored credit, 5.00 EUR prepaid.",
        wallets,
        {
            "amount": WALLET_MINOR,
            "promoted": 300,
            "stored": 200,
            "prepaid": 500,
            "owed": WALLET_MINOR,
        },
        {},
    ),
)


def accounts() -> str:
    """A row for each line of the chart."""
    rows = [
        f"| `{code}` | {account.type} | {account.type.normal_side} | {account.owner} |"
        f" {', '.join(sorted(account.people)) or 'only rules'} | {account.about} |"
        for code, account in CHART.items()
    ]
    head = "| code | type | grows on | owner | journals by | what it holds |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])


def postings() -> str:
    """Every posting rule as T-accounts, by context."""
    parts = []
    for chapter in CHAPTERS:
        parts += [f"### {chapter.title}", chapter.about]
        for rule in rules_of(chapter.postings):
            amounts_minor = {**chapter.amounts_minor, **chapter.otherwise.get(rule.name, {})}
            parts.append(f"**`{rule.name}`** {rule.about}\n\n```text\n{_picture(rule, amounts_minor)}\n```")
    return "\n\n".join(parts)


def refunds_table() -> str:
    """A row for each posting rule of refunds: what is debited, what is credited, and when."""
    rows = [
        f"| `{rule.name}` | {_legs(rule, DEBIT)} | {_legs(rule, CREDIT)} | {rule.about} |"
        for rule in rules_of(refunds)
    ]
    return "\n".join(["| rule | debit | credit | when |", "|---|---|---|---|", *rows])


def rules_of(module: ModuleType) -> list[PostingRule]:
    """Every rule of a context, alone or in a table, once and in its order; not those of a context before it."""
    before = takewhile(lambda chapter: chapter.postings is not module, CHAPTERS)
    theirs = {rule.name for chapter in before for rule in _rules_in(vars(chapter.postings).values())}
    own = {rule.name: rule for rule in _rules_in(vars(module).values())}
    return [rule for name, rule in own.items() if name not in theirs]


def _legs(rule: PostingRule, side: Side) -> str:
    return ", ".join(f"`{leg.code}` {leg.amount}" for leg in rule.legs if leg.side == side)


def _rules_in(things: Iterable[Any]) -> Iterator[PostingRule]:
    for thing in things:
        if isinstance(thing, PostingRule):
            yield thing
        elif isinstance(thing, Mapping):
            yield from _rules_in(thing.values())
        elif isinstance(thing, tuple):
            yield from _rules_in(thing)


def _picture(rule: PostingRule, amounts_minor: Mapping[str, int]) -> str:
    """The legs of an entry side by side, as T-accounts."""
    entry = post(
        rule,
        object_type="payment",
        object_id="example",
        currency=CURRENCY,
        effective_at=SOME_TIME,
        owners={leg.owner: leg.owner for leg in rule.legs},
        amounts=amounts_minor,
    )
    width = 2 * COLUMN + 3
    rows = ["", "", "", ""]
    for leg, named in zip(entry.legs, rule.legs, strict=True):
        amount = f"{format_amount(leg.amount_minor, CURRENCY)} {named.amount}"
        debit, credit = (amount, "") if leg.side == DEBIT else ("", amount)
        t_account = (
            named.code.center(width),
            f"{'debit':^{COLUMN}} │ {'credit':^{COLUMN}}",
            f"{'─' * (COLUMN + 1)}┼{'─' * (COLUMN + 1)}",
            f"{debit:^{COLUMN}} │ {credit:^{COLUMN}}",
        )
        rows = [f"{row}   {line}" for row, line in zip(rows, t_account, strict=True)]
    return "\n".join(row.rstrip() for row in rows)
