"""What a provider's answer means for the refund. Every answer names its call; an answer to another call is stale.

A webhook may have been faster. Then the answer only closes the call: the report is the newer word.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Decision, Rejection
from handlers.payments.model import derived_id
from handlers.payments.routes import ANSWERS as PAYMENT_ANSWERS
from handlers.payments.rules.strays import is_reversal
from handlers.refunds.rules.progress import Progress, unknown_payment, unknown_refund
from handlers.refunds.rules.steps import fail, pend, succeed
from handlers.refunds.states import IN_FLIGHT, State
from schemas.provider import CallDeclined, CallFailed, CallPending, CallSucceeded, CallUnknown
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund, RefundCount

Answer = CallDeclined | CallFailed | CallPending | CallSucceeded | CallUnknown

UNKNOWN_FOR: Final = timedelta(hours=24)
"""How long an outcome may be unknown until a person is told; the gateway goes on asking."""

CLOSED: Final[dict[str, Any]] = {"call_id": None, "certain": True}
"""The changes that close the call under way."""


def call_answered(
    payment: Payment | None,
    refund: Refund | None,
    refund_count: RefundCount | None,
    message: Answer,
    now: datetime,
) -> Outcome:
    """The provider's answer to `refund` or `confirm_refund`."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    if refund is None:
        return _reversed(payment, message, now)
    if refund.call_id != data.call_id:
        return Rejection(Reason.CALL_STALE, f"refund {refund.refund_id} waits for call {refund.call_id}")
    return _answered(Progress(payment, refund, refund_count, now, message.time), message)


def deadline_id(refund: Refund) -> UUID:
    """The timer that ends the patience with an unknown outcome."""
    return derived_id(refund.object_id, "outcome_deadline", refund.calls)


def _reversed(payment: Payment, message: Answer, now: datetime) -> Outcome:
    """A payment that gives back a late success asks for a refund that is none of ours: the answer is its own."""
    if is_reversal(payment, message.data.object_id):
        outcome: Outcome = PAYMENT_ANSWERS[message.type].rule(payment, message, now)
        return outcome
    return unknown_refund(message.data.object_id)


def _answered(progress: Progress, message: Answer) -> Outcome:
    match message:
        case CallSucceeded():
            return _succeeded(progress, message)
        case CallPending():
            return _pending(progress, message)
        case CallUnknown():
            return _unknown(progress)
        case CallDeclined() | CallFailed():
            return _refused(progress, message)


def _succeeded(progress: Progress, message: CallSucceeded) -> Outcome:
    """The money is with the customer."""
    told_minor, asked_minor = message.data.amount_minor, progress.refund.amount_minor
    if told_minor != asked_minor:
        detail = f"amount_minor {told_minor}, the refund's is {asked_minor}"
        return Rejection(Reason.AMOUNT_DIFFERS, detail)
    known = {"provider_reference": message.data.provider_reference, **CLOSED}
    if progress.refund.state not in IN_FLIGHT:
        return progress.change(**known).decision()
    return succeed(progress, **known).decision()


def _pending(progress: Progress, message: CallPending) -> Outcome:
    """The provider decides later."""
    known = {"provider_reference": message.data.provider_reference, **CLOSED}
    if progress.refund.state != State.SUBMITTED:
        return progress.change(**known).decision()
    return pend(progress, **known).decision()


def _refused(progress: Progress, message: CallDeclined | CallFailed) -> Outcome:
    """No: the refund was not made. That a call had no effect says nothing where a report or an answer knows of one."""
    in_vain = isinstance(message, CallFailed) and progress.refund.state == State.PENDING
    if progress.refund.state not in IN_FLIGHT or in_vain:
        return progress.change(**CLOSED).decision()
    return fail(progress, message.data.reason, **CLOSED).decision()


def _unknown(progress: Progress) -> Outcome:
    """Nobody knows yet, and we say so; the gateway goes on asking, and after a day a person is told."""
    if progress.refund.state != State.SUBMITTED or not progress.refund.certain:
        return Decision()
    unsure = progress.change(certain=False).tell("refund.outcome_unknown.v1")
    return unsure.set_timer(
        "refund_check", unsure.moment + UNKNOWN_FOR, deadline_id(unsure.refund)
    ).decision()
