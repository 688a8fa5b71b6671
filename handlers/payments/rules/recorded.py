"""Recorded payments: the money changes hands outside any provider, and we are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.postings import book_taken, fee_after
from handlers.payments.remarks import leave
from handlers.payments.rules.opening import open_payment
from handlers.payments.rules.steps import advance, busy, refusal, tell, transition
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.fees.model import FeeHistory
    from handlers.payments.model import Payment
    from schemas.checkout import Collection, PaymentDeferred, PaymentNotCollected, PaymentRecorded


def record(
    payment: Payment | None, fees: FeeHistory | None, message: PaymentRecorded, now: datetime
) -> Outcome:
    """The money is here: the payment succeeds and is booked, whatever came before, unless the order is paid or busy."""
    data = message.data
    if payment is None:
        opened = open_payment(
            fees, message, State.SUCCEEDED, now, capture_method="recorded", method=data.collection
        )
        if isinstance(opened, Waiting):
            return opened
        paid, step = opened, transition(opened, None, Trigger.RECORD)
    else:
        problem = _differs(payment, message) or busy(payment) or _unpayable(payment)
        if problem is not None:
            return problem
        paid, step = advance(
            payment,
            Trigger.RECORD,
            now,
            **_otherwise(payment, data.collection),
            authorized_minor=payment.amount_minor,
            captured_minor=payment.amount_minor,
            fee_minor=fee_after(payment, payment.amount_minor),
        )
    return Decision(
        states=(paid,),
        transitions=(step,),
        postings=(book_taken(paid, paid.amount_minor, paid.fee_minor, message.time),),
        events=(tell(paid),),
    )


def defer(
    payment: Payment | None, fees: FeeHistory | None, message: PaymentDeferred, now: datetime
) -> Outcome:
    """The money will come: nothing is booked until it does."""
    data = message.data
    if payment is None:
        opened = open_payment(
            fees, message, State.SETTLING, now, capture_method="recorded", method=data.collection
        )
        if isinstance(opened, Waiting):
            return opened
        promised, step = opened, transition(opened, None, Trigger.DEFER)
    else:
        problem = _differs(payment, message) or busy(payment) or refusal(payment, Trigger.DEFER)
        if problem is not None:
            return problem
        promised, step = advance(payment, Trigger.DEFER, now, **_otherwise(payment, data.collection))
    return Decision(states=(promised,), transitions=(step,), events=(tell(promised),))


def miss_collection(payment: Payment | None, message: PaymentNotCollected, now: datetime) -> Outcome:
    """The promised money will not come: the payment fails; nothing was booked, so nothing is reversed."""
    if payment is None:
        return Waiting(Reason.PAYMENT_UNKNOWN, f"order {message.data.order_id} has no payment")
    problem = refusal(payment, Trigger.MISS_COLLECTION)
    if problem is None and payment.provider is not None:
        detail = f"payment {payment.payment_id} is a {payment.method} at {payment.provider}, which decides"
        problem = Rejection(Reason.STATE_FORBIDS, detail)
    if problem is not None:
        return problem
    failed, step = advance(payment, Trigger.MISS_COLLECTION, now, Reason.NOT_COLLECTED)
    return Decision(states=(failed,), transitions=(step,), events=(tell(failed),))


def _otherwise(payment: Payment, collection: Collection) -> dict[str, Any]:
    """The changes of a payment that was to be made by card and is not: only of its charge something is remembered."""
    return {
        **leave(payment),
        "method": collection,
        "method_token": None,
        "method_network": None,
        "method_last4": None,
        "provider": None,
        "provider_reference": None,
        "state_ends_at": None,
    }


def _unpayable(payment: Payment) -> Rejection | None:
    if payment.state == State.SUCCEEDED:
        detail = f"order {payment.order_id} is paid by payment {payment.payment_id}"
        return Rejection(Reason.ORDER_ALREADY_HAS_PAYMENT, detail)
    return refusal(payment, Trigger.RECORD)


def _differs(payment: Payment, message: PaymentRecorded | PaymentDeferred) -> Rejection | None:
    """Whether the fact contradicts what the order's payment already says."""
    data = message.data
    if data.merchant_id != payment.merchant_id:
        return Rejection(
            Reason.MERCHANT_DIFFERS, f"merchant_id {data.merchant_id}, payment {payment.merchant_id}"
        )
    if data.amount.currency != payment.currency:
        return Rejection(
            Reason.CURRENCY_DIFFERS, f"amount.currency {data.amount.currency}, payment {payment.currency}"
        )
    if data.amount.amount_minor != payment.amount_minor:
        detail = f"amount.amount_minor {data.amount.amount_minor}, payment {payment.amount_minor}"
        return Rejection(Reason.AMOUNT_DIFFERS, detail)
    return None
