"""People decide about a refund that waits for them: approve, refuse, withdraw; or nobody does, and it lapses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.rules import steps as payments
from handlers.refunds.policy import may_approve, outranks
from handlers.refunds.rules.progress import Progress, refusal, unknown_payment, unknown_refund
from handlers.refunds.rules.requests import not_refundable
from handlers.refunds.rules.steps import release, submit
from handlers.refunds.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund, RefundCount
    from schemas.refund import RefundApproved, RefundCanceled, RefundDisapproved
    from schemas.timer import TimerDue


def approve(
    payment: Payment | None,
    refund: Refund | None,
    refund_count: RefundCount | None,
    message: RefundApproved,
    now: datetime,
) -> Outcome:
    """Somebody else agrees: it is sent, if the payment still allows it. A dispute may have come in between."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    if refund is None:
        return unknown_refund(data.refund_id)
    problem = _may_not_decide(refund, message, Trigger.APPROVE) or _may_not_be_sent(payment)
    if problem is not None:
        return problem
    progress = Progress(payment, refund, refund_count, now, message.time)
    progress = progress.step(Trigger.APPROVE, approved_by=data.actor.id)
    return submit(progress.audit(data.actor, "approved", data.note)).decision()


def disapprove(
    payment: Payment | None, refund: Refund | None, message: RefundDisapproved, now: datetime
) -> Outcome:
    """Somebody else decides against it."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    if refund is None:
        return unknown_refund(data.refund_id)
    problem = _may_not_decide(refund, message, Trigger.DISAPPROVE)
    if problem is not None:
        return problem
    progress = Progress(payment, refund, None, now, message.time)
    ended = release(progress, Trigger.DISAPPROVE, Reason.DISAPPROVED)
    ended = ended.audit(data.actor, "disapproved", data.note)
    return _tell_support(ended, f"{data.actor.id} decided against it: {data.note}").decision()


def cancel(payment: Payment | None, refund: Refund | None, message: RefundCanceled, now: datetime) -> Outcome:
    """Who asked for it, or who may approve it, withdraws it."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    if refund is None:
        return unknown_refund(data.refund_id)
    forbidden = refusal(refund, Trigger.CANCEL)
    if forbidden is not None:
        return forbidden
    needs = refund.needs_approval_of or "support"
    if data.actor.id != refund.requested_by and not outranks(data.actor.role, needs):
        detail = (
            f"actor.id {data.actor.id} did not ask for it, and actor.role {data.actor.role} is below {needs}"
        )
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    progress = Progress(payment, refund, None, now, message.time)
    ended = release(progress, Trigger.CANCEL, Reason.REQUESTED_BY_CALLER)
    return ended.audit(data.actor, "canceled", data.note).decision()


def approval_expired(
    payment: Payment | None, refund: Refund | None, message: TimerDue, now: datetime
) -> Outcome:
    """Nobody decided in time. Once somebody has, the timer means nothing."""
    if payment is None:
        return unknown_payment(message.data.order_id)
    if refund is None:
        return unknown_refund(message.data.object_id)
    if refund.state != State.PENDING_APPROVAL:
        return Decision()
    progress = Progress(payment, refund, None, now, message.data.due_at)
    ended = release(progress, Trigger.LAPSE, Reason.APPROVAL_LAPSED)
    return _tell_support(ended, f"no {refund.needs_approval_of} decided in time").decision()


def _may_not_decide(
    refund: Refund, message: RefundApproved | RefundDisapproved, trigger: Trigger
) -> Rejection | None:
    needs = refund.needs_approval_of or "finance"
    return refusal(refund, trigger) or may_approve(message.data.actor, needs, refund.requested_by)


def _may_not_be_sent(payment: Payment) -> Rejection | Waiting | None:
    """The refund's amount is reserved; what was disputed meanwhile is not there twice."""
    problem = payments.busy(payment) or not_refundable(payment)
    if problem is None and payment.room_minor < 0:
        detail = (
            f"payment {payment.payment_id} has {-payment.room_minor} less than its refunds under way ask for, "
            f"disputes over {payment.disputed_minor} taken off"
        )
        return Rejection(Reason.AMOUNT_ABOVE_REFUNDABLE, detail)
    return problem


def _tell_support(progress: Progress, detail: str) -> Progress:
    return progress.notify("support", progress.refund.requested_by, "refund.canceled", detail)
