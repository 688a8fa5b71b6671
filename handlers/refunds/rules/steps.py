"""The steps that every refund rule is made of: reserve, submit, succeed, fail, come back. Each books what it moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from handlers.payments.model import derived_id
from handlers.payments.states import State as PaymentState
from handlers.payments.states import Trigger as PaymentTrigger
from handlers.refunds.postings import (
    FAILED,
    GOODWILL,
    GOODWILL_FAILED,
    GOODWILL_SUBMITTED,
    PAID,
    RETURNED,
    SERVICE_CREDIT,
    SUBMITTED,
    UNPLACED,
    UNPLACED_RETURNED,
    fee_share,
    way_back,
)
from handlers.refunds.rules.progress import room_of
from handlers.refunds.states import Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from handlers.refunds.rules.progress import Progress

FIRST_CHECK: Final = timedelta(hours=1)
"""After which a provider that decides later is asked for the first time."""


def submit(progress: Progress) -> Progress:
    """Send a reserved refund on its way: to its provider, to who hands it out, or into the customer's credit."""
    sent = to_clearing(progress).step(Trigger.SUBMIT, submitted_at=progress.moment)
    refund, payment = sent.refund, sent.payment
    if refund.destination == SERVICE_CREDIT:
        return succeed(sent)
    if payment.provider is not None:
        return sent.ask("refund")
    detail = f"hand out {refund.amount_minor} {refund.currency} (minor units), then publish that it is done"
    return sent.notify("merchant", refund.merchant_id, "refund.hand_out", detail)


def pend(progress: Progress, **changes: Any) -> Progress:
    """The provider took it on and decides later; we come back to ask."""
    pending = progress.step(Trigger.PEND, **changes)
    timer_id = derived_id(pending.refund.object_id, "refund_check", pending.refund.version)
    return pending.set_timer("refund_check", pending.moment + FIRST_CHECK, timer_id)


def succeed(progress: Progress, **changes: Any) -> Progress:
    """What was on its way has arrived."""
    placed_minor = progress.refund.placed_minor
    return _arrived(progress.move(refunding_minor=-placed_minor), **changes)


def succeed_late(progress: Progress, **changes: Any) -> Progress:
    """What we had given up has arrived, or what we never asked for: as far as the payment has room, it is its refund.

    The rest is in suspense: the money has gone, whatever we think of it (law 7).
    """
    suspense_minor = max(progress.refund.amount_minor - room_of(progress.payment), 0)
    return _arrived(to_clearing(progress.change(suspense_minor=suspense_minor)), **changes)


def fail(progress: Progress, reason: Reason, **changes: Any) -> Progress:
    """What was on its way does not arrive: the payment has it again."""
    failed = _out_of_clearing(progress.move(refunding_minor=-progress.refund.placed_minor))
    failed = failed.step(Trigger.DECLINE, reason, fee_returned_minor=0, suspense_minor=0, **changes)
    return _say_failed(failed, "refund.failed", "pay it out in another way")


def come_back(progress: Progress, reason: Reason, **changes: Any) -> Progress:
    """What had arrived came back: the customer's account was closed."""
    refund, method = progress.refund, progress.payment.method or ""
    back = progress
    if refund.placed_minor:
        back = back.move(refunded_minor=-refund.placed_minor, trigger=PaymentTrigger.RETURN_REFUND)
        if back.payment.state == PaymentState.SUCCEEDED and back.payment.refunded_minor:
            back = back.move(trigger=PaymentTrigger.REFUND_PART)
    back = back.book(RETURNED[method], refund.placed_minor)
    back = back.book(UNPLACED_RETURNED[method], refund.suspense_minor)
    back = _out_of_clearing(back)
    back = back.step(Trigger.RETURN, reason, fee_returned_minor=0, suspense_minor=0, **changes)
    return _say_failed(back, "refund.returned", "it came back; ask the customer how else to pay it out")


def release(progress: Progress, trigger: Trigger, reason: Reason) -> Progress:
    """A refund that was never sent ends: nobody holds its amount any more."""
    return progress.move(refunding_minor=-progress.refund.placed_minor).step(trigger, reason)


def to_clearing(progress: Progress) -> Progress:
    """Book that the merchant, or the platform, gives it back, and the fee's share with it."""
    refund, payment = progress.refund, progress.payment
    placed_minor = refund.placed_minor
    if refund.cause == GOODWILL:
        return progress.book(GOODWILL_SUBMITTED, placed_minor)
    if refund.fee_policy == "keep" or not placed_minor:
        return progress.book(SUBMITTED, placed_minor)
    fee_minor = fee_share(payment, progress.tally, placed_minor)
    counted = progress.change(fee_returned_minor=fee_minor).count_fee(placed_minor, fee_minor)
    return counted.book(SUBMITTED, placed_minor)


def tell_operations(progress: Progress, about: str, detail: str) -> Progress:
    """Somebody has to look."""
    return progress.notify("operations", "operations", about, detail)


def _out_of_clearing(progress: Progress) -> Progress:
    """Book that it stays with the merchant, and the fee with the platform."""
    refund = progress.refund
    placed_minor = refund.placed_minor
    if refund.cause == GOODWILL:
        return progress.book(GOODWILL_FAILED, placed_minor)
    booked = progress.book(FAILED, placed_minor)
    if refund.fee_policy == "keep" or not placed_minor:
        return booked
    return booked.count_fee(-placed_minor, -refund.fee_returned_minor)


def _arrived(progress: Progress, **changes: Any) -> Progress:
    refund, payment = progress.refund, progress.payment
    placed_minor = refund.placed_minor
    paid = progress
    if placed_minor:
        whole = payment.refunded_minor + placed_minor == payment.captured_minor
        trigger = PaymentTrigger.REFUND_WHOLE if whole else PaymentTrigger.REFUND_PART
        paid = paid.move(refunded_minor=placed_minor, trigger=trigger)
    paid = paid.book(PAID[way_back(payment, refund)], placed_minor)
    if refund.suspense_minor:
        paid = paid.book(UNPLACED[payment.method or ""], refund.suspense_minor)
    paid = paid.step(Trigger.SUCCEED, **changes)
    if refund.suspense_minor:
        detail = (
            f"{payment.provider} gave back {refund.amount_minor} {refund.currency} (minor units), of which "
            f"{refund.suspense_minor} are above what payment {payment.payment_id} had left; they are in suspense"
        )
        paid = tell_operations(paid, "refund.above_captured", detail)
    detail = f"{refund.amount_minor} {refund.currency} (minor units) given back"
    if payment.customer_id is None:
        return paid.notify("merchant", refund.merchant_id, "refund.succeeded", detail)
    return paid.notify("customer", payment.customer_id, "refund.succeeded", detail)


def _say_failed(progress: Progress, about: str, what_to_do: str) -> Progress:
    refund = progress.refund
    detail = f"{refund.amount_minor} {refund.currency} (minor units) of order {refund.order_id}: {what_to_do}"
    return progress.notify("support", "support", about, detail)
