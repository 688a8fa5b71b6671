"""What goes over the finance desk: every case as a row, and how often it comes in 20,000 events.

Messages of one journal have one key, so they are judged in order. What depends on another journal comes on a later
day, when that one is settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ops.demo.books.desk import Legs, these
from ops.demo.books.houses import CLERK, MANAGER, PROGRAM, at, leg, some_minor
from ops.demo.cases import DECIDED, EXPIRED, REVIEWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.demo.books.desk import Desk
    from ops.demo.books.houses import Actor

FAR: Final = 5
"""Days ahead, which is too far."""
PAYEES: Final = 999
OTHERS_ORDER: Final = [3, 2, 4]
"""In which parts of a journal come after the first."""


@dataclass(frozen=True, slots=True)
class DeskCase:
    """`weight`: how many there are in PER_EVENTS events, at least one. What `play` returns means nothing."""

    name: str
    weight: int
    play: Callable[[Desk], object]


def banked(desk: Desk, minor: int | None = None, currency: str | None = None) -> Legs:
    """What tills took is on the bank statement."""
    currency = currency or desk.currency
    minor = minor or some_minor(desk.random, currency)
    return [
        leg("debit", "bank_clearing", "house-bank", minor, currency),
        leg("credit", "terminal_receivable", "point_of_sale", minor, currency),
    ]


def _written_off(desk: Desk) -> Legs:
    """What a manager may propose: from one of the platform's expenses to another."""
    minor = some_minor(desk.random, desk.currency)
    return [
        leg("debit", "goodwill_expense", desk.market.tenant, minor, desk.currency),
        leg("credit", "promotion_expense", desk.market.tenant, minor, desk.currency),
    ]


def _sent(desk: Desk, legs: Legs, proposer: Actor = CLERK) -> str:
    """A journal that goes its way."""
    desk.proposer = proposer
    journal_id = desk.propose(legs)
    desk.approve(journal_id)
    return journal_id


def _withdrawn(desk: Desk) -> None:
    journal_id = desk.propose(banked(desk))
    desk.refuse(journal_id, who=CLERK)
    desk.approve(journal_id, refused="state_forbids")


def _disliked(desk: Desk) -> None:
    journal_id = desk.propose(banked(desk))
    desk.refuse(journal_id, who=MANAGER, refused="actor_not_allowed")
    desk.refuse(journal_id)


def _own_eyes(desk: Desk) -> None:
    journal_id = desk.propose(banked(desk))
    desk.approve(journal_id, who=CLERK, refused="four_eyes")
    desk.approve(journal_id, who=MANAGER, refused="actor_not_allowed")
    desk.approve(journal_id)
    desk.approve(journal_id, refused="state_forbids")


def _mixed(desk: Desk) -> None:
    """Two currencies that do not meet in trading; then such that do."""
    other = next(one for one in desk.market.currencies if one != desk.currency)
    minor, other_minor = some_minor(desk.random, desk.currency), some_minor(desk.random, other)
    desk.propose([*banked(desk), *banked(desk, currency=other)], refused="currencies_mixed")
    pair = f"{desk.currency}/{other}"
    legs = [
        leg("debit", "bank_clearing", "house-bank", minor, desk.currency),
        leg("credit", "trading", pair, minor, desk.currency),
        leg("debit", "trading", pair, other_minor, other),
        leg("credit", "bank_clearing", "house-bank", other_minor, other),
    ]
    _sent(desk, legs)


def _lopsided(desk: Desk) -> None:
    debit, credit = banked(desk)
    desk.propose([debit, credit | {"amount_minor": credit["amount_minor"] + 1}], refused="journal_unbalanced")
    desk.propose([debit], refused="journal_unbalanced")


def _closed_accounts(desk: Desk) -> None:
    """Accounts that only rules move, that the role may not move, and that are in no chart."""
    debit, credit = banked(desk)
    for account in ("prepaid_balance", "promotional_credit", "refund_clearing"):
        desk.propose([debit, credit | {"account": account}], refused="account_not_postable")
    desk.propose([debit, credit | {"account": "petty_cash"}], refused="account_unknown")
    desk.proposer = MANAGER
    desk.propose([debit, credit], refused="account_not_postable")


def _name_used_twice(desk: Desk) -> None:
    _sent(desk, banked(desk))
    desk.propose(banked(desk), refused="journal_id_reused", again=True)


def _payout_run(desk: Desk) -> None:
    """Many payees in one journal, which comes in four parts and is posted at once."""
    payees = [
        leg("debit", "merchant_payable", f"shop-{number:04d}", desk.random.randint(100, 9_999), desk.currency)
        for number in range(1, PAYEES + 1)
    ]
    paid_minor = sum(payee["amount_minor"] for payee in payees)
    legs = [*payees, leg("credit", "bank_clearing", "house-bank", paid_minor, desk.currency)]
    desk.approve(desk.propose_in_parts(legs, OTHERS_ORDER, twice=2))


def _undone(desk: Desk) -> None:
    """Taken back as a whole, by a manager's proposal; not twice."""
    legs = banked(desk)
    entry = desk.entry_of(_sent(desk, legs))
    desk.proposer = MANAGER
    back = desk.reverse(entry, legs, day=DECIDED)
    desk.approve(back, day=DECIDED, reverses=entry)
    desk.reverse(entry, legs, day=REVIEWED, refused="already_reversed")


def _undone_in_parts(desk: Desk) -> None:
    """Half of it, then more than is left, then the rest, then nothing."""
    minor = some_minor(desk.random, desk.currency)
    legs = banked(desk, minor)
    entry = desk.entry_of(_sent(desk, legs))
    half, rest = banked(desk, minor // 2), banked(desk, minor - minor // 2)
    part = desk.reverse(entry, half, day=DECIDED, lines=[(1, minor // 2), (2, minor // 2)])
    desk.approve(part, day=DECIDED, reverses=entry)
    beyond = minor - minor // 2 + 1
    desk.reverse(entry, legs, day=REVIEWED, lines=[(1, beyond), (2, beyond)], refused="already_reversed")
    left = desk.reverse(entry, rest, day=REVIEWED)
    desk.approve(left, day=REVIEWED, reverses=entry)
    desk.reverse(entry, legs, day=EXPIRED, refused="already_reversed")


def _undone_by_two(desk: Desk) -> None:
    """Two take the same back; who is approved second finds nothing left, and lets it lapse."""
    legs = banked(desk)
    entry = desk.entry_of(_sent(desk, legs))
    first, second = (desk.reverse(entry, legs, day=DECIDED) for _ in range(2))
    desk.approve(first, day=REVIEWED, reverses=entry | {"number": 2}, refused="entry_unknown")
    desk.approve(first, day=REVIEWED, reverses=entry)
    desk.approve(second, day=EXPIRED, reverses=entry, refused="already_reversed")
    desk.lapses(second)


def _put_right(desk: Desk) -> None:
    """At the wrong till: taken back at its own date, with what should have been posted."""
    legs = banked(desk)
    entry = desk.entry_of(_sent(desk, legs))
    right = [legs[0], legs[1] | {"owner": "till-2"}]
    back = desk.reverse(entry, legs, day=DECIDED, instead=these(right), effective="original")
    desk.approve(back, day=DECIDED, reverses=entry)
    # the replacement was wrong, too
    again = desk.entry_of(back, 2)
    desk.approve(desk.reverse(again, right, day=REVIEWED), day=REVIEWED, reverses=again)


RATES: Final = {
    ("EUR", "USD"): "1.0837", ("EUR", "CHF"): "0.958215", ("USD", "CHF"): "0.8842",
    ("JPY", "USD"): "0.006671", ("JPY", "KRW"): "9.4127", ("KRW", "USD"): "0.00070873",
    ("KWD", "BHD"): "1.226913", ("KWD", "USD"): "3.2548", ("BHD", "USD"): "2.652520",
}  # fmt: skip
"""Units of the second currency for one of the first."""


def _pair(desk: Desk) -> tuple[tuple[str, str], str]:
    """Two currencies of the house, and what one of the first costs in the second."""
    known = [pair for pair in RATES if set(pair) <= set(desk.market.currencies)]
    pair = desk.random.choice(known)
    return pair, RATES[pair]


def _converted(desk: Desk, above_minor: int | None = None, **more: Any) -> str:
    pair, rate = _pair(desk)
    return desk.convert(
        pair, some_minor(desk.random, pair[0], 100, 9_000), rate, above_minor=above_minor, **more
    )


def _exchanged(desk: Desk) -> None:
    desk.approve(_converted(desk, rounding=desk.random.choice(("half_even", "half_up", "down"))))


def _almost_exchanged(desk: Desk) -> None:
    """A little more or less arrives than the rate says."""
    desk.approve(_converted(desk, desk.random.choice((-5, -2, -1, 1, 3, 5))))


def _badly_exchanged(desk: Desk) -> None:
    _converted(desk, desk.random.choice((-6, 6, 100)), refused="rate_mismatch")
    pair, rate = _pair(desk)
    desk.convert((pair[0], pair[0]), 1_000, rate, refused="rate_mismatch")
    desk.refuse(_converted(desk))


CASES: Final = (
    DeskCase("banked", 40, lambda desk: _sent(desk, banked(desk))),
    DeskCase("by-program", 15, lambda desk: _sent(desk, banked(desk), PROGRAM)),
    DeskCase("by-manager", 6, lambda desk: _sent(desk, _written_off(desk), MANAGER)),
    DeskCase("withdrawn", 5, _withdrawn),
    DeskCase("disliked", 6, _disliked),
    DeskCase("forgotten", 5, lambda desk: desk.lapses(desk.propose(banked(desk)))),
    DeskCase("own-eyes", 8, _own_eyes),
    DeskCase("approved-first", 5, lambda desk: desk.approve_and_propose(banked(desk))),
    DeskCase("mixed", 5, _mixed),
    DeskCase("lopsided", 6, _lopsided),
    DeskCase("closed-accounts", 3, _closed_accounts),
    DeskCase("name-used-twice", 3, _name_used_twice),
    DeskCase(
        "too-far-ahead",
        3,
        lambda desk: desk.propose(banked(desk), effective_at=at(FAR), refused="effective_too_late"),
    ),
    DeskCase("payout-run", 2, _payout_run),
    DeskCase("unfinished", 3, lambda desk: desk.lapses(desk.propose_in_parts(banked(desk), []))),
    DeskCase("undone", 12, _undone),
    DeskCase("undone-in-parts", 8, _undone_in_parts),
    DeskCase("undone-by-two", 4, _undone_by_two),
    DeskCase("put-right", 10, _put_right),
    DeskCase("exchanged", 15, _exchanged),
    DeskCase("almost-exchanged", 15, _almost_exchanged),
    DeskCase("badly-exchanged", 4, _badly_exchanged),
)
"""At the desk of a house."""
