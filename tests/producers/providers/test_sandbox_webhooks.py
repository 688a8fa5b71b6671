"""The sandbox provider's webhooks in our terms: every event that it can tell, told by the provider itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter

from ops.sandbox import messages
from ops.sandbox.webhooks import new_secret, signed
from producers.providers.sandbox import SandboxWebhooks
from producers.providers.webhooks import Endpoint, Forged, Genuine, Unreadable
from schemas.webhook import (
    DisputeReported,
    PaymentReported,
    RefundReported,
    Unrecognized,
    WebhookMessage,
)
from tests.ops.sandbox.books import Bench

if TYPE_CHECKING:
    from ops.sandbox.resources import Document

SECRET = new_secret()
ENDPOINT = Endpoint("sandbox", "main", "acme", (SecretStr(SECRET),))
WEBHOOK_ID = UUID(int=7)
CALL, CAPTURE, REFUND = (str(UUID(int=number)) for number in (1, 2, 3))
OURS: TypeAdapter[WebhookMessage] = TypeAdapter(WebhookMessage)


def read(event: Document, endpoint: Endpoint = ENDPOINT) -> WebhookMessage:
    """The one message of an event, as it reads when it has been through Kafka."""
    found = SandboxWebhooks().read(orjson.dumps(event), endpoint, WEBHOOK_ID)
    assert not isinstance(found, Unreadable), found
    [message] = found
    assert OURS.validate_json(message.model_dump_json()) == message
    return message


def told(bench: Bench) -> list[WebhookMessage]:
    """Everything that a provider has told."""
    return [read(event) for event in bench.told()]


def payments(bench: Bench) -> list[tuple[str, int | None, int | None, str | None]]:
    """Status, what is authorized, what is captured, and the reason, of every event about a payment."""
    return [
        (one.data.status, one.data.authorized_minor, one.data.captured_minor, one.data.reason)
        for one in told(bench)
        if isinstance(one, PaymentReported)
    ]


def test_the_envelope_names_the_endpoint_the_event_and_the_time() -> None:
    bench = Bench()
    authorization = bench.pay()
    [event] = bench.told()
    message = read(event)
    assert isinstance(message, PaymentReported)
    assert (message.id, message.source, message.tenant) == (event["id"], "/webhooks/sandbox/main", "acme")
    assert message.time == message.data.occurred_at == bench.processor.clock.now()
    assert (message.data.webhook_id, message.data.provider_type) == (WEBHOOK_ID, "capture.succeeded")
    assert (message.data.order_id, message.data.provider_reference) == ("order-1", authorization)
    assert message.data.ordering_key() == "order-1"


def test_amounts_are_totals_and_calls_are_named() -> None:
    bench = Bench()
    asked = messages.AuthorizationRequest.model_validate(
        {
            "amount_minor": 1_000,
            "currency": "EUR",
            "payment_method": {"type": "card", "token": "tok_approve"},
            "capture": False,
            "reference": "order-1",
        }
    )
    held = bench.ask(asked, key=CALL)["id"]
    bench.ask(messages.IncreaseRequest(amount_minor=1_500), held)
    bench.ask(messages.CaptureRequest(amount_minor=400, final=False), held, CAPTURE)
    bench.ask(messages.CaptureRequest(amount_minor=1_100), held, "not one of ours")
    assert payments(bench) == [
        ("authorized", 1_000, 0, None),
        ("authorized", 1_500, 0, None),
        ("captured", 1_500, 400, None),
        ("captured", 1_500, 1_500, None),
    ]
    calls = [one.data.call_id for one in told(bench) if isinstance(one, PaymentReported)]
    assert calls == [UUID(CALL), None, UUID(CAPTURE), None]


LIVES = [
    # token,                        captured at once, days, how it ends
    ("tok_approve", False, 8, ("canceled", None, 0, "authorization_expired")),
    ("tok_decline_lost_card", True, 0, ("failed", None, 0, "lost_card")),
    ("tok_challenge", True, 0, ("requires_action", None, 0, None)),
    ("tok_debit_approve", True, 0, ("pending", None, 0, None)),
    ("tok_debit_approve", True, 4, ("captured", 10_000, 10_000, None)),
    ("tok_debit_fail", True, 4, ("failed", None, 0, "insufficient_funds")),
    ("tok_debit_return", True, 11, ("failed", None, 0, "returned_by_bank")),
]


@pytest.mark.parametrize(("token", "capture", "days", "last"), LIVES)
def test_every_way_a_payment_can_go(token: str, capture: bool, days: int, last: tuple[Any, ...]) -> None:  # noqa: FBT001
    bench = Bench()
    bench.pay(token, capture=capture)
    bench.days_pass(days)
    assert payments(bench)[-1] == last


def test_what_the_customer_does_is_no_call_of_ours_but_answers_one() -> None:
    bench = Bench()
    asked = messages.AuthorizationRequest.model_validate(
        {
            "amount_minor": 1_000,
            "currency": "EUR",
            "payment_method": {"type": "card", "token": "tok_challenge"},
            "capture": True,
            "reference": "order-1",
        }
    )
    waiting = bench.ask(asked, key=CALL)
    bench.ask(messages.ChallengeRequest(result="passed"), waiting["id"], CAPTURE)
    first, last = told(bench)
    assert isinstance(first, PaymentReported)
    assert isinstance(last, PaymentReported)
    assert (first.data.redirect_url, last.data.redirect_url) == (waiting["redirect_url"], None)
    assert (last.data.status, last.data.call_id) == ("captured", UUID(CALL))


@pytest.mark.parametrize(
    ("token", "days", "statuses", "reason"),
    [
        ("tok_approve", 0, ["succeeded"], None),
        ("tok_refund_pending", 3, ["pending", "succeeded"], None),
        ("tok_refund_fail", 3, ["pending", "failed"], "account_closed"),
        ("tok_refund_bounce", 6, ["succeeded", "failed"], "account_closed"),
    ],
)
def test_every_way_a_refund_can_go(token: str, days: int, statuses: list[str], reason: str | None) -> None:
    bench = Bench()
    charge = bench.pay(token)
    metadata = {"tenant": "acme", "order_id": "order-1", "refund_id": REFUND}
    made = bench.ask(messages.RefundRequest(amount_minor=400, metadata=metadata), charge)
    bench.days_pass(days)
    found = [one.data for one in told(bench) if isinstance(one, RefundReported)]
    assert [one.status for one in found] == statuses
    last = found[-1]
    assert (last.refund_id, last.refund_reference, last.provider_reference) == (
        UUID(REFUND),
        made["id"],
        charge,
    )
    assert (last.order_id, last.amount_minor, last.currency, last.reason) == ("order-1", 400, "EUR", reason)


def test_a_refund_that_we_did_not_ask_for_is_found_by_its_payment() -> None:
    bench = Bench()
    charge = bench.pay()
    bench.ask(messages.RefundRequest(amount_minor=400), charge)
    *_, message = told(bench)
    assert isinstance(message, RefundReported)
    assert (message.data.refund_id, message.data.order_id) == (None, None)
    assert message.data.ordering_key() == charge


def test_a_dispute_says_its_stage_its_money_and_its_due_time() -> None:
    bench = Bench()
    opened = bench.dispute(bench.pay(), "inquiry")
    bench.ask(messages.EscalationRequest(), opened["id"])
    bench.days_pass(8)
    found = [one.data for one in told(bench) if isinstance(one, DisputeReported)]
    assert [(one.stage, one.status, one.funds_minor, one.fee_minor) for one in found] == [
        ("inquiry", "needs_response", 0, 0),
        ("chargeback", "needs_response", 10_000, 1_500),
        ("chargeback", "needs_response", 10_000, 1_500),
        ("chargeback", "expired", 10_000, 1_500),
    ]
    assert found[0].evidence_due_at == found[0].occurred_at + timedelta(days=7)
    assert {(one.order_id, one.dispute_reference) for one in found} == {("order-1", opened["id"])}


def test_a_payout_is_genuine_and_means_nothing_to_us_yet() -> None:
    bench = Bench()
    bench.pay()
    bench.days_pass(2)
    kinds = [(one.data.provider_type, type(one)) for one in told(bench)[1:]]
    assert kinds == [("payout.created", Unrecognized), ("payout.paid", Unrecognized)]


def test_an_object_of_another_tenant_reaches_no_order_of_ours() -> None:
    bench = Bench()
    charge = bench.pay()
    bench.refund(charge, 100)
    bench.dispute(charge)
    for event in bench.told():
        message = read(event, Endpoint("sandbox", "main", "someone-else", ()))
        assert isinstance(message, Unrecognized)
        assert (message.tenant, message.data.order_id) == ("someone-else", None)


def changed(event: Document, path: str, value: Any) -> bytes:
    """The event with another value somewhere."""
    document = orjson.loads(orjson.dumps(event))
    *steps, last = path.split(".")
    target = document
    for step in steps:
        target = target[step]
    target[last] = value
    return orjson.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("id", "", "provider_event_id"),
        ("id", "evt 1\n", "provider_event_id"),
        ("id", 5, "id"),
        ("created_at", "yesterday", "created_at"),
        ("created_at", "2026-01-01T00:00:00", "created_at"),
        ("data", None, "data"),
        ("data.authorization.status", "exploded", "data.authorization.status"),
        ("data.authorization.captured_amount_minor", -1, "captured_minor"),
        ("data.authorization.captured_amount_minor", 10**16, "captured_minor"),
        ("data.authorization.captured_amount_minor", "1", "data.authorization.captured_amount_minor"),
        ("data.authorization.currency", "EURO", "currency"),
        ("data.authorization.metadata", {"order_id": "a b"}, "order_id"),
        ("data.authorization.redirect_url", "javascript:alert(1)", "redirect_url"),
    ],
)
def test_what_makes_no_sense_is_unreadable_and_says_where(path: str, value: Any, field: str) -> None:
    bench = Bench()
    bench.pay()
    [event] = bench.told()
    found = SandboxWebhooks().read(changed(event, path, value), ENDPOINT, WEBHOOK_ID)
    assert isinstance(found, Unreadable)
    assert found.detail.startswith(f"{field}: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["id", "type", "data", "created_at"]), inner)
    ),
).map(lambda value: json.dumps(value).encode())


@given(st.binary() | JSON)
def test_no_body_makes_the_reader_raise(body: bytes) -> None:
    found = SandboxWebhooks().read(body, ENDPOINT, WEBHOOK_ID)
    assert isinstance(found, Unreadable)


def test_what_the_provider_signs_is_genuine_and_nothing_else() -> None:
    now = datetime.now(UTC)
    body = b'{"id":"evt_1"}'
    headers = signed("evt_1", body, SECRET, now)
    verify = SandboxWebhooks().verify
    assert isinstance(verify(body, headers, ENDPOINT.secrets, now), Genuine)
    rotated = (SecretStr(new_secret()), *ENDPOINT.secrets)
    assert isinstance(verify(body, headers, rotated, now), Genuine)
    for forged in (
        verify(body + b" ", headers, ENDPOINT.secrets, now),
        verify(body, headers, rotated[:1], now),
        verify(body, headers | {"webhook-id": "evt_2"}, ENDPOINT.secrets, now),
        verify(body, headers, ENDPOINT.secrets, now + timedelta(hours=1)),
        verify(body, headers, ENDPOINT.secrets, now - timedelta(hours=1)),
        verify(body, {}, ENDPOINT.secrets, now),
    ):
        assert isinstance(forged, Forged)
