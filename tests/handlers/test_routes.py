"""Every message that we read has its rule, which gets the aggregates that the message names."""

from __future__ import annotations

import inspect
import json
from typing import Final

import pytest

from handlers.payments.model import payment_id_of
from handlers.routes import ROUTES, route_of
from tests.schemas.samples import DATA, TOPIC_OF, cloud_event, read

PAYMENT: Final = ("payment", ("acme", payment_id_of("acme", "order-1")))
FEES: Final = ("fees", ("acme", "shoes"))

NEEDS: Final = {
    "checkout.merchant_fees_set.v1": [FEES],
    "checkout.payment_requested.v1": [PAYMENT, FEES],
    "checkout.payment_recorded.v1": [PAYMENT, FEES],
    "checkout.payment_deferred.v1": [PAYMENT, FEES],
}
"""All others need the payment alone."""


def test_every_message_has_a_rule_and_every_rule_a_message() -> None:
    assert set(ROUTES) == set(DATA)


@pytest.mark.parametrize("message_type", DATA)
def test_a_message_names_the_aggregates_that_its_rule_needs(message_type: str) -> None:
    message = read(TOPIC_OF[message_type], json.dumps(cloud_event(message_type)).encode())
    route = route_of(message)
    assert route is not None
    needs = [(need.kind, need.key(message)) for need in route.needs]
    assert needs == NEEDS.get(message_type, [PAYMENT])


@pytest.mark.parametrize("message_type", DATA)
def test_a_rule_takes_its_aggregates_the_message_and_the_time(message_type: str) -> None:
    route = route_of(read(TOPIC_OF[message_type], json.dumps(cloud_event(message_type)).encode()))
    assert route is not None
    first = ["history"] if route.needs[0].kind == "fees" else [need.kind for need in route.needs]
    assert list(inspect.signature(route.rule).parameters) == [*first, "message", "now"]


def test_an_order_s_payment_has_one_id_for_ever() -> None:
    assert str(payment_id_of("acme", "order-1")) == "e9278d42-6921-5cca-9f65-8face8edb726"


@pytest.mark.parametrize(
    ("tenant", "order_id"), [("acme2", "order-1"), ("acme", "order-2"), ("acm", "e/order-1")]
)
def test_another_tenant_or_order_has_another_payment(tenant: str, order_id: str) -> None:
    assert payment_id_of(tenant, order_id) != payment_id_of("acme", "order-1")
