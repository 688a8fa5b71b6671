"""Every message that we read has its rule, which gets the aggregates that the message names."""

from __future__ import annotations

import inspect
import json
from typing import Any, Final, get_args

import pytest

from db.tables import TABLES
from handlers.fees import routes as fees
from handlers.needs import Reference
from handlers.payments import routes as payments
from handlers.payments.model import payment_id_of
from handlers.routes import ROUTES, route_of
from schemas.envelope import Message
from schemas.provider import Operation
from schemas.timer import TimerKind
from tests.schemas.samples import DATA, TOPIC_OF, cloud_event, read

PAYMENT: Final = ("payment", ("acme", payment_id_of("acme", "order-1")))
FEES: Final = ("fees", ("acme", "shoes"))

NEEDS: Final = {
    "checkout.merchant_fees_set.v1": [FEES],
    "checkout.payment_requested.v1": [PAYMENT, FEES],
    "checkout.payment_recorded.v1": [PAYMENT, FEES],
    "checkout.payment_deferred.v1": [PAYMENT, FEES],
    "webhook.unrecognized.v1": [],
}
"""Of the messages of payments and fees; all others of these need the payment alone."""

OWN: Final = [
    message_type
    for message_type in DATA
    if message_type in {*payments.ROUTES, *payments.ANSWERS, *fees.ROUTES, "timer.due.v1"}
]


def message_of(message_type: str, **changes: Any) -> Message:
    """A valid message, as the workers read it."""
    event = cloud_event(message_type, **changes)
    return read(TOPIC_OF[message_type], json.dumps(event).encode())


def test_every_message_has_a_rule_and_every_rule_a_message() -> None:
    assert set(ROUTES) == set(DATA)


@pytest.mark.parametrize("message_type", OWN)
def test_a_message_names_the_aggregates_that_its_rule_needs(message_type: str) -> None:
    message = message_of(message_type)
    route = route_of(message)
    assert route is not None
    needs = [(need.kind, need.key(message)) for need in route.needs]
    assert needs == NEEDS.get(message_type, [PAYMENT])


@pytest.mark.parametrize("message_type", DATA)
def test_every_aggregate_that_a_rule_needs_can_be_loaded(message_type: str) -> None:
    message = message_of(message_type)
    route = route_of(message)
    assert route is not None
    for need in route.needs:
        assert need.kind in TABLES
        key = need.key(message)
        assert key is None or isinstance(key, Reference) or (key[0], len(key)) == ("acme", 2)


@pytest.mark.parametrize("message_type", DATA)
def test_a_rule_takes_its_aggregates_the_message_and_the_time(message_type: str) -> None:
    route = route_of(message_of(message_type))
    assert route is not None
    parameters = list(inspect.signature(route.rule).parameters)
    assert parameters[-2:] == ["message", "now"]
    assert len(parameters) == len(route.needs) + 2


@pytest.mark.parametrize("operation", get_args(Operation))
@pytest.mark.parametrize("answer", payments.ANSWERS)
def test_every_answer_to_every_operation_comes_back_to_a_rule(answer: str, operation: str) -> None:
    if answer == "provider.challenge_required.v1" and operation not in payments.OPERATIONS:
        return  # a customer has nothing to say about the evidence of a dispute
    assert route_of(message_of(answer, data__operation=operation)) is not None


@pytest.mark.parametrize("kind", get_args(TimerKind))
def test_every_timer_comes_back_to_a_rule(kind: str) -> None:
    assert route_of(message_of("timer.due.v1", data__kind=kind)) is not None


def test_a_report_that_names_no_order_finds_its_payment_by_the_reference() -> None:
    message = message_of("webhook.payment_reported.v1", data__order_id=None)
    route = route_of(message)
    assert route is not None
    assert [need.key(message) for need in route.needs] == [Reference("acme", "sandbox", "auth_1")]


def test_an_order_s_payment_has_one_id_for_ever() -> None:
    assert str(payment_id_of("acme", "order-1")) == "e9278d42-6921-5cca-9f65-8face8edb726"


@pytest.mark.parametrize(
    ("tenant", "order_id"), [("acme2", "order-1"), ("acme", "order-2"), ("acm", "e/order-1")]
)
def test_another_tenant_or_order_has_another_payment(tenant: str, order_id: str) -> None:
    assert payment_id_of(tenant, order_id) != payment_id_of("acme", "order-1")
