"""The days after a day: what is in them, and that their outcome cannot depend on timing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.intake import Incoming, Reader, Unreadable
from consumers.intake import Record as Arrived
from handlers.payments.model import payment_id_of
from ops.demo.after import Act, acts
from ops.demo.cases import DAYS, OF_THE_DAY, OF_THEIR_OWN, ON_A_TEST_CLOCK
from ops.demo.marketplace import Record, generate, merchants_of
from ops.demo.orders import DISPUTE_REFERENCE
from ops.sandbox.tokens import TOKENS
from schemas.dispute import DisputeMessage
from schemas.outgoing import partition_key
from schemas.refund import RefundMessage
from schemas.topics import TOPIC_OF_TYPE

EVENTS = 20_000
SEED = 7
TOPIC = "checkout.events"
SEEDS = st.integers(min_value=0, max_value=2**63)


def paid(events: int, seed: int) -> list[dict[str, Any]]:
    """Payments as a day may leave them: enough of every method and state, some customers with several."""
    merchants = merchants_of(events, seed)
    kinds = [
        *[("succeeded", method) for method in ("card", "point_of_sale", "bank_transfer", "cash_on_delivery")],
        ("authorized", "card"),
        ("captured", "card"),
        ("succeeded", "card"),
    ]
    rows = []
    for number in range(events // 10):
        merchant = merchants[number % len(merchants)]
        state, method = kinds[number % len(kinds)]
        currency = merchant.market.currencies[0]
        rows.append(
            {
                "tenant": merchant.market.tenant,
                "order_id": f"order-{seed}-{number:06d}",
                "payment_id": payment_id_of(merchant.market.tenant, f"order-{seed}-{number:06d}"),
                "merchant_id": merchant.merchant_id,
                "customer_id": f"customer-{number % 900}",
                "currency": currency,
                "state": state,
                "method": method,
                "amount_minor": 1_000_000,
                "fee_minor": number,
            }
        )
    return rows


@pytest.fixture(scope="module")
def draft() -> list[Act]:
    return acts(EVENTS, SEED, paid(EVENTS, SEED))


def records_of(draft: list[Act]) -> list[Record]:
    return [record for act in draft for record in act.records]


def read(record: Record) -> Incoming:
    """Read as a worker does, once the dispute has a name."""
    body = record.value.replace(DISPUTE_REFERENCE, b"dp_1")
    item = Reader(TOPIC).read(Arrived(TOPIC, 0, 0, record.key, {}, body))
    assert not isinstance(item, Unreadable), item.detail
    return item


@settings(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_the_same_payments_and_seed_make_the_same_days(seed: int) -> None:
    assert acts(300, seed, paid(300, seed)) == acts(300, seed, paid(300, seed))


def test_every_message_can_be_read_and_is_under_the_key_of_its_order(draft: list[Act]) -> None:
    for record in records_of(draft):
        item = read(record)
        assert partition_key(item.cause.tenant, item.key).encode() == record.key


def test_every_kind_of_message_about_refunds_and_disputes_occurs(draft: list[Act]) -> None:
    kinds = {
        kind.model_fields["type"].annotation.__args__[0]
        for union in (RefundMessage, DisputeMessage)
        for kind in get_args(union)
    }
    assert kinds <= {read(record).message.type for record in records_of(draft)}


def test_with_the_day_itself_every_token_of_the_provider_is_paid_with(draft: list[Act]) -> None:
    bodies = [record.value for record in (*generate(EVENTS, SEED), *records_of(draft))]
    used = set(re.findall(rb"tok_[a-z0-9_]+", b" ".join(bodies)))
    assert {token.decode() for token in used} == set(TOKENS)


def test_every_case_occurs_as_often_as_its_row_says(draft: list[Act]) -> None:
    orders = {record.key for record in records_of(draft)}
    opened = [key for key in orders if b":after-" in key]
    assert len(opened) == sum(case.weight for case in (*OF_THEIR_OWN, *ON_A_TEST_CLOCK))
    of_the_day = [key for key in orders if b":order-" in key]
    assert len(of_the_day) == sum(case.weight for case in OF_THE_DAY)


def test_a_short_day_still_has_one_of_each() -> None:
    orders = {record.key for record in records_of(acts(150, SEED, []))}
    assert len([key for key in orders if b":after-" in key]) == len(OF_THEIR_OWN) + len(ON_A_TEST_CLOCK)


def test_a_customer_is_in_one_case_only_so_that_limits_do_not_depend_on_order(draft: list[Act]) -> None:
    asked = {
        (item.cause.tenant, item.message.data.customer_id, item.key)
        for record in records_of(draft)
        if (item := read(record)).message.type == "checkout.refund_requested.v1"
    }
    assert max(Counter((tenant, customer) for tenant, customer, _ in asked).values()) == 1


def test_every_cue_is_an_event_that_we_publish_and_every_day_has_its_title(draft: list[Act]) -> None:
    cues = {record.cue.event_type for record in records_of(draft) if record.cue is not None}
    assert {TOPIC_OF_TYPE[cue] for cue in cues} == {"payment.events", "refund.events", "dispute.events"}
    assert [act.day for act in draft] == sorted(DAYS)


def test_what_names_a_dispute_waits_until_the_shop_has_heard_of_one(draft: list[Act]) -> None:
    waiting: set[bytes] = set()
    for act in draft:
        for record in act.records:
            if record.cue is not None:
                waiting.add(record.key)
            assert DISPUTE_REFERENCE not in record.value or record.key in waiting
