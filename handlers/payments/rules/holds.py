"""What a shop asks for once money is held: take it, hold more, let go of it. Done when the provider has said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection
from handlers.payments.networks import most_capturable_minor, network_of
from handlers.payments.rules.steps import advance, ask, busy, refusal, tell, unknown
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.checkout import AuthorizationIncreaseRequested, CancellationRequested, CaptureRequested


def request_capture(payment: Payment | None, message: CaptureRequested, now: datetime) -> Outcome:
    """Take what is authorized, or part of it, or more where the network allows it."""
    if payment is None:
        return unknown(message.data.order_id)
    problem = busy(payment) or refusal(payment, Trigger.CAPTURE) or _nothing_held(payment, Trigger.CAPTURE)
    if problem is not None:
        return problem
    left_minor = payment.capturable_minor
    amount_minor = message.data.amount_minor or left_minor
    if amount_minor > left_minor:
        problem = _too_much(payment, amount_minor)
        if problem is not None:
            return problem
    if not amount_minor:
        return Rejection(
            Reason.AMOUNT_ABOVE_AUTHORIZED, "amount_minor is missing and nothing is left to capture"
        )
    final = message.data.final or amount_minor >= left_minor
    asking, call = ask(payment, "capture", now, amount_minor=amount_minor, final=final)
    return Decision(states=(asking,), calls=(call,))


def _too_much(payment: Payment, amount_minor: int) -> Rejection | None:
    """Why more than what is left may not be captured; None when the network allows so much."""
    left_minor = payment.capturable_minor
    name = payment.method_network
    detail = f"amount_minor {amount_minor} is above what is left to capture, {left_minor}"
    if payment.authorized_minor < payment.amount_minor:
        return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, f"{detail}; only a part was authorized")
    if not network_of(name).overcapture_bps:
        return Rejection(Reason.OVERCAPTURE_NOT_ALLOWED, f"{detail}; {name} allows no more")
    most_minor = most_capturable_minor(name, payment.authorized_minor) - payment.captured_minor
    if amount_minor <= most_minor:
        return None
    return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, f"{detail}; {name} allows {most_minor}")


def request_increase(
    payment: Payment | None, message: AuthorizationIncreaseRequested, now: datetime
) -> Outcome:
    """Hold more, where the network knows of it; the order then costs that much."""
    if payment is None:
        return unknown(message.data.order_id)
    problem = busy(payment) or _nothing_held(payment, "increase")
    if problem is not None:
        return problem
    amount_minor = message.data.amount_minor
    if not network_of(payment.method_network).incremental:
        return Rejection(Reason.INCREASE_NOT_ALLOWED, f"{payment.method_network} raises no authorization")
    if amount_minor <= payment.authorized_minor:
        detail = (
            f"amount_minor {amount_minor} is the new total; {payment.authorized_minor} is authorized already"
        )
        return Rejection(Reason.INCREASE_NOT_ALLOWED, detail)
    asking, call = ask(payment, "increase", now, amount_minor=amount_minor)
    return Decision(states=(asking,), calls=(call,))


def request_cancellation(payment: Payment | None, message: CancellationRequested, now: datetime) -> Outcome:
    """Give the payment up: at once when the provider holds nothing, else when it has let go of it.

    After a capture, what is left of the hold is let go of, and the payment is complete.
    """
    if payment is None:
        return unknown(message.data.order_id)
    partly = payment.state == State.CAPTURED
    problem = busy(payment) or refusal(payment, Trigger.RELEASE if partly else Trigger.CANCEL)
    if problem is not None:
        return problem
    if partly or payment.state in {State.AUTHORIZED, State.REQUIRES_ACTION}:
        asking, call = ask(payment, "void", now)
        return Decision(states=(asking,), calls=(call,))
    canceled, step = advance(payment, Trigger.CANCEL, now, Reason.REQUESTED_BY_CALLER)
    return Decision(states=(canceled,), transitions=(step,), events=(tell(canceled),))


def _nothing_held(payment: Payment, wanted: str) -> Rejection | None:
    """The table also moves states without a hold to captured, when a provider says so; a shop cannot ask for it."""
    if payment.state in {State.AUTHORIZED, State.CAPTURED}:
        return None
    detail = f"payment {payment.payment_id} is {payment.state}, which does not allow {wanted}"
    return Rejection(Reason.STATE_FORBIDS, detail)
