"""What a provider's webhook says about a refund, late, twice or out of order. It only moves forward.

A report that repeats what is known changes nothing; one that contradicts a newer report is outdated. A refund that we
never asked for was made in the provider's console: it is recorded and booked, as far as the payment has room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.rules import steps as payments
from handlers.payments.rules.strays import is_reversal, reversal_reported
from handlers.refunds.model import Refund, found_refund_id_of
from handlers.refunds.rules.progress import Progress, refusal, room_of, unknown_payment, unknown_refund
from handlers.refunds.rules.steps import come_back, fail, pend, succeed, succeed_late, to_clearing
from handlers.refunds.states import IN_FLIGHT, State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import RefundCount
    from schemas.webhook import RefundReported, RefundReportedData

MADE_AT_PROVIDER: Final = "made_at_provider"
"""The cause of a refund that nobody asked us for; it keeps the platform's fee, because no policy was asked."""


def report_refund(
    payment: Payment | None,
    refund: Refund | None,
    refund_count: RefundCount | None,
    message: RefundReported,
    now: datetime,
) -> Outcome:
    """Believe the provider about its refund, unless it said something newer before."""
    data = message.data
    if payment is None:
        return _no_payment(data)
    if refund is None and is_reversal(payment, data.refund_id):
        return reversal_reported(payment, message, now)
    differs = _foreign(payment, refund, data) or _differs(payment, refund, data)
    if differs is not None:
        return differs
    if refund is not None:
        return _known(Progress(payment, refund, refund_count, now, data.occurred_at), data)
    if data.refund_id is not None:
        return unknown_refund(data.refund_id)
    return payments.busy(payment) or _found(payment, message, now)


def _known(progress: Progress, data: RefundReportedData) -> Outcome:
    """One that we asked for, or heard of before."""
    if data.status == "pending":
        return _pending(progress, data)
    if data.status == "succeeded":
        return _succeeded(progress, data)
    return _failed(progress, data)


def _pending(progress: Progress, data: RefundReportedData) -> Outcome:
    """Tells something only about one that was just submitted; whatever has ended does not begin again."""
    if progress.refund.state == State.SUBMITTED:
        return pend(progress, **_believed(progress, data)).decision()
    if progress.refund.state == State.PENDING:
        return Decision()
    return _outdated(progress.refund)


def _succeeded(progress: Progress, data: RefundReportedData) -> Outcome:
    refund = progress.refund
    if refund.state in IN_FLIGHT:
        return succeed(progress, **_believed(progress, data)).decision()
    if refund.state == State.SUCCEEDED:
        return _confirmed(progress, data)
    forbidden = refusal(refund, Trigger.SUCCEED)
    if forbidden is not None:
        return forbidden
    if refund.reported_at is not None and data.occurred_at <= refund.reported_at:
        return _outdated(refund)
    return succeed_late(progress, **_believed(progress, data)).decision()


def _failed(progress: Progress, data: RefundReportedData) -> Outcome:
    refund = progress.refund
    if refund.state in IN_FLIGHT:
        reason = data.reason or Reason.REFUND_DECLINED
        return fail(progress, reason, **_believed(progress, data)).decision()
    if refund.state == State.FAILED:
        return _confirmed(progress, data)
    forbidden = refusal(refund, Trigger.RETURN)
    if forbidden is not None:
        return forbidden
    # At the same second the return is the later one: a refund does not begin to succeed after it failed.
    if refund.reported_at is not None and data.occurred_at < refund.reported_at:
        return _outdated(refund)
    reason = data.reason or Reason.REFUND_RETURNED
    return come_back(progress, reason, **_believed(progress, data)).decision()


def _believed(progress: Progress, data: RefundReportedData) -> dict[str, Any]:
    """What is known with a report. The call that it overtook stays open until its answer closes it."""
    newest = max(progress.refund.reported_at or data.occurred_at, data.occurred_at)
    return {"provider_reference": data.refund_reference, "reported_at": newest, "certain": True}


def _confirmed(progress: Progress, data: RefundReportedData) -> Decision:
    """Nothing new, but we know now that it was still so then."""
    believed = _believed(progress, data)
    if all(getattr(progress.refund, name) == known for name, known in believed.items()):
        return Decision()
    return progress.change(**believed).decision()


def _outdated(refund: Refund) -> Rejection:
    return Rejection(
        Reason.REPORT_OUTDATED, f"refund {refund.refund_id} is {refund.state}, by a newer report or answer"
    )


def _no_payment(data: RefundReportedData) -> Waiting | Rejection:
    if data.order_id is not None:
        return unknown_payment(data.order_id)
    if data.provider_reference is not None:
        detail = f"no payment has {data.provider_reference} of {data.provider}"
        return Waiting(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    return Rejection(
        Reason.PROVIDER_OBJECT_UNKNOWN, f"refund {data.refund_reference} names no order and no payment"
    )


def _foreign(payment: Payment, refund: Refund | None, data: RefundReportedData) -> Rejection | None:
    """Whether the report is about another object than the one that it names."""
    known = refund.provider_reference if refund is not None else None
    # of a refund its own, which the payment may not have any more: the order was paid otherwise meanwhile
    provider = payment.provider if refund is None else refund.provider
    pairs = (
        ("provider", data.provider, provider),
        ("provider_reference", data.provider_reference, payment.provider_reference),
        ("refund_id", data.refund_id and payment.payment_id, refund and refund.payment_id),
        ("refund_reference", data.refund_reference, known),
    )
    for name, told, ours in pairs:
        if told != ours and told is not None and (ours is not None or name == "provider"):
            detail = f"{name} {told}: payment {payment.payment_id} knows {ours}"
            return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    return None


def _differs(payment: Payment, refund: Refund | None, data: RefundReportedData) -> Rejection | None:
    """Whether the report contradicts what it names."""
    if refund is not None and refund.fee_policy != "keep" and data.order_id is None:
        detail = "order_id is missing: what names our refund names its order, under which its fee is counted"
        return Rejection(Reason.INVALID_MESSAGE, detail)
    if data.currency != payment.currency:
        return Rejection(Reason.CURRENCY_DIFFERS, f"currency {data.currency}, payment {payment.currency}")
    if data.amount_minor == 0 or (refund is not None and refund.amount_minor != data.amount_minor):
        detail = f"amount_minor {data.amount_minor}, refund {refund.amount_minor if refund else 'unknown'}"
        return Rejection(Reason.AMOUNT_DIFFERS, detail)
    return None


def _found(payment: Payment, message: RefundReported, now: datetime) -> Outcome:
    """A refund made in the provider's console.

    One that has failed moves nothing, but is remembered: an older report, which comes later, says that it succeeded.
    """
    data = message.data
    progress = Progress(payment, _refund(payment, data, now), None, now, data.occurred_at)
    believed = _believed(progress, data)
    if data.status in {"failed", "canceled"}:
        reason = data.reason or Reason.REFUND_DECLINED
        return progress.open(Trigger.FIND).step(Trigger.DECLINE, reason, **believed).decision()
    if data.status == "succeeded":
        return succeed_late(progress.open(Trigger.FIND), **believed).decision()
    placed_minor = min(room_of(payment), data.amount_minor)
    reserved = progress.move(refunding_minor=placed_minor).change(
        suspense_minor=data.amount_minor - placed_minor
    )
    return pend(to_clearing(reserved).open(Trigger.FIND), **believed).decision()


def _refund(payment: Payment, data: RefundReportedData, now: datetime) -> Refund:
    return Refund(
        tenant=payment.tenant,
        object_id=found_refund_id_of(payment.tenant, data.provider, data.refund_reference),
        refund_id=data.refund_reference,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        merchant_id=payment.merchant_id,
        customer_id=payment.customer_id,
        state=State.SUBMITTED,
        version=0,
        currency=payment.currency,
        amount_minor=data.amount_minor,
        suspense_minor=0,
        fee_returned_minor=0,
        destination="original_method",
        cause=MADE_AT_PROVIDER,
        policy_version=0,
        fee_policy="keep",
        requested_by=f"provider:{data.provider}",
        requested_role="system",
        needs_approval_of=None,
        approved_by=None,
        provider=data.provider,
        provider_reference=data.refund_reference,
        call_id=None,
        calls=0,
        certain=True,
        reason=None,
        note="",
        requested_at=now,
        submitted_at=now,
        reported_at=None,
        updated_at=now,
    )
