"""`payment.events`: what became of a payment; one event per state it enters. Key: tenant + payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.value import message

if TYPE_CHECKING:
    from uuid import UUID

PAYMENT_EVENT_TYPES: Final = tuple(
    f"payment.{name}.v1"
    for name in (
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "outcome_unknown",
        "authorized",
        "authorization_expiring",
        "captured",
        "settling",
        "succeeded",
        "failed",
        "expired",
        "canceled",
        "partially_refunded",
        "refunded",
        "chargeback_open",
        "chargeback_won",
        "chargeback_lost",
    )
)


@message
class PaymentChanged:
    """The payment as it is after the change: `payment.<state>.v1`.

    Without a change, `payment.outcome_unknown.v1` while nobody knows, `payment.authorization_expiring.v1` as a warning.
    """

    payment_id: UUID
    order_id: str
    merchant_id: str
    customer_id: str | None
    state: str
    version: int
    currency: str
    amount_minor: int
    authorized_minor: int
    captured_minor: int
    capturable_minor: int
    refunding_minor: int
    refunded_minor: int
    disputed_minor: int
    refundable_minor: int
    fee_minor: int
    method: str | None
    reason: str | None
    certain: bool
    provider_reference: str | None
    redirect_url: str | None


@message
class CommandRepeated:
    """A command came again with a key that was used before: nothing was done, this is the first one's outcome."""

    order_id: str
    operation: str
    idempotency_key: str
    first_event_id: str
    outcome: str
    reason: str | None
