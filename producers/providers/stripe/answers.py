"""What Stripe's objects mean for us.

Read: https://docs.stripe.com/payments/paymentintents/lifecycle, https://docs.stripe.com/api/refunds/object and
https://docs.stripe.com/api/disputes/object. An object that cannot be read says nothing about money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    NotFound,
    Pending,
    Refused,
    Succeeded,
)
from producers.providers.stripe.calls import EVIDENCE_MARK, mark
from producers.providers.stripe.currencies import UNITS
from producers.providers.stripe.declines import decline_reason, refund_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from producers.providers.base import Operation, ProviderAnswer, ProviderRequest

Status: TypeAlias = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
DISPUTE_WAITS: Final = frozenset({"needs_response", "warning_needs_response", "appeal_needs_response"})
DISPUTE_REVIEWED: Final = frozenset({"under_review", "warning_under_review", "appeal_under_review"})


def _upper(code: object) -> object:
    return code.upper() if isinstance(code, str) else code


UnixTime = Annotated[int, Field(ge=0, lt=253_402_300_800)]
"""Seconds, before the year 10000."""
CurrencyCode = Annotated[str, BeforeValidator(_upper), Field(pattern="^[A-Z]{3}$")]


class StripeDocument(BaseModel):
    """What we read of an object; Stripe may add fields."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Money(StripeDocument):
    """An object that has an amount."""

    id: str
    currency: CurrencyCode
    metadata: dict[str, str] = Field(default_factory=dict)

    def ours(self, amount: int) -> int:
        """An amount of this object in our minor units. Raises ValueError when it is none."""
        return UNITS.ours(amount, self.currency)


class PaymentError(StripeDocument):
    """Why the last attempt failed."""

    code: str | None = None
    decline_code: str | None = None


class Redirect(StripeDocument):
    """Where the customer goes."""

    url: str


class NextAction(StripeDocument):
    """What the customer is to do."""

    redirect_to_url: Redirect | None = None


class Intent(Money):
    """A payment intent."""

    status: Status
    amount: int
    amount_received: int
    amount_capturable: int = 0
    last_payment_error: PaymentError | None = None
    next_action: NextAction | None = None
    cancellation_reason: str | None = None


class Refund(Money):
    """A refund."""

    amount: int
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
    failure_reason: str | None = None


class Dispute(Money):
    """A dispute."""

    amount: int
    status: str


class Found(StripeDocument):
    """A page of intents that a search found."""

    data: list[Intent]
    has_more: bool


class Refunds(StripeDocument):
    """A page of a payment's refunds, the newest first."""

    data: list[Refund]
    has_more: bool


def stands(_call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """Where an authorization stands, for whoever asked for it or about it."""
    return STANDS[intent.status](intent, raw)


def _held(intent: Intent, raw: bytes) -> ProviderAnswer:
    """Of what is captured in parts, the captured part counts, as everywhere."""
    if intent.amount_received:
        return _taken(intent, raw)
    return Succeeded(intent.id, intent.ours(intent.amount), captured=False, raw=raw)


def _taken(intent: Intent, raw: bytes) -> ProviderAnswer:
    return Succeeded(intent.id, intent.ours(intent.amount_received), captured=True, raw=raw)


def _challenged(intent: Intent, raw: bytes) -> ProviderAnswer:
    if intent.next_action is None or intent.next_action.redirect_to_url is None:
        return Ambiguous("the customer must act, but nobody says where")
    return ChallengeRequired(intent.id, intent.next_action.redirect_to_url.url, raw)


def _gone(_intent: Intent, raw: bytes) -> ProviderAnswer:
    return Refused("the authorization was voided", raw)


def _unconfirmed(_intent: Intent, _raw: bytes) -> ProviderAnswer:
    return Ambiguous("the authorization is not confirmed")


def declined(intent: Intent, raw: bytes) -> Declined:
    """Why Stripe wants another method."""
    problem = intent.last_payment_error or PaymentError()
    reason, code = decline_reason(problem.decline_code, problem.code)
    return Declined(reason, code, raw)


STANDS: Final[Mapping[Status, Callable[[Intent, bytes], ProviderAnswer]]] = {
    # a payment intent's status -> what that means
    "requires_payment_method": declined,
    "requires_confirmation": _unconfirmed,
    "requires_action": _challenged,
    "processing": lambda intent, raw: Pending(intent.id, raw),
    "requires_capture": _held,
    "canceled": _gone,
    "succeeded": _taken,
}


def captured(call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """After a capture: Stripe takes exactly what was asked, or nothing."""
    if intent.status == "processing":
        return Pending(intent.id, raw)
    if (
        intent.status in {"succeeded", "requires_capture"}
        and intent.ours(intent.amount_received) >= call.amount_minor
    ):
        return Succeeded(intent.id, call.amount_minor, captured=True, raw=raw)
    return _senseless(call.operation, intent)


def increased(call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """After an increase."""
    if intent.status == "requires_capture" and intent.ours(intent.amount) == call.amount_minor:
        return Succeeded(intent.id, call.amount_minor, captured=False, raw=raw)
    return _senseless(call.operation, intent)


def voided(call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """After a void: what was captured before stays captured."""
    if intent.status != "canceled":
        return _senseless(call.operation, intent)
    return Succeeded(intent.id, intent.ours(intent.amount - intent.amount_received), captured=False, raw=raw)


def refunded(_call: ProviderRequest, refund: Refund, raw: bytes) -> ProviderAnswer:
    """Where a refund stands."""
    match refund.status:
        case "succeeded":
            return Succeeded(refund.id, refund.ours(refund.amount), captured=False, raw=raw)
        case "pending" | "requires_action":
            return Pending(refund.id, raw)
        case "failed" | "canceled":
            return Declined(refund_reason(refund.failure_reason), refund.failure_reason or refund.status, raw)


def answered(_call: ProviderRequest, dispute: Dispute, raw: bytes) -> ProviderAnswer:
    """After evidence: Stripe has taken it, whatever the issuer decides."""
    return Succeeded(dispute.id, dispute.ours(dispute.amount), captured=False, raw=raw)


def accepted(call: ProviderRequest, dispute: Dispute, raw: bytes) -> ProviderAnswer:
    """After a dispute was given up."""
    if dispute.status not in {"lost", "warning_closed"}:
        return Ambiguous(f"{call.operation} was answered with a dispute that is {dispute.status}")
    return Succeeded(dispute.id, dispute.ours(dispute.amount), captured=False, raw=raw)


def became_of_step(call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """What became of a capture or an increase, by the mark that Stripe wrote together with it."""
    noted = intent.metadata.get(mark(call.call_id))
    if noted is not None:
        return Succeeded(intent.id, int(noted), captured=call.operation == "capture", raw=raw)
    if intent.status == "requires_payment_method":
        return declined(intent, raw)
    return _can_still_come(intent, raw)


def became_of_void(_call: ProviderRequest, intent: Intent, raw: bytes) -> ProviderAnswer:
    """What became of a void: whoever made it, it is one."""
    if intent.status == "canceled":
        return voided(_call, intent, raw)
    return _can_still_come(intent, raw)


def became_of_evidence(call: ProviderRequest, dispute: Dispute, raw: bytes) -> ProviderAnswer:
    """What became of evidence, by the mark that was written together with it."""
    if dispute.metadata.get(EVIDENCE_MARK) == str(call.call_id):
        return answered(call, dispute, raw)
    if dispute.status in DISPUTE_WAITS:
        return NotFound()
    return Refused(f"the dispute is {dispute.status}, and this evidence is not part of it", raw)


def became_of_acceptance(call: ProviderRequest, dispute: Dispute, raw: bytes) -> ProviderAnswer:
    """What became of giving up: a lost dispute is lost, whoever gave it up."""
    if dispute.status in DISPUTE_WAITS | DISPUTE_REVIEWED:
        return NotFound()
    if dispute.status in {"lost", "warning_closed"}:
        return accepted(call, dispute, raw)
    return Refused(f"the dispute is {dispute.status}", raw)


ABOUT_INTENT: Final[Mapping[Operation, Callable[[ProviderRequest, Intent, bytes], ProviderAnswer]]] = {
    # what `query` makes of the authorization as it is now
    "capture": became_of_step,
    "increase": became_of_step,
    "void": became_of_void,
}
ABOUT_DISPUTE: Final[Mapping[Operation, Callable[[ProviderRequest, Dispute, bytes], ProviderAnswer]]] = {
    "submit_evidence": became_of_evidence,
    "accept_dispute": became_of_acceptance,
}


def _can_still_come(intent: Intent, raw: bytes) -> ProviderAnswer:
    """A step that left no mark has not taken effect; on an authorization that is over it never will."""
    if intent.status in {"succeeded", "canceled"}:
        return Refused(f"the authorization is {intent.status}", raw)
    return NotFound()


def _senseless(operation: Operation, intent: Intent) -> Ambiguous:
    return Ambiguous(f"{operation} was answered with an authorization that is {intent.status}")
