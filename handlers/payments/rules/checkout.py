"""What a shop asks for: open, confirm, return from the challenge, capture, cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Decision, Rejection, Waiting
from handlers.payments.rules.opening import open_payment
from handlers.payments.rules.steps import advance, ask, busy, refusal, tell, transition
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Call, Outcome
    from handlers.fees.model import FeeHistory
    from handlers.payments.model import Payment
    from schemas.checkout import (
        CancellationRequested,
        CaptureRequested,
        CardMethod,
        ChallengeCompleted,
        ConfirmationRequested,
        PaymentRequested,
    )


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
        method="card" if data.payment_method else None,
        card=data.payment_method,
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
        return _unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.CONFIRM)
    if problem is not None:
        return problem
    card = message.data.payment_method
    if card is None and payment.method_token is None:
        return Rejection(Reason.PAYMENT_METHOD_MISSING, "payment_method is missing and the payment has none")
    if card is None and payment.state == State.REQUIRES_PAYMENT_METHOD:
        return Rejection(
            Reason.PAYMENT_METHOD_MISSING, f"payment_method: the last one was declined ({payment.reason})"
        )
    method = _card(card) if card else {}
    confirmed, step = advance(payment, Trigger.CONFIRM, now, provider_reference=None, **method)
    asking, call = _authorize(confirmed, now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def complete_challenge(payment: Payment | None, message: ChallengeCompleted, now: datetime) -> Outcome:
    """The customer is back: ask the provider how it went; the browser's word is not proof."""
    if payment is None:
        return _unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.RETURN_FROM_CHALLENGE)
    if problem is not None:
        return problem
    returned, step = advance(payment, Trigger.RETURN_FROM_CHALLENGE, now, redirect_url=None)
    asking, call = ask(returned, "confirm", now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def request_capture(payment: Payment | None, message: CaptureRequested, now: datetime) -> Outcome:
    """Take what is authorized, or part of it; the money is booked when the provider says so."""
    if payment is None:
        return _unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.CAPTURE)
    if problem is not None:
        return problem
    amount_minor = message.data.amount_minor or payment.capturable_minor
    if amount_minor > payment.capturable_minor:
        detail = f"amount_minor {amount_minor} is above what is left to capture, {payment.capturable_minor}"
        return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, detail)
    final = message.data.final or amount_minor == payment.capturable_minor
    asking, call = ask(payment, "capture", now, amount_minor=amount_minor, final=final)
    return Decision(states=(asking,), calls=(call,))


def request_cancellation(payment: Payment | None, message: CancellationRequested, now: datetime) -> Outcome:
    """Give the payment up: at once when no money is held, else when the provider has voided the authorization."""
    if payment is None:
        return _unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.CANCEL)
    if problem is not None:
        return problem
    if payment.state == State.AUTHORIZED:
        asking, call = ask(payment, "void", now)
        return Decision(states=(asking,), calls=(call,))
    canceled, step = advance(payment, Trigger.CANCEL, now, Reason.REQUESTED_BY_CALLER)
    return Decision(states=(canceled,), transitions=(step,), events=(tell(canceled),))


def _authorize(payment: Payment, now: datetime) -> tuple[Payment, Call]:
    asking, call = ask(payment, "authorize", now, amount_minor=payment.amount_minor)
    return replace(asking, attempts=payment.attempts + 1), call


def _card(card: CardMethod) -> dict[str, Any]:
    return {
        "method": "card",
        "method_token": card.token,
        "method_network": card.network,
        "method_last4": card.last4,
    }


def _unknown(order_id: str) -> Waiting:
    return Waiting(Reason.PAYMENT_UNKNOWN, f"order {order_id} has no payment")
