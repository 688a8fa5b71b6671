"""When time is up: an authorization lapses, a challenge was abandoned. A timer whose payment moved on does nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from handlers.decision import Decision, Timer, Waiting
from handlers.payments.model import derived_id
from handlers.payments.rules.steps import advance, ask, tell
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.timer import TimerDue

LOOK_AGAIN: Final = timedelta(hours=1)
"""How long an expiry waits while the provider is being asked about the same money."""


def timer_due(payment: Payment | None, message: TimerDue, now: datetime) -> Outcome:
    """Decide what a due timer still means."""
    if payment is None:
        return Waiting(Reason.PAYMENT_UNKNOWN, f"order {message.data.order_id} has no payment")
    if message.data.kind == "challenge_expiry":
        return _challenge_expired(payment, message, now)
    return _authorization_expired(payment, message, now)


def _challenge_expired(payment: Payment, message: TimerDue, now: datetime) -> Decision:
    """Look at the provider first: the customer may have authenticated and not come back."""
    current = derived_id(payment.payment_id, "challenge_expiry", payment.version)
    if payment.state != State.REQUIRES_ACTION or message.data.timer_id != current:
        return Decision()
    leaving, step = advance(
        payment, Trigger.ABANDON_CHALLENGE, now, Reason.CHALLENGE_ABANDONED, redirect_url=None
    )
    asking, call = ask(leaving, "confirm", now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def _authorization_expired(payment: Payment, message: TimerDue, now: datetime) -> Decision:
    """The hold lapses: nothing captured expires, something captured is complete. Never while a call is under way."""
    if payment.state not in {State.AUTHORIZED, State.CAPTURED}:
        return Decision()
    if payment.call_id is not None:
        timer_id = derived_id(message.data.timer_id, "again", 1)
        again = Timer(
            timer_id, "authorization_expiry", now + LOOK_AGAIN, payment.payment_id, payment.order_id
        )
        return Decision(timers=(again,))
    if payment.state == State.AUTHORIZED:
        after, step = advance(payment, Trigger.EXPIRE, now, Reason.AUTHORIZATION_EXPIRED)
    else:
        after, step = advance(payment, Trigger.COMPLETE, now)
    return Decision(states=(after,), transitions=(step,), events=(tell(after),))
