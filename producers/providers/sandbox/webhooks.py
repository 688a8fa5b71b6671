"""What the sandbox provider tells unasked. Signed by the Standard Webhooks scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import AwareDatetime, ValidationError

from producers.providers.messages import Fact, first_fault, our_uuid
from producers.providers.sandbox.declines import reason_of
from producers.providers.sandbox.documents import Authorization, Dispute, Document, Refund
from producers.providers.webhooks import Unreadable
from producers.signatures import standard_webhooks
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from pydantic import SecretStr

    from producers.providers.sandbox.documents import Status
    from producers.providers.webhooks import Endpoint, Verdict
    from schemas.webhook import WebhookMessage

PaymentStatus: TypeAlias = Literal[
    "requires_action", "pending", "authorized", "captured", "failed", "canceled"
]

PAYMENT_STATUSES: Mapping[Status, PaymentStatus] = {
    "requires_action": "requires_action",
    "pending": "pending",
    "authorized": "authorized",
    "partially_captured": "captured",
    "captured": "captured",
    "declined": "failed",
    "returned": "failed",
    "voided": "canceled",
    "expired": "canceled",
}
HOLDS: frozenset[Status] = frozenset({"authorized", "partially_captured", "captured"})
"""Where the authorized amount is, or was, really held; elsewhere it is only what was asked for."""


class _Tagged(Document):
    """What every object of ours carries."""

    metadata: dict[str, str]


class _Payment(Authorization, _Tagged):
    currency: str


class _Refund(Refund, _Tagged):
    authorization_id: str
    currency: str


class _Dispute(Dispute, _Tagged):
    authorization_id: str
    currency: str
    funds_minor: int
    fee_minor: int
    network_reason: str
    evidence_due_at: AwareDatetime


class _Data(Document):
    """One of them is there; of a payout, none."""

    authorization: _Payment | None = None
    refund: _Refund | None = None
    dispute: _Dispute | None = None


class _Event(Document):
    id: str
    type: str
    created_at: AwareDatetime
    idempotency_key: str | None = None
    data: _Data


@dataclass(frozen=True, slots=True)
class SandboxWebhooks:
    """A `WebhookScheme`."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime
    ) -> Verdict:
        """See `WebhookScheme.verify`."""
        return standard_webhooks.verify(body, headers, secrets, now)

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """See `WebhookScheme.read`. One body tells one event."""
        try:
            told = _Event.model_validate_json(body)
            return [_message(told, Fact(endpoint, webhook_id, told.id, told.type, told.created_at))]
        except ValidationError as error:
            return Unreadable(first_fault(error))


def _message(told: _Event, fact: Fact) -> WebhookMessage:
    about = told.data.authorization or told.data.refund or told.data.dispute
    # An account may be shared; what another tenant's metadata says must not reach an order of this one.
    if about is None or about.metadata.get("tenant", fact.endpoint.tenant) != fact.endpoint.tenant:
        return fact.unrecognized()
    order_id = about.metadata.get("order_id")
    match about:
        case _Payment():
            return fact.payment(order_id=order_id, **_payment(about, told))
        case _Refund():
            return fact.refund(order_id=order_id, **_refund(about))
        case _Dispute():
            return fact.dispute(order_id=order_id, **_dispute(about))


def _payment(payment: _Payment, told: _Event) -> dict[str, Any]:
    return {
        "provider_reference": payment.id,
        "status": PAYMENT_STATUSES[payment.status],
        "currency": payment.currency,
        "authorized_minor": payment.amount_minor if payment.status in HOLDS else None,
        # What the bank took back was not captured in the end.
        "captured_minor": payment.captured_amount_minor - payment.returned_amount_minor,
        "call_id": our_uuid(told.idempotency_key),
        "reason": _why(payment),
        "provider_code": payment.decline_code or "",
        "redirect_url": payment.redirect_url,
    }


def _why(payment: _Payment) -> Reason | None:
    match payment.status:
        case "declined" | "returned":
            return reason_of(payment.decline_code)
        case "expired":
            return Reason.AUTHORIZATION_EXPIRED
        case _:
            return None


def _refund(refund: _Refund) -> dict[str, Any]:
    return {
        "provider_reference": refund.authorization_id,
        "refund_reference": refund.id,
        "refund_id": our_uuid(refund.metadata.get("refund_id")),
        "status": refund.status,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "reason": reason_of(refund.failure_code) if refund.status == "failed" else None,
        "provider_code": refund.failure_code or "",
    }


def _dispute(dispute: _Dispute) -> dict[str, Any]:
    return {
        "provider_reference": dispute.authorization_id,
        "dispute_reference": dispute.id,
        "stage": dispute.stage,
        "status": dispute.status,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        "funds_minor": dispute.funds_minor,
        "fee_minor": dispute.fee_minor,
        "network_reason": dispute.network_reason,
        "evidence_due_at": dispute.evidence_due_at,
    }
