"""What we publish: a CloudEvent whose id follows from its cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

import pytest

from schemas.outgoing import Cause, encode, event_id_of, partition_key
from schemas.rejection import REJECTED, Rejected

NOW: Final = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
CAUSE: Final = Cause("acme", "/shops/shoes", "evt-1")
TOLD: Final = Rejected(
    event_source="/shops/shoes",
    event_id="evt-1",
    event_type="checkout.capture_requested.v1",
    object_id="order-1",
    reason="state_forbids",
    detail="payment is failed",
    retryable=False,
    fault="caller",
    action="Read the payment's state.",
)


def test_an_event_is_a_cloudevent_that_names_its_cause() -> None:
    assert json.loads(encode(CAUSE, REJECTED, 0, "order-1", NOW, TOLD)) == {
        "specversion": "1.0",
        "id": event_id_of(CAUSE, REJECTED, 0),
        "source": "/counterfoil",
        "type": "rejection.issued.v1",
        "time": "2026-11-23T10:00:00.123456+00:00",
        "subject": "order-1",
        "tenant": "acme",
        "causation": "evt-1",
        "correlation": "evt-1",
        "data": {
            "event_source": "/shops/shoes",
            "event_id": "evt-1",
            "event_type": "checkout.capture_requested.v1",
            "object_id": "order-1",
            "reason": "state_forbids",
            "detail": "payment is failed",
            "retryable": False,
            "fault": "caller",
            "action": "Read the payment's state.",
        },
    }


def test_correlation_and_trace_are_handed_on() -> None:
    cause = Cause("acme", "/shops/shoes", "evt-2", correlation="evt-1", traceparent="00-ab-cd-01")
    event = json.loads(encode(cause, REJECTED, 0, "order-1", NOW, TOLD))
    assert (event["causation"], event["correlation"], event["traceparent"]) == (
        "evt-2",
        "evt-1",
        "00-ab-cd-01",
    )


def test_a_retry_publishes_the_same_bytes() -> None:
    assert encode(CAUSE, REJECTED, 0, "o", NOW, TOLD) == encode(CAUSE, REJECTED, 0, "o", NOW, TOLD)


OTHERS: Final = [
    (Cause("acme2", "/shops/shoes", "evt-1"), REJECTED, 0),
    (Cause("acme", "/shops/hats", "evt-1"), REJECTED, 0),
    (Cause("acme", "/shops/shoes", "evt-2"), REJECTED, 0),
    (Cause("acme", "/shops/shoe", "sevt-1"), REJECTED, 0),
    (CAUSE, "payment.failed.v1", 0),
    (CAUSE, REJECTED, 1),
]


@pytest.mark.parametrize(("cause", "event_type", "number"), OTHERS)
def test_another_cause_type_or_number_is_another_event(cause: Cause, event_type: str, number: int) -> None:
    assert event_id_of(cause, event_type, number) != event_id_of(CAUSE, REJECTED, 0)


def test_an_event_id_is_the_same_in_every_release() -> None:
    assert event_id_of(CAUSE, REJECTED, 0) == "6392f650490ffd58b7caf16b4cd46947"


def test_the_key_is_the_tenant_and_the_object() -> None:
    assert partition_key("acme", "order-1") == "acme:order-1"
