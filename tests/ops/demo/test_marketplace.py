"""A generated day: what is in it, and that its outcome cannot depend on timing."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.intake import same_event
from handlers.routes import ROUTES
from ops.demo.journeys import CHALLENGE, DECLINES, JOURNEYS
from ops.demo.marketplace import FEWEST_EVENTS, generate
from ops.demo.merchants import DAY
from ops.demo.orders import DECLINED
from ops.demo.unreadable import FLAWS
from schemas.checkout import CheckoutMessage
from schemas.currencies import MINOR_DIGITS
from schemas.outgoing import partition_key
from tests.ops.demo.day import Day, day_of

EVENTS = 5_000
SEEDS = st.integers(min_value=0, max_value=2**63)

OPENING = {
    "checkout.payment_requested.v1",
    "checkout.payment_recorded.v1",
    "checkout.payment_deferred.v1",
}


@pytest.fixture(scope="module")
def day() -> Day:
    return day_of(EVENTS, seed=7)


@settings(max_examples=20, deadline=None)
@given(events=st.integers(FEWEST_EVENTS, 600), seed=SEEDS)
def test_a_day_has_exactly_as_many_records_as_asked_for_and_the_same_each_time(
    events: int, seed: int
) -> None:
    first = list(generate(events, seed))
    assert len(first) == events
    assert list(generate(events, seed)) == first


def test_another_seed_is_another_day() -> None:
    assert not set(generate(FEWEST_EVENTS, 1)) & set(generate(FEWEST_EVENTS, 2))


def test_a_day_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {FEWEST_EVENTS}"):
        generate(FEWEST_EVENTS - 1, 7)


def test_every_kind_of_message_and_of_minor_unit_occurs(day: Day) -> None:
    later = {"checkout.authorization_increase_requested.v1", "checkout.outcome_decided.v1"}
    assert {item.message.type for item in day.incoming} == {
        kind.model_fields["type"].annotation.__args__[0] for kind in get_args(CheckoutMessage)
    } - later
    currencies = {
        item.message.data.amount.currency
        for item in day.incoming
        if "amount" in item.message.data.model_fields_set
    }
    assert {MINOR_DIGITS[currency] for currency in currencies} == {0, 2, 3}
    assert len({item.cause.tenant for item in day.incoming}) == 3


def test_one_in_a_hundred_cannot_be_read_for_every_reason_there_is(day: Day) -> None:
    assert len(day.unreadable) == EVENTS // 100
    assert {item.reason for item in day.unreadable} == {flaw.reason for flaw in FLAWS}


def test_one_in_twenty_is_a_duplicate(day: Day) -> None:
    again = sum(
        same_event(messages[0].record.body, message.record.body)
        for messages in day.by_event.values()
        for message in messages[1:]
    )
    commands = [(item.key, key) for item in day.firsts if (key := item.message.data.command_key())]
    repeated = len(commands) - len(set(commands))
    assert again == EVENTS * 4 // 100
    assert repeated == EVENTS // 100


def test_one_in_two_hundred_says_something_else_under_a_used_id(day: Day) -> None:
    other = [
        message
        for messages in day.by_event.values()
        for message in messages[1:]
        if not same_event(messages[0].record.body, message.record.body)
    ]
    assert len(other) == EVENTS // 200


def test_one_in_fifty_comes_before_what_it_refers_to(day: Day) -> None:
    early = [
        messages
        for messages in day.by_key.values()
        if "order_id" in messages[0].message.data.model_fields_set and messages[0].message.type not in OPENING
    ]
    assert len(early) == EVENTS // 50
    assert all(any(message.message.type in OPENING for message in messages) for messages in early)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_all_messages_of_an_event_and_of_an_object_share_one_key(seed: int) -> None:
    for key, messages in day_of(300, seed).by_key.items():
        assert {partition_key(item.cause.tenant, item.key).encode() for item in messages} == {key}


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_no_orders_terms_depend_on_which_fee_schedules_are_known(seed: int) -> None:
    day = day_of(300, seed)
    fees: dict[tuple[str, str], list[bool]] = {}
    for item in day.firsts:
        if item.message.type == "checkout.merchant_fees_set.v1":
            in_force = item.message.data.effective_from <= DAY
            fees.setdefault((item.cause.tenant, item.message.data.merchant_id), []).append(in_force)
    assert all(versions == [True, *([False] * (len(versions) - 1))] for versions in fees.values())
    merchants = {
        (item.cause.tenant, item.message.data.merchant_id)
        for item in day.incoming
        if "merchant_id" in item.message.data.model_fields_set
    }
    assert merchants == fees.keys()


def test_some_orders_come_before_their_merchants_fees(day: Day) -> None:
    known: set[tuple[str, str]] = set()
    early = 0
    for item in day.incoming:
        if "merchant_id" in item.message.data.model_fields_set:
            merchant = item.cause.tenant, item.message.data.merchant_id
            if item.message.type == "checkout.merchant_fees_set.v1":
                known.add(merchant)
            else:
                early += merchant not in known
    assert early > 0


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_every_cue_comes_for_the_order_was_challenged_or_declined_before(seed: int) -> None:
    tokens: dict[bytes, list[str]] = {}
    for record in generate(400, seed):
        if record.cue is not None:
            last = tokens[record.key][-1]
            assert last == CHALLENGE or last in DECLINES
            assert (record.cue == DECLINED) == (b"tok_" in record.value)
        tokens.setdefault(record.key, []).extend(
            re.findall(r"tok_\w+", record.value.decode(errors="replace"))
        )


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_even_the_shortest_day_has_every_journey(seed: int) -> None:
    """Told by what only one journey does: captures above the amount, a card that no confirmation saves, and so on."""
    day = day_of(FEWEST_EVENTS, seed)
    orders = {item.key for item in day.incoming if "order_id" in item.message.data.model_fields_set}
    assert len(orders) >= len(JOURNEYS)
    assert {item.message.type for item in day.incoming} <= ROUTES.keys()
