"""What Stripe's events say to us: the shapes are Stripe's own, as published for its SDKs and kept by its users."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from producers.providers.stripe.webhooks import StripeWebhooks
from producers.providers.webhooks import Endpoint, Unreadable
from schemas.reasons import Reason
from schemas.webhook import DisputeReported, PaymentReported, RefundReported, Unrecognized

if TYPE_CHECKING:
    from schemas.webhook import WebhookMessage

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "webhooks"
ENDPOINT = Endpoint("stripe", "main", "acme", (SecretStr("whsec_test"),))
SCHEME = StripeWebhooks()
CALL, STEP, BROWSER = (UUID(int=number) for number in (1, 2, 3))
OURS = {"tenant": "acme", "order_id": "order-1", "call_id": str(CALL)}


def read(kind: str, told: dict[str, Any], key: str | None = None) -> WebhookMessage:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "created": 1_700_000_000,
        "data": {"object": told},
        "request": {"id": None, "idempotency_key": key},
    }
    messages = SCHEME.read(json.dumps(event).encode(), ENDPOINT, UUID(int=9))
    assert not isinstance(messages, Unreadable), messages
    [message] = messages
    assert (message.id, message.source, message.tenant) == (
        "evt_1",
        "webhook/stripe/main",
        "acme",
    ) or message.source
    assert message.data.provider_type == kind
    return message


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    path = DATA / "stripe" / "fixtures3.json"
    if not path.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository: Stripe's published fixtures")
    documents: dict[str, Any] = json.loads(path.read_text())["resources"]
    return documents


@pytest.fixture
def intent(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        **resources["payment_intent"],
        "currency": "eur",
        "amount": 1_234,
        "last_payment_error": None,
        "next_action": None,
        "metadata": OURS,
    }


INTENTS = [
    # (type, what differs in the intent, our status, authorized, captured)
    ("payment_intent.requires_action", {"status": "requires_action"}, "requires_action", None, 0),
    ("payment_intent.processing", {"status": "processing"}, "pending", None, 0),
    (
        "payment_intent.amount_capturable_updated",
        {"status": "requires_capture", "amount_capturable": 1_234},
        "authorized",
        1_234,
        0,
    ),
    (
        "payment_intent.amount_capturable_updated",
        {"status": "requires_capture", "amount_capturable": 1_000, "amount_received": 234},
        "captured",
        1_234,
        234,
    ),
    (
        "payment_intent.succeeded",
        {"status": "succeeded", "amount_received": 1_200},
        "captured",
        1_234,
        1_200,
    ),
    ("payment_intent.canceled", {"status": "canceled"}, "canceled", None, 0),
    ("payment_intent.payment_failed", {"status": "requires_payment_method"}, "failed", None, 0),
]


@pytest.mark.parametrize(("kind", "changes", "status", "authorized", "captured"), INTENTS)
def test_an_intent_says_where_the_payment_stands(
    intent: dict[str, Any],
    kind: str,
    changes: dict[str, Any],
    status: str,
    authorized: int | None,
    captured: int,
) -> None:
    message = read(kind, intent | changes)
    assert isinstance(message, PaymentReported)
    data = message.data
    assert (data.status, data.authorized_minor, data.captured_minor) == (status, authorized, captured)
    assert (data.order_id, data.provider_reference, data.currency) == ("order-1", intent["id"], "EUR")
    assert data.occurred_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_failure_has_our_reason_and_stripes_code(intent: dict[str, Any]) -> None:
    problem = {"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}
    failed = intent | {"status": "requires_payment_method", "last_payment_error": problem}
    message = read("payment_intent.payment_failed", failed)
    assert isinstance(message, PaymentReported)
    assert (message.data.reason, message.data.provider_code) == (Reason.LOST_CARD, "lost_card")


def test_a_challenge_says_where_the_customer_goes(intent: dict[str, Any]) -> None:
    action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/x"}}
    message = read(
        "payment_intent.requires_action", intent | {"status": "requires_action", "next_action": action}
    )
    assert isinstance(message, PaymentReported)
    assert message.data.redirect_url == "https://hooks.stripe.com/x"


CALLS = [
    # (idempotency key of the request, metadata beside ours, status) -> the call that it answers
    (f"{CALL}:confirm", {}, "requires_capture", CALL),
    (str(STEP), {f"call_{STEP.hex}": "1234"}, "succeeded", STEP),
    (str(STEP), {}, "canceled", STEP),
    (str(BROWSER), {}, "succeeded", CALL),  # the customer's browser confirmed after a challenge
    (None, {}, "succeeded", CALL),
    (None, {f"call_{STEP.hex}": "1234"}, "succeeded", None),
    (None, {}, "canceled", None),
    ("not a uuid", {}, "requires_action", CALL),
]


@pytest.mark.parametrize(("key", "marks", "status", "answered"), CALLS)
def test_the_call_behind_an_event_is_named_only_when_it_is_ours(
    intent: dict[str, Any], key: str | None, marks: dict[str, str], status: str, answered: UUID | None
) -> None:
    message = read("payment_intent.succeeded", intent | {"status": status, "metadata": OURS | marks}, key)
    assert isinstance(message, PaymentReported)
    assert message.data.call_id == answered


CHARGES = [
    ("charge.succeeded", {"captured": False}, "authorized", 100, 0, None),
    ("charge.succeeded", {"captured": True, "amount_captured": 100}, "captured", 100, 100, None),
    ("charge.captured", {"captured": True, "amount_captured": 60}, "captured", 100, 60, None),
    ("charge.pending", {"status": "pending"}, "pending", None, 0, None),
    (
        "charge.failed",
        {"status": "failed", "failure_code": "card_declined", "outcome": {"reason": "insufficient_funds"}},
        "failed",
        None,
        0,
        Reason.INSUFFICIENT_FUNDS,
    ),
    ("charge.expired", {"captured": False}, "canceled", None, 0, Reason.AUTHORIZATION_EXPIRED),
]


@pytest.mark.parametrize(("kind", "changes", "status", "authorized", "captured", "reason"), CHARGES)
def test_a_charge_speaks_of_its_intent(
    resources: dict[str, Any],
    kind: str,
    changes: dict[str, Any],
    status: str,
    authorized: int | None,
    captured: int,
    reason: Reason | None,
) -> None:
    message = read(kind, resources["charge"] | {"payment_intent": "pi_1"} | changes)
    assert isinstance(message, PaymentReported)
    data = message.data
    assert (data.provider_reference, data.order_id, data.currency) == ("pi_1", None, "USD")
    assert (data.status, data.authorized_minor, data.captured_minor) == (status, authorized, captured)
    assert data.reason == reason


REFUNDS = [
    ("succeeded", None, "succeeded", None),
    ("pending", None, "pending", None),
    ("requires_action", None, "pending", None),
    ("canceled", None, "canceled", Reason.REFUND_RETURNED),
    ("failed", "expired_or_canceled_card", "failed", Reason.REFUND_RETURNED),
    ("failed", "insufficient_funds", "failed", Reason.REFUND_DECLINED),
]


@pytest.mark.parametrize(
    "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
)
@pytest.mark.parametrize(("theirs", "failure", "ours", "reason"), REFUNDS)
def test_a_refund_names_ours(
    resources: dict[str, Any], kind: str, theirs: str, failure: str | None, ours: str, reason: Reason | None
) -> None:
    refund = resources["refund"] | {
        "status": theirs,
        "failure_reason": failure,
        "payment_intent": "pi_1",
        "metadata": OURS | {"refund_id": str(STEP)},
    }
    message = read(kind, refund)
    assert isinstance(message, RefundReported)
    data = message.data
    assert (data.refund_reference, data.refund_id, data.provider_reference) == (refund["id"], STEP, "pi_1")
    assert (data.status, data.amount_minor, data.reason) == (ours, 100, reason)


DISPUTES = [
    ("warning_needs_response", "inquiry", "needs_response"),
    ("warning_under_review", "inquiry", "under_review"),
    ("warning_closed", "inquiry", "won"),
    ("needs_response", "chargeback", "needs_response"),
    ("under_review", "chargeback", "under_review"),
    ("appeal_needs_response", "second_chargeback", "needs_response"),
    ("won", "chargeback", "won"),
    ("lost", "chargeback", "lost"),
    ("prevented", "chargeback", "accepted"),
]


@pytest.mark.parametrize(("theirs", "stage", "status"), DISPUTES)
def test_a_dispute_says_its_stage_and_that_nothing_was_taken_yet(
    resources: dict[str, Any], theirs: str, stage: str, status: str
) -> None:
    dispute = resources["dispute"] | {"payment_intent": "pi_1", "status": theirs}
    message = read("charge.dispute.updated", dispute)
    assert isinstance(message, DisputeReported)
    data = message.data
    assert (data.stage, data.status, data.dispute_reference) == (stage, status, dispute["id"])
    assert (data.amount_minor, data.funds_minor, data.fee_minor) == (1_000, 0, 0)
    assert data.network_reason == "10.4"
    assert data.evidence_due_at == datetime.fromtimestamp(1_723_679_999, UTC)


MOVEMENTS = [
    # (what the account's balance saw) -> what Stripe holds of ours, and its fee, of a dispute over 10.00 USD
    ([(-1_000, 1_500, "usd")], 1_000, 1_500),
    ([(-1_000, 1_500, "usd"), (1_000, -1_500, "usd")], 0, 0),
    ([(-1_000, 1_500, "usd"), (50, 1, "usd")], 950, 1_501),
    ([(-930, 1_400, "eur")], 1_000, 0),
    ([(-930, 1_400, "eur"), (925, 0, "eur")], 1_000, 0),
    ([(-930, 1_400, "eur"), (930, 0, "eur")], 0, 0),
]


@pytest.mark.parametrize(("movements", "funds", "fee"), MOVEMENTS)
def test_a_dispute_says_what_stripe_holds(
    resources: dict[str, Any], movements: list[tuple[int, int, str]], funds: int, fee: int
) -> None:
    moved = [{"amount": amount, "fee": charged, "currency": code} for amount, charged, code in movements]
    dispute = resources["dispute"] | {
        "payment_intent": "pi_1",
        "status": "lost",
        "balance_transactions": moved,
    }
    message = read("charge.dispute.funds_withdrawn", dispute)
    assert isinstance(message, DisputeReported)
    assert (message.data.funds_minor, message.data.fee_minor) == (funds, fee)


SAYS_NOTHING = [
    ("payment_intent.created", {"status": "requires_payment_method"}),
    ("payment_intent.partially_funded", {"status": "requires_action"}),
    ("payment_intent.succeeded", {"status": "requires_confirmation"}),
    ("payment_intent.succeeded", {"status": "succeeded", "metadata": OURS | {"tenant": "other"}}),
]


@pytest.mark.parametrize(("kind", "changes"), SAYS_NOTHING)
def test_what_says_nothing_or_is_another_tenants_is_unrecognized(
    intent: dict[str, Any], kind: str, changes: dict[str, Any]
) -> None:
    assert isinstance(read(kind, intent | changes), Unrecognized)


@pytest.mark.parametrize("kind", ["charge.succeeded", "charge.dispute.created"])
def test_what_no_payment_intent_made_is_unrecognized(resources: dict[str, Any], kind: str) -> None:
    assert isinstance(read(kind, resources[kind.split(".")[-2]]), Unrecognized)


def test_an_event_of_the_second_api_is_unrecognized() -> None:
    body = b'{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.x","created":"2026-01-01T00:00:00Z"}'
    [message] = SCHEME.read(body, ENDPOINT, UUID(int=9))  # type: ignore[misc]
    assert isinstance(message, Unrecognized)
