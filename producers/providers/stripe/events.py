"""What the objects in Stripe's events mean, as fields of schemas/webhook.py.

An event holds the object as it was then: so it is the object that is read, and the event's type only says whether to
look. Read: https://docs.stripe.com/api/events/types.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pydantic import Field

from producers.providers.messages import our_uuid
from producers.providers.stripe.answers import (
    CurrencyCode,
    Intent,
    Money,
    PaymentError,
    Refund,
    StripeDocument,
    UnixTime,
)
from producers.providers.stripe.calls import mark
from producers.providers.stripe.declines import decline_reason, refund_reason
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from schemas.webhook import DisputeStage, DisputeStatus

PaymentStatus: TypeAlias = Literal[
    "requires_action", "pending", "authorized", "captured", "failed", "canceled"
]

INTENT_EVENTS: Final = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    }
)
CHARGE_EVENTS: Final = frozenset(
    {"charge.captured", "charge.expired", "charge.failed", "charge.pending", "charge.succeeded"}
)
"""`charge.refunded` adds nothing to the refunds' own events, `charge.updated` nothing to any."""
REFUND_EVENTS: Final = frozenset(
    {"charge.refund.updated", "refund.created", "refund.failed", "refund.updated"}
)
DISPUTE_EVENTS: Final = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
    }
)

INTENT_STATUSES: Final[Mapping[str, PaymentStatus]] = {
    # a payment intent's status -> ours; one that is not confirmed says nothing
    "requires_payment_method": "failed",
    "requires_action": "requires_action",
    "processing": "pending",
    "requires_capture": "authorized",
    "succeeded": "captured",
    "canceled": "canceled",
}
HELD: Final = frozenset({"requires_capture", "succeeded"})
"""Where the amount of an intent is, or was, really authorized; elsewhere it is only what was asked for."""
CANCELED_BECAUSE: Final[Mapping[str, Reason]] = {
    "abandoned": Reason.CHALLENGE_ABANDONED,
    "automatic": Reason.AUTHORIZATION_EXPIRED,
    "expired": Reason.AUTHORIZATION_EXPIRED,
    "requested_by_customer": Reason.REQUESTED_BY_CALLER,
}
REFUND_STATUSES: Final[Mapping[str, Literal["pending", "succeeded", "failed", "canceled"]]] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}
DISPUTE_STANDS: Final[Mapping[str, tuple[DisputeStage, DisputeStatus]]] = {
    # a dispute's status -> our stage and status
    "warning_needs_response": ("inquiry", "needs_response"),
    "warning_under_review": ("inquiry", "under_review"),
    "warning_closed": ("inquiry", "won"),  # no chargeback came of it
    "needs_response": ("chargeback", "needs_response"),
    "under_review": ("chargeback", "under_review"),
    "won": ("chargeback", "won"),
    "lost": ("chargeback", "lost"),
    "prevented": ("chargeback", "accepted"),  # settled by a refund that the network made for us
    "appeal_needs_response": ("second_chargeback", "needs_response"),
    "appeal_under_review": ("second_chargeback", "under_review"),
}


class Outcome(StripeDocument):
    """Why the network or Stripe said no."""

    reason: str | None = None


class Charge(Money):
    """A charge."""

    amount: int
    amount_captured: int
    captured: bool
    status: Literal["succeeded", "pending", "failed"]
    payment_intent: str | None = None
    failure_code: str | None = None
    outcome: Outcome | None = None


class ToldRefund(Refund):
    """A refund, and what it is of."""

    payment_intent: str | None = None


class Movement(StripeDocument):
    """A balance transaction: in the account's own currency, what is withdrawn below zero."""

    amount: int
    fee: int
    currency: CurrencyCode


class EvidenceDetails(StripeDocument):
    """Until when evidence may come."""

    due_by: UnixTime | None = None


class CardDetails(StripeDocument):
    """What the network says."""

    network_reason_code: str | None = None


class MethodDetails(StripeDocument):
    """By kind of method."""

    card: CardDetails | None = None


class ToldDispute(Money):
    """A dispute."""

    amount: int
    status: str
    reason: str
    payment_intent: str | None = None
    balance_transactions: list[Movement] = Field(default_factory=list)
    evidence_details: EvidenceDetails
    payment_method_details: MethodDetails | None = None


def intent_fields(intent: Intent, key: str | None) -> dict[str, Any] | None:
    """Fields of a `PaymentReportedData`; None when the intent says nothing."""
    status = INTENT_STATUSES.get(intent.status)
    if status is None:
        return None
    if status == "authorized" and intent.amount_received:
        status = "captured"
    problem = intent.last_payment_error or PaymentError()
    reason, code = decline_reason(problem.decline_code, problem.code) if status == "failed" else (None, "")
    if status == "canceled":
        reason, code = (
            CANCELED_BECAUSE.get(intent.cancellation_reason or ""),
            intent.cancellation_reason or "",
        )
    redirect = intent.next_action.redirect_to_url if intent.next_action else None
    return {
        "provider_reference": intent.id,
        "order_id": intent.metadata.get("order_id"),
        "status": status,
        "currency": intent.currency,
        "authorized_minor": intent.ours(intent.amount) if intent.status in HELD else None,
        "captured_minor": intent.ours(intent.amount_received),
        "call_id": _call(intent, status, key),
        "reason": reason,
        "provider_code": code,
        "redirect_url": redirect.url if redirect and status == "requires_action" else None,
    }


def charge_fields(charge: Charge, kind: str) -> dict[str, Any] | None:
    """Fields of a `PaymentReportedData`; None for a charge that no payment intent made."""
    if charge.payment_intent is None:
        return None
    status: PaymentStatus = "captured" if charge.captured else "authorized"
    reason: Reason | None = None
    code = ""
    if kind == "charge.expired":
        status, reason = "canceled", Reason.AUTHORIZATION_EXPIRED
    elif charge.status == "pending":
        status = "pending"
    elif charge.status == "failed":
        status = "failed"
        reason, code = decline_reason(charge.outcome.reason if charge.outcome else None, charge.failure_code)
    return {
        "provider_reference": charge.payment_intent,
        "order_id": charge.metadata.get("order_id"),
        "status": status,
        "currency": charge.currency,
        "authorized_minor": charge.ours(charge.amount) if status in {"authorized", "captured"} else None,
        "captured_minor": charge.ours(charge.amount_captured) if status != "failed" else 0,
        "reason": reason,
        "provider_code": code,
    }


def refund_fields(refund: ToldRefund) -> dict[str, Any]:
    """Fields of a `RefundReportedData`."""
    ended_badly = refund.status in {"failed", "canceled"}
    return {
        "provider_reference": refund.payment_intent,
        "order_id": refund.metadata.get("order_id"),
        "refund_reference": refund.id,
        "refund_id": our_uuid(refund.metadata.get("refund_id")),
        "status": REFUND_STATUSES[refund.status],
        "amount_minor": refund.ours(refund.amount),
        "currency": refund.currency,
        "reason": refund_reason(refund.failure_reason) if ended_badly else None,
        "provider_code": refund.failure_reason or "",
    }


def dispute_fields(dispute: ToldDispute) -> dict[str, Any] | None:
    """Fields of a `DisputeReportedData`; None for a payment or a status that we do not know.

    What Stripe took is told in the account's currency. Where that is another than the dispute's, what it holds is
    the disputed amount or nothing, and its fee cannot be told here: the settlement report has it.
    """
    stands = DISPUTE_STANDS.get(dispute.status)
    if stands is None or dispute.payment_intent is None:
        return None
    moved = dispute.balance_transactions
    same_currency = all(movement.currency == dispute.currency for movement in moved)
    withdrawn = max(0, -sum(movement.amount for movement in moved))
    fee = max(0, sum(movement.fee for movement in moved)) if same_currency else 0
    due_by = dispute.evidence_details.due_by
    card = dispute.payment_method_details and dispute.payment_method_details.card
    return {
        "provider_reference": dispute.payment_intent,
        "order_id": dispute.metadata.get("order_id"),
        "dispute_reference": dispute.id,
        "stage": stands[0],
        "status": stands[1],
        "amount_minor": dispute.ours(dispute.amount),
        "currency": dispute.currency,
        "funds_minor": dispute.ours(withdrawn if same_currency else dispute.amount * (withdrawn > 0)),
        "fee_minor": dispute.ours(fee),
        "network_reason": (card and card.network_reason_code) or dispute.reason,
        "evidence_due_at": datetime.fromtimestamp(due_by, UTC) if due_by else None,
    }


def _call(intent: Intent, status: PaymentStatus, key: str | None) -> UUID | None:
    """The call that brought the intent here.

    The event names the idempotency key of the request behind it. That is ours when the intent's metadata knows it, or
    when it canceled, which leaves no mark; a customer's browser sends keys of its own. Without it, what happens to an
    intent of which nothing was captured answers its authorization.
    """
    named = our_uuid((key or "").partition(":")[0])
    authorization = our_uuid(intent.metadata.get("call_id"))
    if named and (named == authorization or mark(named) in intent.metadata or status == "canceled"):
        return named
    return authorization if status != "canceled" and not _captured_later(intent) else None


def _captured_later(intent: Intent) -> bool:
    return any(name.startswith("call_") and name != "call_id" for name in intent.metadata)
