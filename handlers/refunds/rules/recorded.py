"""Refunds that people hand out, of payments that no provider took: they go out, or they do not, and we are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Rejection
from handlers.refunds.rules.progress import Progress, refusal, unknown_payment, unknown_refund
from handlers.refunds.rules.steps import fail, succeed, succeed_late
from handlers.refunds.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund, RefundCount
    from schemas.refund import RefundRecorded


def record_refund(
    payment: Payment | None,
    refund: Refund | None,
    refund_count: RefundCount | None,
    message: RefundRecorded,
    now: datetime,
) -> Outcome:
    """The money was handed out, or it was not. What a provider was asked for is the provider's to tell."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    if refund is None:
        return unknown_refund(data.refund_id)
    if refund.provider is not None:
        detail = f"refund {refund.refund_id} was asked of {refund.provider}, which tells how it ended"
        return Rejection(Reason.STATE_FORBIDS, detail)
    forbidden = refusal(refund, Trigger.SUCCEED if data.handed_out else Trigger.DECLINE)
    if forbidden is not None:
        return forbidden
    progress = Progress(payment, refund, refund_count, now, message.time)
    if data.handed_out:
        arrived = succeed_late if refund.state == State.FAILED else succeed
        return arrived(progress.audit(data.actor, "handed_out", data.note)).decision()
    return fail(progress.audit(data.actor, "not_handed_out", data.note), Reason.NOT_COLLECTED).decision()
