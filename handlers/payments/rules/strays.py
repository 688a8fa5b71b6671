"""Charges that come when nobody expects them any more: attached to the order where the policy says so, else reversed.

One success per order: a charge beside another one, or after the order was paid otherwise, is always given back. What
was captured is booked into suspense until it is; a hold that is let go of moves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Call, Decision, Rejection
from handlers.payments.model import call_id_of, derived_id
from handlers.payments.policy import ATTACH_WITHIN, ATTACHABLE, NO_FURTHER_ATTEMPT
from handlers.payments.postings import STRAY_RECEIVED, STRAY_RETURNED, book_aside
from handlers.payments.remarks import (
    LEFT,
    NOT_REFUNDED,
    NOT_RELEASED,
    OTHER_METHOD,
    REVERSED,
    REVERSING,
    being_reversed,
    forget,
    leave,
    remark,
    remark_of,
)
from handlers.payments.rules.progress import hold, take
from handlers.payments.rules.steps import answered, busy, notify
from handlers.payments.states import Trigger
from schemas.reasons import Reason
from schemas.value import value

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.webhook import RefundReported


@value
class Charge:
    """What a provider holds, or has captured, for the order; `amount_minor` is the total."""

    provider: str
    reference: str
    amount_minor: int
    captured: bool
    at: datetime


def found(payment: Payment, charge: Charge, now: datetime) -> Outcome:
    """A success that the payment does not count on. It waits while the provider is being asked something else."""
    waits = busy(payment)
    if waits is not None:
        return waits
    return (
        _attach(payment, charge, now)
        if is_attachable(payment, charge, now)
        else reverse(payment, charge, now)
    )


def is_attachable(payment: Payment, charge: Charge, now: datetime) -> bool:
    """Whether the order takes the late success for its payment.

    A charge must be booked by its own method. A report does not name it: after attempts by different methods only
    that of the last one's charge is certain.
    """
    certain = remark_of(payment, OTHER_METHOD) is None or charge.reference == payment.provider_reference
    return (
        payment.state in ATTACHABLE
        and now - payment.updated_at <= ATTACH_WITHIN
        and charge.amount_minor == payment.amount_minor
        and payment.captured_minor == 0
        and payment.method_token is not None
        and payment.reason not in NO_FURTHER_ATTEMPT
        and remark_of(payment, charge.reference) in {None, LEFT}
        and certain
    )


def _attach(payment: Payment, charge: Charge, now: datetime) -> Decision:
    left = replace(payment, **leave(payment))
    known = replace(
        left,
        provider=charge.provider,
        provider_reference=charge.reference,
        **forget(left, charge.reference),
    )
    if charge.captured:
        late = take(known, charge.amount_minor, charge.at, now, final=True, trigger=Trigger.CAPTURE_LATE)
    else:
        late = hold(known, charge.amount_minor, now, trigger=Trigger.AUTHORIZE_LATE)
    detail = f"{charge.provider} {charge.reference}: it succeeded after the payment was {payment.state}"
    told = notify(known, "payment.late_success_attached", detail)
    return replace(late, events=(*late.events, *told))


def reverse(payment: Payment, charge: Charge, now: datetime) -> Decision:
    """Give it back: let go of a hold, refund what was captured and book it through suspense."""
    number = payment.calls + 1
    call = Call(
        call_id_of(payment.payment_id, number),
        payment.payment_id,
        payment.order_id,
        charge.provider,
        "refund" if charge.captured else "void",
        charge.amount_minor,
        payment.currency,
        payment.method,
        provider_reference=charge.reference,
        object_id=reversal_id_of(payment.payment_id, number) if charge.captured else None,
    )
    asking = replace(
        payment,
        call_id=call.call_id,
        call_operation=call.operation,
        call_final=True,
        call_amount_minor=charge.amount_minor,
        certain=True,
        calls=number,
        updated_at=now,
        **remark(payment, charge.reference, REVERSING + charge.provider),
    )
    posting = book_aside(STRAY_RECEIVED, payment, charge.provider, charge.amount_minor, charge.at)
    detail = (
        f"{charge.provider} {charge.reference}: {charge.amount_minor} {payment.currency} "
        f"{'captured' if charge.captured else 'held'} while the payment is {payment.state}"
    )
    return Decision(
        states=(asking,),
        postings=(posting,) if charge.captured else (),
        events=notify(payment, "payment.late_success_reversing", detail, reason=Reason.REVERSED_LATE_SUCCESS),
        calls=(call,),
    )


def reversal_id_of(payment_id: UUID, number: int) -> UUID:
    """The id under which a provider knows the refund of a late success."""
    return derived_id(payment_id, "reversal", number)


def is_reversal(payment: Payment, refund_id: UUID | None) -> bool:
    """Whether a refund that a provider reports is one of these: no refund that anybody asked for."""
    return any(refund_id == reversal_id_of(payment.payment_id, number) for number in range(payment.calls + 1))


def reversed_for_certain(payment: Payment, at: datetime, now: datetime) -> Decision:
    """The provider gave it back, or has taken that on."""
    provider, reference = being_reversed(payment) or ("", "")
    done = replace(payment, updated_at=now, **answered(), **remark(payment, reference, REVERSED))
    if payment.call_operation != "refund":
        return Decision(states=(done,))
    posting = book_aside(STRAY_RETURNED, payment, provider, payment.call_amount_minor or 0, at)
    return Decision(states=(done,), postings=(posting,))


def not_reversed(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """The provider would not: a person must see to it. A hold may have been captured; then a report will say so."""
    word = NOT_REFUNDED if payment.call_operation == "refund" else NOT_RELEASED
    _, reference = being_reversed(payment) or ("", "")
    left = replace(payment, updated_at=now, **answered(), **remark(payment, reference, word))
    detail = f"{reference}: the provider refused to {payment.call_operation} it ({reason})"
    return Decision(
        states=(left,), events=notify(payment, "payment.late_success_not_reversed", detail, reason=reason)
    )


def ask_again(payment: Payment, now: datetime) -> Decision:
    """The provider was away and certainly did nothing: ask for the reversal again."""
    provider, reference = being_reversed(payment) or ("", "")
    number = payment.calls + 1
    refunds = payment.call_operation == "refund"
    call = Call(
        call_id_of(payment.payment_id, number),
        payment.payment_id,
        payment.order_id,
        provider,
        "refund" if refunds else "void",
        payment.call_amount_minor or 0,
        payment.currency,
        payment.method,
        provider_reference=reference,
        object_id=reversal_id_of(payment.payment_id, number) if refunds else None,
    )
    asking = replace(payment, call_id=call.call_id, certain=True, calls=number, updated_at=now)
    return Decision(states=(asking,), calls=(call,))


def reversal_reported(payment: Payment, message: RefundReported, now: datetime) -> Decision:
    """What a webhook says of such a refund: only that it came back after all is news; a person must see to it then.

    It may be faster than the answer, which is stale then: that one says that the provider took the refund on.
    """
    data = message.data
    reference = data.provider_reference or ""
    if data.status not in {"failed", "canceled"}:
        return Decision()
    under_way = being_reversed(payment) == (data.provider, reference)
    if under_way and data.refund_id == reversal_id_of(payment.payment_id, payment.calls):
        return not_reversed(payment, data.reason or Reason.REFUND_DECLINED, now)
    if remark_of(payment, reference) != REVERSED:
        return Decision()
    left = replace(payment, updated_at=now, **remark(payment, reference, NOT_REFUNDED))
    posting = book_aside(STRAY_RECEIVED, payment, data.provider, data.amount_minor, data.occurred_at)
    told = notify(
        payment,
        "payment.late_success_not_reversed",
        f"{reference}: its refund {data.refund_reference} {data.status}",
        reason=data.reason,
    )
    return Decision(states=(left,), postings=(posting,), events=told)


def stale(payment: Payment, call_id: UUID) -> Rejection:
    """An answer to a call that is over."""
    return Rejection(
        Reason.CALL_STALE,
        f"payment {payment.payment_id} waits for call {payment.call_id}, not for {call_id}",
    )
