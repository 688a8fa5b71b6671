"""Wallets and holds: every step of the holds' table, the order of spending, limits, expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from handlers.ledger.model import CHART
from handlers.wallets.families import FAMILIES, PROMOTED, WAYS_IN, WAYS_OUT
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from handlers.wallets.states import TRANSITIONS, State, Trigger
from tests.books import (
    WALLET,
    approve,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    limited,
    opened,
    reversal,
    spent,
    wallet,
)
from tests.desk import NOW, TIMERS, Desk
from tests.shop import TENANT

LATER: Final = datetime(2999, 1, 1, tzinfo=UTC)


def expire(desk: Desk, hold_id: str = "h1", at: datetime = LATER) -> str:
    """The hold's time has come."""
    desk.now = max(desk.now, at)
    return desk.send(
        due("hold_expiry", str(hold_uuid_of(TENANT, WALLET, hold_id)), WALLET, at.isoformat()), TIMERS
    )


def expire_grant(desk: Desk, grant_id: str, at: datetime) -> str:
    """A grant's time has come."""
    desk.now = max(desk.now, at)
    return desk.send(
        due("promotion_expiry", str(grant_uuid_of(TENANT, WALLET, grant_id)), WALLET, at.isoformat()), TIMERS
    )


def purse(minor: int = 1000) -> Desk:
    """A wallet with prepaid money."""
    desk = Desk()
    assert desk.send(opened()) == "applied"
    if minor:
        assert desk.send(credited("c1", minor)) == "applied"
    return desk


def standing(state: State | None) -> Desk:
    """A wallet with 1000, of which hold h1 of 400 is in this state."""
    desk = purse()
    if state is None:
        return desk
    assert desk.send(held("h1", 400)) == "applied"
    if state is State.PARTLY_POSTED:
        desk.send(hold_posted("p0", "h1", 100, final=False))
    elif state is State.POSTED:
        desk.send(hold_posted("p0", "h1"))
    elif state is State.VOIDED:
        desk.send(hold_voided("v0", "h1"))
    elif state is State.EXPIRED:
        expire(desk)
    assert desk.holds[0].state == state
    return desk


STEPS: Final[dict[Trigger, Any]] = {
    Trigger.PLACE: lambda desk: desk.send(
        held("h1", 400, idempotency_key="k9", expires_at="2028-01-01T00:00:00Z")
    ),
    Trigger.POST_PART: lambda desk: desk.send(hold_posted("p1", "h1", 50, final=False)),
    Trigger.POST: lambda desk: desk.send(hold_posted("p1", "h1", 50)),
    Trigger.VOID: lambda desk: desk.send(hold_voided("v1", "h1")),
    Trigger.EXPIRE: expire,
}


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("state", [None, *State])
def test_a_hold_goes_along_its_table_and_nowhere_else(state: State | None, trigger: Trigger) -> None:
    desk = standing(state)
    before = desk.balances()
    said = STEPS[trigger](desk)
    if (state, trigger) in TRANSITIONS:
        assert said == "applied"
        assert desk.holds[0].state == TRANSITIONS[state, trigger]
        assert f"hold.{TRANSITIONS[state, trigger]}.v1" in desk.told()
    else:
        opens, stale = trigger is Trigger.PLACE, trigger is Trigger.EXPIRE and state is not None
        expected = "hold_id_reused" if opens else "hold_unknown" if state is None else "state_forbids"
        # a timer of what is over means nothing
        assert said == ("applied" if stale else expected)
        assert desk.balances() == before
    (kept,) = {bucket.held_minor for bucket in desk.wallets[0].buckets if bucket.account == "prepaid_balance"}
    assert kept == sum(hold.reserved_minor for hold in desk.holds)


def test_what_is_held_is_not_available_and_what_is_posted_is_spent() -> None:
    desk = purse()
    assert desk.send(held("h1", 600)) == "applied"
    assert desk.wallets[0].available_minor(NOW) == 400
    assert desk.send(spent("s1", 401)) == "limit_reached"
    assert desk.send(held("h2", 401)) == "limit_reached"
    assert desk.send(spent("s2", 400)) == "applied"
    assert desk.send(hold_posted("p1", "h1", 250)) == "applied"
    assert desk.bucket("prepaid_balance").posted_minor == 350
    assert desk.wallets[0].available_minor(NOW) == 350
    assert desk.balances()["merchant_payable", "m1", "EUR"] == 650


def test_a_hold_is_posted_in_parts_up_to_what_it_keeps() -> None:
    desk = purse()
    desk.send(held("h1", 600))
    assert desk.send(hold_posted("p1", "h1", 200, final=False)) == "applied"
    assert desk.send(hold_posted("p2", "h1", 401)) == "amount_above_held"
    assert desk.send(hold_posted("p3", "h1", 400, final=False)) == "applied"
    assert desk.holds[0].state == State.POSTED
    assert (desk.holds[0].posted_minor, desk.holds[0].reserved_minor) == (600, 0)


def test_what_was_posted_before_a_hold_was_let_go_stays_posted() -> None:
    desk = purse()
    desk.send(held("h1", 600))
    desk.send(hold_posted("p1", "h1", 200, final=False))
    assert desk.send(hold_voided("v1", "h1")) == "applied"
    assert desk.wallets[0].available_minor(NOW) == 800


def test_a_hold_whose_time_is_over_cannot_be_posted_even_before_its_timer_fires() -> None:
    desk = purse()
    desk.send(held("h1", 600))
    desk.now = LATER
    assert desk.send(hold_posted("p1", "h1")) == "hold_expired"
    assert expire(desk) == "applied"
    assert desk.wallets[0].available_minor(LATER) == 1000


def test_the_order_of_spending_is_data_promotions_first_by_priority_then_by_expiry() -> None:
    desk = purse(100)
    desk.send(credited("good", 100, way="goodwill"))
    desk.send(granted("late", 100, "2027-06-01T00:00:00Z"))
    desk.send(granted("soon", 100, "2026-12-01T00:00:00Z"))
    desk.send(granted("last", 100, "2026-11-24T00:00:00Z", priority=250))
    seen = []
    for number in range(5):
        before = {bucket.name: bucket.posted_minor for bucket in desk.wallets[0].buckets}
        assert desk.send(spent(f"s{number}", 100)) == "applied"
        after = {bucket.name: bucket.posted_minor for bucket in desk.wallets[0].buckets}
        seen += [name for name in before if before[name] != after[name]]
    assert [owner if account == "promotional_credit" else account for account, owner in seen] == [
        "cus_7/soon",
        "cus_7/late",
        "customer_credit",
        "cus_7/last",
        "prepaid_balance",
    ]
    assert desk.send(spent("s9", 1)) == "limit_reached"


def test_a_grant_that_is_used_up_is_told_no_more_and_not_given_again() -> None:
    desk = purse(0)
    desk.send(granted("g1", 30))
    desk.send(spent("s1", 30))
    (wallet_,) = desk.wallets
    left = replace(wallet_, buckets=tuple(one for one in wallet_.buckets if not one.is_used_up))
    assert [one.account for one in left.buckets] == ["customer_credit", "prepaid_balance"]
    desk.world.states["wallet"][TENANT, WALLET] = left  # as the next batch loads it
    assert desk.send(granted("g1", 30, idempotency_key="again")) == "grant_id_reused"


def test_one_purchase_takes_from_several_accounts_in_one_entry() -> None:
    desk = purse(100)
    desk.send(granted("g1", 30))
    assert desk.send(spent("s1", 120)) == "applied"
    legs = [(leg.side, str(leg.account), leg.amount_minor) for leg in desk.entries[-1].posting.legs]
    assert legs == [
        ("debit", "promotional_credit", 30),
        ("debit", "prepaid_balance", 90),
        ("credit", "merchant_payable", 120),
    ]


def test_promotional_credit_expires_and_costs_nothing_then() -> None:
    desk = purse(0)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    desk.send(granted("g1", 500, december.isoformat()))
    desk.send(spent("s1", 200))
    desk.now = december
    assert desk.send(spent("s2", 1)) == "limit_reached"  # before its timer fires
    assert expire_grant(desk, "g1", december) == "applied"
    assert desk.balances()["promotional_credit", "cus_7/g1", "EUR"] == 0
    assert desk.balances()["promotion_expense", TENANT, "EUR"] == 200
    assert desk.entries[-1].posting.effective_at == december
    assert "wallet.expired.v1" in desk.told()
    entries = len(desk.entries)
    assert expire_grant(desk, "g1", december + timedelta(seconds=1)) == "applied"
    assert len(desk.entries) == entries


@pytest.mark.parametrize("end", ["posted", "posted in part", "voided", "expired"])
def test_what_was_held_of_expired_credit_may_be_spent_and_expires_when_it_is_let_go(end: str) -> None:
    desk = purse(0)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    desk.send(granted("g1", 500, december.isoformat()))
    desk.send(held("h1", 300))
    assert expire_grant(desk, "g1", december) == "applied"
    assert desk.balances()["promotional_credit", "cus_7/g1", "EUR"] == 300
    if end == "voided":
        assert desk.send(hold_voided("v1", "h1")) == "applied"
    elif end == "expired":
        assert expire(desk) == "applied"
    else:
        assert desk.send(hold_posted("p1", "h1", 100 if "part" in end else None)) == "applied"
    assert desk.balances()["promotional_credit", "cus_7/g1", "EUR"] == 0
    cost = {"posted": 300, "posted in part": 100}.get(end, 0)
    assert desk.balances()["promotion_expense", TENANT, "EUR"] == cost


def test_an_overdraft_is_used_when_nothing_else_is_left_up_to_its_limit() -> None:
    desk = purse(100)
    assert desk.send(limited("l1", 1, 50)) == "applied"
    desk.send(credited("good", 10, way="goodwill"))
    assert desk.send(spent("s1", 161)) == "limit_reached"
    assert desk.send(spent("s2", 160)) == "applied"
    assert desk.bucket("prepaid_balance").posted_minor == -50
    assert desk.send(limited("l2", 2, 0)) == "applied"  # narrowed: from now on it may only rise
    assert desk.wallets[0].available_minor(NOW) == 0
    assert desk.send(credited("c2", 20)) == "applied"
    assert desk.send(spent("s3", 1)) == "limit_reached"


# fmt: off
REFUSED: Final = [
    ("a wallet is opened once",             opened("o2"),                                    "wallet_exists"),
    ("a version is never rewritten",        limited("l", 1, 5),                              "policy_version_exists"),
    ("stored credit has no overdraft",      limited("l", 2, 5, account="customer_credit"),   "account_not_postable"),
    ("support sets no limits", limited("l", 2, 5, actor={"id": "kim", "role": "support"}),   "actor_not_allowed"),
    ("a program gives no goodwill",
     credited("c", 5, way="goodwill", actor={"id": "bot", "role": "system"}),                "actor_not_allowed"),
    ("the way must be known",               credited("c", 5, way="magic"),                   "way_unknown"),
    ("and of the family",                   credited("c", 5, way="merchant_transfer"),       "way_unknown"),
    ("no way out leads in",                 spent("s", 5).replace(b"purchase", b"card_____"), "way_unknown"),
    ("a grant is given once",               granted("g1", 5, idempotency_key="other"),       "grant_id_reused"),
    ("a grant lasts",                       granted("g2", 5, "2026-11-23T10:00:00Z"),        "invalid_message"),
    ("a hold lasts",                        held("h2", 5, "2026-11-23T10:00:00Z"),           "invalid_message"),
    ("more than there is",                  spent("s", 10**15),                              "limit_reached"),
    ("merchants get no promotion",          granted("g3", 5, family="merchant"),             "wallet_unknown"),
]
# fmt: on


@pytest.mark.parametrize(("message", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_a_wallet_does_not_allow_is_refused_with_its_reason(message: bytes, reason: str) -> None:
    desk = purse()
    desk.send(granted("g1", 5))
    desk.send(limited("l1", 1, 0))
    before = desk.balances()
    assert desk.send(message) == reason
    assert desk.balances() == before


@pytest.mark.parametrize("message", [credited("c", 5), spent("s", 5), held("h", 5), limited("l", 1, 5)])
def test_what_comes_before_its_wallet_waits(message: bytes) -> None:
    desk = Desk()
    assert desk.send(message) == "wallet_unknown"
    assert desk.verdicts.popitem()[1].outcome == "parked"


def test_a_hold_that_was_refused_does_not_make_its_wallet_wait_for_it() -> None:
    desk = purse(10)
    desk.send(held("h1", 11))
    assert desk.send(hold_posted("p1", "h1")) == "hold_unknown"
    assert desk.verdicts.popitem()[1].outcome == "rejected"


def test_a_merchant_s_payable_is_a_wallet_of_one_account() -> None:
    desk = Desk()
    mine: dict[str, Any] = {"family": "merchant", "owner_id": "m1"}
    assert desk.send(opened(**mine)) == "applied"
    assert desk.send(limited("l1", 1, 300, account="merchant_payable", **mine)) == "applied"
    assert (
        desk.send(wallet("s1", "wallet_spent", way="withdrawal", payee="main", amount_minor=300, **mine))
        == "applied"
    )
    assert desk.send(
        wallet("s2", "wallet_spent", way="withdrawal", payee="main", amount_minor=1, **mine)
    ) == ("limit_reached")


def test_no_account_can_be_in_two_wallets() -> None:
    codes = [plan.code for plans in FAMILIES.values() for plan in plans]
    assert len(codes) == len(set(codes))
    assert all(CHART[code].type == "liability" for code in codes)


def test_every_way_leads_to_an_account_of_its_family() -> None:
    for way in WAYS_IN.values():
        assert way.inside in {plan.code for plan in FAMILIES[way.family]}
    assert {way.family for way in WAYS_OUT.values()} | PROMOTED <= FAMILIES.keys()


def test_no_money_moves_in_the_future_whatever_clock_the_sender_has() -> None:
    desk = purse()
    ahead = spent("s1", 100).replace(b'"time":"2026-11-23T10:00:00Z"', b'"time":"9999-12-31T23:59:59Z"')
    assert desk.send(ahead) == "applied"
    assert desk.entries[-1].posting.effective_at == NOW
    before = spent("s2", 100).replace(b'"time":"2026-11-23T10:00:00Z"', b'"time":"2026-11-20T10:00:00Z"')
    assert desk.send(before) == "applied"
    assert desk.entries[-1].posting.effective_at == NOW - timedelta(days=3)


def test_an_entry_carries_the_references_of_its_command_and_what_expires_with_it_does_not() -> None:
    desk = purse()
    for body in (
        credited("c2", 10, references={"statement_line": "7"}),
        spent("s1", 10, references={"order": "o1"}),
        spent("s2", 10),
    ):
        assert desk.send(body) == "applied"
    assert [entry.posting.references for entry in desk.entries[1:]] == [
        {"statement_line": "7"},
        {"order": "o1"},
        None,
    ]


def test_expired_credit_that_a_reversal_brings_back_goes_with_the_next_command() -> None:
    desk = purse(0)
    soon = NOW + timedelta(days=1)
    desk.send(granted("g1", 100, soon.isoformat()))
    desk.send(spent("s1", 100))
    purchase = desk.entries[-1].posting.object_id
    assert expire_grant(desk, "g1", soon) == "applied"
    assert desk.send(reversal("r1", purchase)) == "applied"
    assert desk.send(approve("r1", reverses={"object_id": purchase, "number": 1})) == "applied"
    account = ("promotional_credit", "cus_7/g1", "EUR")
    assert desk.balances()[account] == 100
    assert desk.send(spent("s2", 100)) == "limit_reached", "it has expired, wherever it was meanwhile"
    assert desk.send(credited("c1", 10)) == "applied"
    assert desk.balances()[account] == 0
    assert "wallet.expired.v1" in desk.told()
