"""What a provider reports unasked, and whose it is: the payment's own charge, another attempt's, or nobody's we know.

A report about the charge that a call under way is about closes that call, as its answer would (reports.py); the answer
is then stale. A charge that the payment does not count on is a late success (strays.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.model import is_call_of
from handlers.payments.remarks import (
    CLOSED,
    ENDED,
    FAILED,
    LEFT,
    NOT_RELEASED,
    REVERSING,
    asked_minor,
    being_reversed,
    remark_of,
)
from handlers.payments.rules.reports import REPORTED, charge_of, let_go_of, no_news
from handlers.payments.rules.steps import busy
from handlers.payments.rules.strays import found, reverse
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.payments.rules.strays import Charge
    from schemas.webhook import PaymentReported, PaymentReportedData, Unrecognized


def payment_reported(payment: Payment | None, message: PaymentReported, now: datetime) -> Outcome:
    """How the provider sees an authorization."""
    data = message.data
    if payment is None:
        if data.order_id is None:
            detail = f"no payment has {data.provider}'s reference {data.provider_reference}"
            return Waiting(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
        return Waiting(Reason.PAYMENT_UNKNOWN, f"order {data.order_id} has no payment")
    return _foreign(payment, data) or _reported(payment, data, now)


def _reported(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    word = remark_of(payment, data.provider_reference)
    if word not in {None, LEFT}:
        return _remarked(payment, data, word, now)
    if _is_own(payment, data):
        if being_reversed(payment) is not None:
            return busy(payment) or Decision()
        known = replace(payment, provider_reference=data.provider_reference)
        return REPORTED[data.status](known, data, now)
    if _may_be_own(payment, data):
        return busy(payment) or Decision()
    return _other(payment, data, now)


def unrecognized(message: Unrecognized, now: datetime) -> Decision:
    """A webhook that means nothing to us, yet: kept in the inbox and counted there."""
    del message, now
    return Decision()


def _foreign(payment: Payment, data: PaymentReportedData) -> Rejection | None:
    """Why the object cannot be this payment's, whatever its metadata says."""
    if data.currency is not None and data.currency != payment.currency:
        detail = f"currency {data.currency}, payment of order {payment.order_id} {payment.currency}"
        return Rejection(Reason.CURRENCY_DIFFERS, detail)
    total_minor = max(data.authorized_minor or 0, data.captured_minor or 0)
    most_minor = max(payment.amount_minor, _expected_minor(payment))
    if total_minor > most_minor:
        detail = (
            f"{data.provider_reference} has {total_minor}, payment {payment.payment_id} of order "
            f"{payment.order_id} is for {most_minor}"
        )
        return Rejection(Reason.AMOUNT_DIFFERS, detail)
    return None


def _expected_minor(payment: Payment) -> int:
    """The total that the payment has when the call under way succeeds."""
    taken_minor = payment.captured_minor if payment.call_operation == "capture" else 0
    return taken_minor + (payment.call_amount_minor or 0)


def _is_own(payment: Payment, data: PaymentReportedData) -> bool:
    """Whether the report is about the charge that the payment has, or that it is asking for just now.

    One that does not name its call may be of an earlier attempt, if there was one: then the answer must tell.
    """
    if data.provider != payment.provider:
        return False
    if payment.provider_reference is None and payment.call_operation == "authorize":
        only = data.call_id is None and payment.attempts == 1
        return data.call_id == payment.call_id or (only and _is_whole(payment, data))
    return data.provider_reference == payment.provider_reference


def _may_be_own(payment: Payment, data: PaymentReportedData) -> bool:
    """Whether only the answer of the call under way can tell: the provider does not say which call it is about."""
    asking = payment.provider_reference is None and payment.call_operation == "authorize"
    return asking and data.provider == payment.provider and data.call_id is None


def _is_whole(payment: Payment, data: PaymentReportedData) -> bool:
    charge = charge_of(payment, data)
    return charge is not None and charge.amount_minor == payment.amount_minor


def _other(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    """Another attempt's charge: bad news of it changes nothing, good news is a late success."""
    charge = charge_of(payment, data)
    if charge is None:
        return let_go_of(payment, data, now) if data.status == "canceled" and payment.calls else no_news()
    return _not_asked_for(payment, charge, data) or found(payment, charge, now)


def _not_asked_for(payment: Payment, charge: Charge, data: PaymentReportedData) -> Rejection | None:
    """Why a charge is none that we asked for; only those are given back.

    A charge that somebody made for the order by hand is not ours, and one attempt at one provider has one charge.
    """
    if remark_of(payment, charge.reference) == LEFT:
        return None
    if not payment.calls:
        detail = f"{charge.reference}: nobody asked a provider about order {payment.order_id}"
        return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    if payment.attempts == 1 and payment.provider_reference is not None and payment.provider == data.provider:
        detail = (
            f"{charge.reference}: the one attempt of order {payment.order_id} is {payment.provider_reference}"
        )
        return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    if data.call_id is None:
        if charge.amount_minor != asked_minor(payment):
            detail = f"{charge.reference} is for {charge.amount_minor}, asked for was {asked_minor(payment)}"
            return Rejection(Reason.AMOUNT_DIFFERS, detail)
    elif not is_call_of(payment, data.call_id):
        detail = f"{charge.reference} answers call {data.call_id}, which is none of this order's"
        return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    return None


def _remarked(payment: Payment, data: PaymentReportedData, word: str, now: datetime) -> Outcome:
    """A charge that is being, or was, given back. One that could not be released may have been captured meanwhile."""
    charge = charge_of(payment, data)
    if word in CLOSED or charge is None or not charge.captured:
        return no_news()
    if word in {ENDED, FAILED}:
        return found(payment, charge, now)
    if word.startswith(REVERSING) and payment.call_operation != "void":
        return no_news()
    return busy(payment) or (reverse(payment, charge, now) if word == NOT_RELEASED else no_news())
