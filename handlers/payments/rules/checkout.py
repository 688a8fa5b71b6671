"""What a shop asks for before any money is held: open, confirm, return from the challenge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.remarks import OTHER_METHOD, leave, remark
from handlers.payments.rules.opening import method_of, open_payment
from handlers.payments.rules.steps import advance, ask, busy, refusal, tell, transition, unknown
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Call, Outcome
    from handlers.fees.model import FeeHistory
    from handlers.payments.model import Payment
    from schemas.checkout import ChallengeCompleted, ConfirmationRequested, PaymentRequested


def request_payment(
    payment: Payment | None, fees: FeeHistory | None, message: PaymentRequested, now: datetime
) -> Outcome:
    """Open the order's one payment; confirm it at once when asked to."""
    data = message.data
    if payment is not None:
        return Rejection(
            Reason.ORDER_ALREADY_HAS_PAYMENT,
            f"order {data.order_id} has payment {payment.payment_id}, which is {payment.state}",
        )
    if data.confirm:
        state, trigger = State.PROCESSING, Trigger.OPEN_CONFIRMED
    elif data.payment_method is not None:
        state, trigger = State.REQUIRES_CONFIRMATION, Trigger.OPEN_WITH_METHOD
    else:
        state, trigger = State.REQUIRES_PAYMENT_METHOD, Trigger.OPEN_WITHOUT_METHOD
    opened = open_payment(
        fees,
        message,
        state,
        now,
        capture_method=data.capture_method,
        details=data.payment_method,
        off_session=data.off_session,
    )
    if isinstance(opened, Waiting):
        return opened
    calls: tuple[Call, ...] = ()
    if data.confirm:
        opened, call = _authorize(opened, now)
        calls = (call,)
    return Decision(
        states=(opened,),
        transitions=(transition(opened, None, trigger),),
        events=(tell(opened),),
        calls=calls,
    )


def request_confirmation(payment: Payment | None, message: ConfirmationRequested, now: datetime) -> Outcome:
    """Ask the provider to authorize, with the method the payment has or with a new one."""
    if payment is None:
        return unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.CONFIRM)
    if problem is not None:
        return problem
    details = message.data.payment_method
    if details is None and payment.method_token is None:
        return Rejection(Reason.PAYMENT_METHOD_MISSING, "payment_method is missing and the payment has none")
    if details is None and payment.state == State.REQUIRES_PAYMENT_METHOD:
        return Rejection(
            Reason.PAYMENT_METHOD_MISSING, f"payment_method: the last one was declined ({payment.reason})"
        )
    if details is not None and details.type == "bank_debit" and payment.capture_method != "automatic":
        return Rejection(
            Reason.CARD_NOT_SUPPORTED,
            "payment_method: a bank_debit is taken at once, but capture_method is manual",
        )
    changes = method_of(details) if details else {}
    if details is not None and payment.attempts and details.type != payment.method:
        changes |= remark(payment, OTHER_METHOD, payment.method or "")
    if message.data.off_session is not None:
        changes["off_session"] = message.data.off_session
    return confirm(replace(payment, **changes), now)


def complete_challenge(payment: Payment | None, message: ChallengeCompleted, now: datetime) -> Outcome:
    """The customer is back: ask the provider how it went; the browser's word is not proof."""
    if payment is None:
        return unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.RETURN_FROM_CHALLENGE)
    if problem is not None:
        return problem
    returned, step = advance(payment, Trigger.RETURN_FROM_CHALLENGE, now, redirect_url=None)
    asking, call = ask(returned, "confirm", now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def confirm(payment: Payment, now: datetime) -> Decision:
    """Ask the provider that the routing names first for another authorization, with the method that the payment has."""
    fresh = replace(payment, provider=None, provider_reference=None, state_ends_at=None, **leave(payment))
    confirmed, step = advance(fresh, Trigger.CONFIRM, now)
    asking, call = _authorize(confirmed, now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def _authorize(payment: Payment, now: datetime) -> tuple[Payment, Call]:
    asking, call = ask(payment, "authorize", now, amount_minor=payment.amount_minor)
    return replace(asking, attempts=payment.attempts + 1), call
