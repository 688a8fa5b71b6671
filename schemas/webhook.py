"""`webhook.events`: what providers tell us unasked, verified and in our own terms. Key: tenant + order or reference.

The ingress keeps the request verbatim first (law 8), then publishes what it says; `webhook_id` leads back to the raw
body. The event's id is the provider's own, and its source the endpoint it came to, so that a redelivery is recognized.
One request may say several things: then the place in it is appended to the id.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import Data, Identifier, Message, ShortText, Timestamp
from schemas.money import AmountMinor, CurrencyCode
from schemas.reasons import Reason


class WebhookData(Data):
    """Base of what a webhook says. `provider_reference` is the authorization it is about, where it names one.

    `order_id` comes from the metadata that we gave the provider; without it, the payment is found by the reference.
    """

    webhook_id: UUID
    provider: Identifier
    account: Identifier
    provider_event_id: Identifier
    provider_type: ShortText
    occurred_at: Timestamp
    order_id: Identifier | None = None
    provider_reference: Identifier | None = None

    def ordering_key(self) -> str:
        """The order, else the provider's reference."""
        return self.order_id or self.provider_reference or self.provider_event_id


class PaymentReportedData(WebhookData):
    """How the provider sees an authorization. Amounts are totals, never differences; None where it does not say.

    `call_id` is our idempotency key, when the provider tells which call it answers.
    """

    provider_reference: Identifier
    status: Literal["requires_action", "pending", "authorized", "captured", "failed", "canceled"]
    currency: CurrencyCode | None = None
    authorized_minor: AmountMinor | None = None
    captured_minor: AmountMinor | None = None
    call_id: UUID | None = None
    reason: Reason | None = None
    provider_code: ShortText = ""
    redirect_url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[\x21-\x7e]+$")] | None = None


class RefundReportedData(WebhookData):
    """How the provider sees a refund. `refund_id` is ours, from its metadata; None for one that we did not ask for."""

    refund_reference: Identifier
    refund_id: UUID | None = None
    status: Literal["pending", "succeeded", "failed", "canceled"]
    amount_minor: AmountMinor
    currency: CurrencyCode
    reason: Reason | None = None
    provider_code: ShortText = ""


DisputeStage = Literal["inquiry", "chargeback", "second_chargeback"]
DisputeStatus = Literal["needs_response", "under_review", "won", "lost", "accepted", "expired"]


class DisputeReportedData(WebhookData):
    """How the provider sees a dispute. `funds_minor` is what it holds of ours for it just now."""

    provider_reference: Identifier
    dispute_reference: Identifier
    stage: DisputeStage
    status: DisputeStatus
    amount_minor: AmountMinor
    currency: CurrencyCode
    funds_minor: AmountMinor
    fee_minor: AmountMinor = 0
    network_reason: ShortText = ""
    evidence_due_at: Timestamp | None = None


class UnrecognizedData(WebhookData):
    """A webhook that was verified and means nothing to us, yet; kept and counted."""


class PaymentReported(Message):
    """webhook.payment_reported.v1."""

    type: Literal["webhook.payment_reported.v1"]
    data: PaymentReportedData


class RefundReported(Message):
    """webhook.refund_reported.v1."""

    type: Literal["webhook.refund_reported.v1"]
    data: RefundReportedData


class DisputeReported(Message):
    """webhook.dispute_reported.v1."""

    type: Literal["webhook.dispute_reported.v1"]
    data: DisputeReportedData


class Unrecognized(Message):
    """webhook.unrecognized.v1."""

    type: Literal["webhook.unrecognized.v1"]
    data: UnrecognizedData


WebhookMessage = Annotated[
    PaymentReported | RefundReported | DisputeReported | Unrecognized, Field(discriminator="type")
]
