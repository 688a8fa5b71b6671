"""A refund is asked for: judged by the payment, then by the policy, then sent, held for an approval, or a void."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from handlers.decision import Rejection
from handlers.payments.model import derived_id
from handlers.payments.rules import steps as payments
from handlers.payments.states import REFUNDABLE
from handlers.payments.states import State as PaymentState
from handlers.refunds.model import Refund, refund_id_of
from handlers.refunds.policy import Allowed, counted, may_refund
from handlers.refunds.postings import GOODWILL, SERVICE_CREDIT
from handlers.refunds.rules.progress import Progress, unknown_payment
from handlers.refunds.rules.steps import submit
from handlers.refunds.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import PolicyHistory, RefundCount, RefundPolicy
    from schemas.notification import Audience
    from schemas.refund import RefundRequested

APPROVERS: Final[dict[str, Audience]] = {"support": "support", "manager": "support", "finance": "finance"}
"""Role -> the audience of notifications that it belongs to."""


def request_refund(  # noqa: PLR0913, PLR0917 - the aggregates of its route
    payment: Payment | None,
    refund: Refund | None,
    history: PolicyHistory | None,
    of_customer: RefundCount | None,
    of_actor: RefundCount | None,
    of_payment: RefundCount | None,
    message: RefundRequested,
    now: datetime,
) -> Outcome:
    """Give money back. What is asked for is reserved at once, also while it waits for an approval."""
    data = message.data
    if payment is None:
        return unknown_payment(data.order_id)
    problem = _name_taken(refund) or payments.busy(payment) or _customer_differs(payment, message)
    if problem is not None:
        return problem
    if payment.state == PaymentState.AUTHORIZED:
        return _void(payment, message, now)
    amount_minor = data.amount_minor or payment.refundable_minor
    refused = not_refundable(payment) or _above(amount_minor, payment.refundable_minor)
    if refused is not None:
        return refused
    counts = {"customer": of_customer, "actor": of_actor}
    allowed = may_refund(history, payment, data, amount_minor, counts, now)
    if not isinstance(allowed, Allowed):
        return allowed
    opened = _refund(payment, message, amount_minor, allowed, now)
    progress = Progress(payment, opened, of_payment, now, message.time).move(refunding_minor=amount_minor)
    progress = progress.open(Trigger.REQUEST).audit(data.actor, "requested", data.note)
    progress = progress.with_(states=_counted(allowed.policy, message, counts, now))
    ready = (
        submit(progress) if allowed.approver is None else _hold(progress, allowed.approver, allowed.policy)
    )
    return ready.decision()


def not_refundable(payment: Payment) -> Rejection | None:
    """Why nothing of the payment can be refunded in its state; None when something may be."""
    if payment.state == PaymentState.CHARGEBACK_OPEN:
        detail = f"payment {payment.payment_id} has a dispute open over {payment.disputed_minor}"
        return Rejection(Reason.DISPUTE_OPEN, detail)
    if payment.state in REFUNDABLE or payment.state == PaymentState.REFUNDED:
        return None
    detail = f"payment {payment.payment_id} is {payment.state}, which allows no refund"
    if payment.state == PaymentState.CAPTURED:
        detail += "; complete the capture first"
    return Rejection(Reason.STATE_FORBIDS, detail)


def _name_taken(refund: Refund | None) -> Rejection | None:
    if refund is None:
        return None
    detail = f"refund_id {refund.refund_id} of order {refund.order_id} is {refund.state}"
    return Rejection(Reason.REFUND_ID_REUSED, detail)


def _above(amount_minor: int, refundable_minor: int) -> Rejection | None:
    if 0 < amount_minor <= refundable_minor:
        return None
    asked = (
        f"amount_minor {amount_minor} is above" if amount_minor > 0 else "amount_minor: nothing is left of"
    )
    return Rejection(Reason.AMOUNT_ABOVE_REFUNDABLE, f"{asked} what may be refunded, {refundable_minor}")


def _customer_differs(payment: Payment, message: RefundRequested) -> Rejection | None:
    """The limits per customer are kept by what the command says, so it must say what the payment does."""
    told = message.data.customer_id
    if told == payment.customer_id:
        return None
    detail = f"customer_id {told}: payment {payment.payment_id} is of customer {payment.customer_id}"
    return Rejection(Reason.INVALID_MESSAGE, detail)


def _void(payment: Payment, message: RefundRequested, now: datetime) -> Outcome:
    """Nothing was captured: the customer is not charged at all, and the refund needs nobody's approval."""
    data = message.data
    amount_minor = data.amount_minor or payment.authorized_minor
    refused = _above(amount_minor, payment.authorized_minor)
    if refused is not None:
        return refused
    if amount_minor < payment.authorized_minor:
        detail = (
            f"amount_minor {amount_minor}: nothing is captured yet, so that only all of it, "
            f"{payment.authorized_minor}, can be let go; capture less instead"
        )
        return Rejection(Reason.STATE_FORBIDS, detail)
    asking, call = payments.ask(payment, "void", now)
    opened = _refund(payment, message, amount_minor, None, now)
    progress = Progress(asking, opened, None, now, message.time).open(Trigger.REQUEST)
    progress = progress.audit(data.actor, "requested", data.note)
    return progress.step(Trigger.VOID, Reason.REQUESTED_BY_CALLER).with_(calls=(call,)).decision()


def _hold(progress: Progress, approver: str, policy: RefundPolicy) -> Progress:
    act_by = progress.moment + timedelta(days=policy.approval_days)
    held = progress.step(Trigger.HOLD_FOR_APPROVAL)
    refund = held.refund
    timer_id = derived_id(refund.object_id, "refund_approval_expiry", refund.version)
    detail = f"{refund.amount_minor} {refund.currency} (minor units), asked for by {refund.requested_by}"
    return held.set_timer("refund_approval_expiry", act_by, timer_id).notify(
        APPROVERS[approver], approver, "refund.approval_needed", detail, act_by
    )


def _counted(
    policy: RefundPolicy,
    message: RefundRequested,
    counts: dict[str, RefundCount | None],
    now: datetime,
) -> tuple[RefundCount, ...]:
    """The counts of the velocity limits with this refund, whatever becomes of it."""
    names = count_subjects(message)
    found = (
        counted(policy, subject, (message.tenant, name), counts[subject], now)
        for subject, name in names.items()
        if name is not None
    )
    return tuple(count for count in found if count is not None)


def count_subjects(message: RefundRequested) -> dict[str, str | None]:
    """Under which names the velocity limits count the request; a program is no actor with a limit."""
    data = message.data
    return {
        "customer": f"customer:{data.customer_id}" if data.customer_id else None,
        "actor": f"actor:{data.actor.id}" if data.actor.role != "system" else None,
    }


def _refund(
    payment: Payment,
    message: RefundRequested,
    amount_minor: int,
    allowed: Allowed | None,
    now: datetime,
) -> Refund:
    """What is asked for; `allowed` is None for a void, which no policy has to allow."""
    data = message.data
    fee_policy = "keep" if allowed is None or data.cause == GOODWILL else allowed.policy.fees
    to_provider = payment.provider is not None and data.destination != SERVICE_CREDIT
    return Refund(
        tenant=payment.tenant,
        object_id=refund_id_of(payment.tenant, payment.order_id, data.refund_id),
        refund_id=data.refund_id,
        payment_id=payment.payment_id,
        order_id=payment.order_id,
        merchant_id=payment.merchant_id,
        customer_id=payment.customer_id,
        state=State.REQUESTED,
        version=0,
        currency=payment.currency,
        amount_minor=amount_minor,
        suspense_minor=0,
        fee_returned_minor=0,
        destination=data.destination,
        cause=data.cause,
        policy_version=allowed.policy.version if allowed else 0,
        fee_policy=fee_policy,
        requested_by=data.actor.id,
        requested_role=data.actor.role,
        needs_approval_of=allowed.approver if allowed else None,
        approved_by=None,
        provider=payment.provider if to_provider else None,
        provider_reference=None,
        call_id=None,
        calls=0,
        certain=True,
        reason=None,
        note=data.note,
        requested_at=now,
        submitted_at=None,
        reported_at=None,
        updated_at=now,
    )
