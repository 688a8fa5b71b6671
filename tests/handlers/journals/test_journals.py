"""Journals, reversals and conversions: every step of their table, and what each is refused for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from handlers.journals.model import journal_uuid_of
from handlers.journals.states import TRANSITIONS, State, Trigger
from handlers.ledger.model import CHART, NOBODY, Code
from tests.books import approve, conversion, due, journal, leg, pair, part, refuse, reversal
from tests.desk import TIMERS, Desk
from tests.shop import TENANT

J1: Final = str(journal_uuid_of(TENANT, "j1"))
DUE: Final = "2026-12-07T10:00:00Z"


def lapse(desk: Desk, journal_id: str = "j1") -> str:
    """The journal's time has come."""
    return desk.send(due("journal_expiry", str(journal_uuid_of(TENANT, journal_id)), journal_id, DUE), TIMERS)


def standing(state: State | None) -> Desk:
    """A desk with journal j1 in this state."""
    desk = Desk()
    if state is None:
        return desk
    several = state is State.COLLECTING
    assert desk.send(journal("j1", parts=2 if several else 1)) == "applied"
    if state is State.POSTED:
        desk.send(approve("j1"))
    elif state is State.REFUSED:
        desk.send(refuse("j1"))
    elif state is State.LAPSED:
        lapse(desk)
    assert desk.journals[0].state == state
    return desk


STEPS: Final[dict[Trigger, Any]] = {
    Trigger.BEGIN: lambda desk: desk.send(journal("j1", parts=2)),
    Trigger.PROPOSE: lambda desk: desk.send(journal("j1")),
    Trigger.COMPLETE: lambda desk: desk.send(part("j1", 2, pair())),
    Trigger.APPROVE: lambda desk: desk.send(approve("j1")),
    Trigger.REFUSE: lambda desk: desk.send(refuse("j1")),
    Trigger.LAPSE: lapse,
}


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("state", [None, *State])
def test_a_journal_goes_along_its_table_and_nowhere_else(state: State | None, trigger: Trigger) -> None:
    desk = standing(state)
    entries = len(desk.entries)
    said = STEPS[trigger](desk)
    if (state, trigger) in TRANSITIONS:
        assert said == "applied"
        assert desk.journals[0].state == TRANSITIONS[state, trigger]
        assert f"journal.{TRANSITIONS[state, trigger]}.v1" in desk.told()
        assert len(desk.entries) - entries == (trigger is Trigger.APPROVE)
        return
    unknown, taken = "journal_unknown", "journal_id_reused"
    opens = trigger in {Trigger.BEGIN, Trigger.PROPOSE}
    expected = unknown if state is None else taken if opens else "state_forbids"
    # a timer of what is over means nothing
    assert said == ("applied" if trigger is Trigger.LAPSE and state is not None else expected)
    assert [one.state for one in desk.journals] == ([] if state is None else [state])
    assert len(desk.entries) == entries


REFUSED: Final = [
    ("one leg is no journal", journal("j1", [leg("debit", "suspense", 5)]), "journal_unbalanced"),
    (
        "it must balance",
        journal("j1", [leg("debit", "suspense", 5), leg("credit", "bank_clearing", 4)]),
        "journal_unbalanced",
    ),
    (
        "in each currency",
        journal("j1", [leg("debit", "suspense", 5), leg("credit", "bank_clearing", 5, currency="USD")]),
        "journal_unbalanced",
    ),
    (
        "currencies meet in trading",
        journal(
            "j1",
            [
                *pair(),
                leg("debit", "suspense", 5, currency="USD"),
                leg("credit", "bank_clearing", 5, currency="USD"),
            ],
        ),
        "currencies_mixed",
    ),
    ("the account is in the chart", journal("j1", pair(debit="slush_fund")), "account_unknown"),
    (
        "a wallet's account has its own commands",
        journal("j1", pair(debit="prepaid_balance")),
        "account_not_postable",
    ),
    (
        "a clearing account is the rules' own",
        journal("j1", pair(debit="refund_clearing")),
        "account_not_postable",
    ),
    (
        "support proposes nothing",
        journal("j1", actor={"id": "kim", "role": "support"}),
        "actor_not_allowed",
    ),
    (
        "a manager may not touch the bank",
        journal("j1", actor={"id": "kim", "role": "manager"}),
        "account_not_postable",
    ),
    ("next week is not yet", journal("j1", effective_at="2026-11-30T00:00:00Z"), "effective_too_late"),
    ("there is no such entry", reversal("r1", J1), "entry_unknown"),
    ("a conversion has two currencies", conversion("c1", currency="USD"), "rate_mismatch"),
    ("what arrived fits the rate", conversion("c1", bought_minor=9300), "rate_mismatch"),
    ("a rate of nothing", conversion("c1", rate="0"), "rate_mismatch"),
    ("a rate beyond all amounts", conversion("c1", rate="999999999"), "rate_mismatch"),
]


@pytest.mark.parametrize(("message", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_posted_is_refused_with_its_reason(message: bytes, reason: str) -> None:
    desk = Desk()
    if b"c1" in message and b"999999999" in message:
        message = message.replace(b"10000", b"1000000000000000")
    assert desk.send(message) == reason
    assert desk.journals == []


@pytest.mark.parametrize("code", [code for code, chart in CHART.items() if chart.people is NOBODY])
def test_nobody_posts_by_hand_to_what_only_rules_move(code: Code) -> None:
    assert Desk().send(journal("j1", pair(credit=code))) == "account_not_postable"


@pytest.mark.parametrize(
    ("actor", "reason"),
    [
        ({"id": "ada", "role": "finance"}, "four_eyes"),
        ({"id": "kim", "role": "manager"}, "actor_not_allowed"),
        ({"id": "batch", "role": "system"}, "actor_not_allowed"),
    ],
)
def test_somebody_else_of_finance_approves(actor: dict[str, str], reason: str) -> None:
    desk = standing(State.PROPOSED)
    assert desk.send(approve("j1", actor=actor)) == reason
    assert desk.entries == []


def test_who_proposed_it_may_withdraw_it() -> None:
    desk = standing(State.PROPOSED)
    assert desk.send(refuse("j1", who="ada")) == "applied"
    assert desk.journals[0].reason == "requested_by_caller"


def test_a_journal_of_ten_thousand_legs_comes_in_parts_and_posts_at_once() -> None:
    desk = Desk()
    halves = [leg("debit", "suspense", 1 + number, owner=f"o{number}") for number in range(5000)]
    others = [leg("credit", "bank_clearing", 1 + number, owner=f"b{number}") for number in range(5000)]
    slices = [*(halves[at : at + 1250] for at in range(0, 5000, 1250))]
    slices += [others[at : at + 1250] for at in range(0, 5000, 1250)]
    assert desk.send(journal("j1", slices[0], parts=8)) == "applied"
    order = [3, 2, 8, 4, 5, 7, 6]
    for number in order:
        assert desk.journals[0].state == State.COLLECTING
        assert desk.send(approve("j1", event_id=f"early{number}")) == "state_forbids"
        body = part("j1", number, slices[number - 1])
        assert len(body) < 262_144
        assert desk.send(body) == "applied"
    assert desk.send(approve("j1")) == "applied"
    (entry,) = desk.entries
    assert len(entry.posting.legs) == 10_000
    assert sum(leg.amount_minor for leg in entry.posting.legs if leg.side == "debit") == 5000 * 5001 // 2


@pytest.mark.parametrize(
    ("number", "legs", "who", "reason"),
    [
        (2, pair(), "grace", "actor_not_allowed"),
        (4, pair(), "ada", "part_exists"),
        (2, pair(debit="refund_clearing"), "ada", "account_not_postable"),
    ],
)
def test_a_part_that_does_not_belong_is_refused(
    number: int, legs: list[dict[str, Any]], who: str, reason: str
) -> None:
    desk = Desk()
    desk.send(journal("j1", parts=3))
    assert desk.send(part("j1", number, legs, who=who)) == reason


def test_a_part_comes_once_and_the_last_one_must_make_it_balance() -> None:
    desk = Desk()
    desk.send(journal("j1", [leg("debit", "suspense", 7)], parts=2))
    assert desk.send(part("j1", 2, [leg("credit", "bank_clearing", 6)])) == "journal_unbalanced"
    mended = part("j1", 2, [leg("credit", "bank_clearing", 7)], idempotency_key="mended")
    assert desk.send(mended.replace(b"j1-part2", b"j1-again")) == "applied"
    assert desk.send(part("j1", 2, pair(), idempotency_key="third")) == "state_forbids"


def booked() -> Desk:
    """A desk with one entry of 1000 in the books."""
    return standing(State.POSTED)


def test_a_reversal_takes_back_all_of_an_entry_once() -> None:
    desk = booked()
    assert desk.send(reversal("r1", J1)) == "applied"
    entry = {"object_id": J1, "number": 1}
    assert desk.send(approve("r1", event_id="blind")) == "entry_unknown"
    assert desk.send(approve("r1", reverses=entry)) == "applied"
    assert set(desk.balances().values()) == {0}
    assert desk.send(reversal("r2", J1)) == "already_reversed"
    assert desk.entries[1].posting.effective_at == desk.now


def test_a_reversal_at_the_original_date() -> None:
    desk = booked()
    desk.send(reversal("r1", J1, effective="original"))
    desk.send(approve("r1", reverses={"object_id": J1, "number": 1}))
    first, second = desk.entries
    assert second.posting.effective_at == first.posting.effective_at


def part_of(minor: int) -> list[dict[str, int]]:
    """So much of both lines."""
    return [{"line": 1, "amount_minor": minor}, {"line": 2, "amount_minor": minor}]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (part_of(1001), "already_reversed"),
        ([*part_of(1), {"line": 1, "amount_minor": 1}], "invalid_message"),
        ([{"line": 1, "amount_minor": 5}, {"line": 2, "amount_minor": 6}], "journal_unbalanced"),
        ([{"line": 1, "amount_minor": 5}], "journal_unbalanced"),
        ([{"line": 3, "amount_minor": 5}], "entry_unknown"),
    ],
)
def test_a_partial_reversal_takes_back_what_is_there_and_balances(lines: Any, reason: str) -> None:
    assert booked().send(reversal("r1", J1, lines=lines)) == reason


def test_two_partial_reversals_that_are_too_much_together_the_second_is_refused_at_approval() -> None:
    desk = booked()
    entry = {"object_id": J1, "number": 1}
    assert desk.send(reversal("r1", J1, lines=part_of(600))) == "applied"
    assert desk.send(reversal("r2", J1, lines=part_of(600))) == "applied"
    assert desk.send(approve("r1", reverses=entry)) == "applied"
    assert desk.send(approve("r2", reverses=entry)) == "already_reversed"
    assert desk.send(reversal("r3", J1)) == "applied"  # all that is left
    assert desk.send(approve("r3", reverses=entry)) == "applied"
    assert set(desk.balances().values()) == {0}


def test_what_should_have_been_posted_posts_with_the_reversal() -> None:
    desk = booked()
    entry = {"object_id": J1, "number": 1}
    assert desk.send(reversal("r1", J1, legs=pair(900, debit="dispute_fee_expense"))) == "applied"
    assert desk.send(approve("r1", reverses=entry)) == "applied"
    assert [entry.posting.rule for entry in desk.entries[1:]] == ["entry_reversal", "entry_correction"]
    assert desk.balances()["suspense", "main", "EUR"] == 0
    links = desk.world.states["entry_links"][TENANT, journal_uuid_of(TENANT, "r1")]
    assert [(link.rule, link.kind, link.linked_entry_id) for link in links] == [
        ("entry_reversal", "reverses", 1),
        ("entry_correction", "replaces", 1),
    ]


@pytest.mark.parametrize("object_type", ["payment", "refund", "dispute"])
def test_only_finance_takes_back_what_payments_booked(object_type: str) -> None:
    desk = booked()
    lines = desk.world.states["booked"][TENANT, J1]
    for line in lines:
        line.object_type = object_type
    assert desk.send(reversal("r1", J1, actor={"id": "kim", "role": "manager"})) == "actor_not_allowed"
    assert desk.send(reversal("r2", J1)) == "applied"


# fmt: off
CONVERSIONS: Final = [
    # sold, currency, bought, rate, rounding, bought by the rate
    (10_000, "USD", "EUR", "0.9234",     "half_even", 9_234),
    (10_001, "USD", "EUR", "0.5",        "half_even", 5_000),
    (10_001, "USD", "EUR", "0.5",        "half_up",   5_001),
    (10_000, "EUR", "JPY", "161.237",    "down",      16_123),
    (10_000, "EUR", "JPY", "161.237",    "up",        16_124),
    (16_124, "JPY", "EUR", "0.0062021",  "half_even", 10_000),
    (1_000,  "KWD", "EUR", "3.0123",     "half_even", 301),
    (301,    "EUR", "KWD", "0.33197",    "half_even", 999),
    (100,    "CLF", "CLP", "38412.7",    "half_even", 384),
]
# fmt: on


@pytest.mark.parametrize(("minor", "currency", "bought", "rate", "rounding", "by_rate"), CONVERSIONS)
@pytest.mark.parametrize("difference", [0, 1, -1, 5, -5])
def test_a_conversion_goes_through_trading_and_its_difference_is_a_leg(
    minor: int, currency: str, bought: str, rate: str, rounding: str, by_rate: int, difference: int
) -> None:
    desk = Desk()
    sold = {"amount_minor": minor, "currency": currency}
    arrived = by_rate + difference
    message = conversion(
        "c1",
        sold=sold,
        currency=bought,
        rate=rate,
        rounding=rounding,
        bought_minor=arrived if difference else None,
    )
    assert desk.send(message) == "applied"
    assert desk.send(approve("c1")) == "applied"
    found = desk.balances()
    pair_name = f"{currency}/{bought}"
    assert found["bank_clearing", "main", currency] == -minor
    assert found["bank_clearing", "main", bought] == arrived
    assert found["trading", pair_name, currency] == -minor
    assert found["trading", pair_name, bought] == by_rate
    assert found.get(("rounding_difference", TENANT, bought), 0) == -difference
    assert desk.journals[0].terms["difference_minor"] == str(difference)


def test_a_repeated_command_is_told_the_first_one_s_outcome() -> None:
    desk = Desk()
    desk.send(journal("j1"))
    again = journal("j1").replace(b'"id":"j1"', b'"id":"j1-again"', 1)
    assert desk.send(again) == "duplicate"
    assert len(desk.journals) == 1


def test_nobody_decides_about_it_for_ever() -> None:
    desk = standing(State.PROPOSED)
    desk.now += timedelta(days=14)
    assert lapse(desk) == "applied"
    assert desk.send(approve("j1")) == "state_forbids"
