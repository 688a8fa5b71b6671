"""The chart of accounts as a table, and the posting rules as T-accounts with an example that they compute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from handlers.fees.model import FeeTerms
from handlers.fees.rules import fee_of
from handlers.ledger.model import CHART, DEBIT, PostingRule
from handlers.ledger.rules import post
from handlers.payments.postings import PAYMENT_TAKEN
from schemas.currencies import format_amount
from schemas.money import Rounding

CURRENCY: Final = "EUR"
GROSS_MINOR: Final = 1999
TERMS: Final = FeeTerms(version=1, bps=250, fixed_minor=30, rounding=Rounding.HALF_EVEN)
SOME_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN: Final = 14


def accounts() -> str:
    """A row for each line of the chart."""
    rows = [
        f"| `{code}` | {account.type} | {account.type.normal_side} | {account.owner} | {account.about} |"
        for code, account in CHART.items()
    ]
    return "\n".join(["| code | type | grows on | owner | what it holds |", "|---|---|---|---|---|", *rows])


def postings() -> str:
    """Every posting rule, with 19.99 EUR taken at 250 bps and 0.30 EUR."""
    parts = []
    for method, rule in PAYMENT_TAKEN.items():
        parts += [
            f"### {rule.name}",
            f"{rule.about} For payments by `{method}`.",
            f"```text\n{_picture(rule)}\n```",
        ]
    return "\n\n".join(parts)


def _picture(rule: PostingRule) -> str:
    """The legs of an entry side by side, as T-accounts."""
    fee_minor = fee_of(TERMS, GROSS_MINOR)
    entry = post(
        rule,
        object_type="payment",
        object_id="example",
        currency=CURRENCY,
        effective_at=SOME_TIME,
        owners={leg.owner: leg.owner for leg in rule.legs},
        amounts={"gross": GROSS_MINOR, "net": GROSS_MINOR - fee_minor, "fee": fee_minor},
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
