"""Limits of accounts against entries that no wallet's rule makes: refused when asked for, owed when they are facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.ledger.model import CHART, FINANCE, AccountType, Code, Posting
from handlers.wallets.families import FAMILIES, PROMOTED
from handlers.wallets.limits import beyond, covered, moves_of, refusal, takes, wallet_of
from handlers.wallets.model import Bucket, Wallet
from schemas.ledger import Leg
from schemas.reasons import Reason

if TYPE_CHECKING:
    from schemas.ledger import Side

NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINE: Final = ("merchant_payable", "m1", "EUR")
NAME: Final = "merchant/m1/EUR"


def wallet(posted: int | None, held: int = 0, overdraft: int = 0) -> dict[str, Wallet]:
    """A merchant's, by its name."""
    bucket = Bucket("merchant_payable", "m1", 100, None, overdraft, held, posted)
    return {NAME: Wallet("acme", NAME, "merchant", "m1", "EUR", 1, 0, NOW, NOW, (bucket,))}


def entry(*legs: tuple[Side, str, str, int]) -> Posting:
    """An entry of these legs in euros."""
    return Posting("any", "payment", "p1", NOW, tuple(Leg(*leg, "EUR") for leg in legs))


def refund(minor: int, owner: str = "m1") -> Posting:
    """It takes from the merchant, and from the fee."""
    return entry(
        ("debit", "merchant_payable", owner, minor),
        ("debit", "platform_fee_revenue", "acme", 3),
        ("credit", "refund_clearing", "sandbox", minor + 3),
    )


def sale(minor: int) -> Posting:
    """It brings the merchant money."""
    return entry(("debit", "terminal_receivable", "t1", minor), ("credit", "merchant_payable", "m1", minor))


# fmt: off
ROWS = [
    # posted, held, overdraft, what is taken -> by how much it is too much
    (100, 0, 0, 100, 0),
    (100, 0, 0, 101, 1),
    (100, 40, 0, 60, 0),
    (100, 40, 0, 61, 1),
    (0, 0, 50, 50, 0),
    (0, 0, 50, 51, 1),
    (-50, 0, 50, 1, 1),
    (-80, 0, 50, 10, 10),   # beyond it since the limit was narrowed: none of it
    (0, 0, 0, 7, 7),
    (10, 30, 0, 5, 5),      # promised to holds already
    (None, 0, 0, 7, 0),     # opened by this very batch: the database has the word
]
# fmt: on


@pytest.mark.parametrize(("posted", "held", "overdraft", "taken", "excess"), ROWS)
def test_what_is_beyond_a_limit(
    posted: int | None, held: int, overdraft: int, taken: int, excess: int
) -> None:
    wallets = wallet(posted, held, overdraft)
    assert beyond(moves_of([refund(taken)]), wallets) == ({MINE: excess} if excess else {})


def test_entries_of_one_decision_count_together_and_what_only_rises_is_never_too_much() -> None:
    assert beyond(moves_of([refund(100), sale(60)]), wallet(40)) == {}
    assert beyond(moves_of([refund(100), sale(60)]), wallet(39)) == {MINE: 1}
    assert beyond(moves_of([sale(1)]), wallet(-500)) == {}
    assert beyond(moves_of([refund(100, owner="m2")]), wallet(0)) == {}


def test_only_what_takes_from_accounts_of_wallets_is_looked_at() -> None:
    assert takes([sale(1), refund(1)])
    assert not takes([sale(1)])
    assert not takes([entry(("debit", "suspense", "x", 1), ("credit", "bank_clearing", "x", 1))])


def test_every_account_of_a_family_names_its_wallet() -> None:
    for family, plans in FAMILIES.items():
        assert {wallet_of((plan.code, "o1", "JPY")) for plan in plans} == {f"{family}/o1/JPY"}
    assert {wallet_of(("promotional_credit", "o1/grant-7", "JPY"))} == {f"{name}/o1/JPY" for name in PROMOTED}


def test_a_refusal_names_the_account_its_limit_and_what_is_available() -> None:
    moves, wallets = moves_of([refund(700)]), wallet(posted=500, held=100, overdraft=50)
    told = refusal(beyond(moves, wallets), moves, wallets)
    assert told.reason is Reason.LIMIT_REACHED
    assert told.detail == (
        "700 is above what account merchant_payable of m1 in EUR has available, 450: "
        "500 posted, 100 held, overdraft limit 50"
    )


def test_nothing_is_available_of_a_grant_that_is_used_up() -> None:
    gone = entry(("debit", "promotional_credit", "m1/g", 5), ("credit", "promotion_expense", "acme", 5))
    account = ("promotional_credit", "m1/g", "EUR")
    mine = Wallet("acme", "customer/m1/EUR", "customer", "m1", "EUR", 1, 0, NOW, NOW, ())
    wallets = {mine.name: mine}
    assert beyond(moves_of([gone]), wallets) == {account: 5}
    assert "available, 0: 0 posted" in refusal({account: 5}, moves_of([gone]), wallets).detail


def test_what_a_fact_takes_beyond_the_limit_is_owed_by_who_has_it() -> None:
    fact = refund(700)
    (booked,) = covered([fact], beyond(moves_of([fact]), wallet(450)))
    assert [(leg.side, leg.account, leg.owner, leg.amount_minor) for leg in booked.legs] == [
        ("debit", "merchant_payable", "m1", 450),
        ("debit", "limit_shortfall", "m1", 250),
        ("debit", "platform_fee_revenue", "acme", 3),
        ("credit", "refund_clearing", "sandbox", 703),
    ]
    (all_of_it,) = covered([fact], beyond(moves_of([fact]), wallet(0)))
    assert next(leg.account for leg in all_of_it.legs) == "limit_shortfall"


legs_minor = st.lists(st.integers(-500, 500).filter(bool), min_size=1, max_size=6)


@given(legs_minor, st.integers(-200, 900), st.integers(0, 100), st.integers(0, 300))
def test_a_covered_fact_balances_and_leaves_the_account_at_its_limit(
    moved: list[int], posted: int, held: int, overdraft: int
) -> None:
    postings = [refund(-minor) if minor < 0 else sale(minor) for minor in moved]
    wallets = wallet(posted, held, overdraft)
    excess = beyond(moves_of(postings), wallets)
    after = covered(postings, excess)
    for posting in after:
        assert sum(leg.amount_minor * (1 if leg.side == "debit" else -1) for leg in posting.legs) == 0
        assert all(leg.amount_minor > 0 for leg in posting.legs)
    assert beyond(moves_of(after), wallets) == {}
    owed = sum(leg.amount_minor for one in after for leg in one.legs if leg.account == "limit_shortfall")
    before, now = moves_of(postings)[MINE], moves_of(after).get(MINE, 0)
    assert now - before == owed == excess.get(MINE, 0)
    free = posted - held + now
    assert free >= min(-overdraft, posted - held), "never below the limit, nor farther below"
    assert not excess or free == min(-overdraft, posted - held), (
        "and nothing is owed that the account could pay"
    )


def test_who_owes_is_shown_in_an_asset_that_finance_may_settle() -> None:
    shown = CHART[Code.LIMIT_SHORTFALL]
    assert shown.type == AccountType.ASSET
    assert shown.people == FINANCE
