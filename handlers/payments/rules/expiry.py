"""When time is up: a hold ends, a challenge was abandoned, a decline may be tried again, a bank is asked how it stands.

A timer whose payment moved on does nothing; one that meets a call under way comes back later.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from handlers.decision import Decision, Timer
from handlers.payments.model import derived_id
from handlers.payments.rules import outcome
from handlers.payments.rules.checkout import confirm
from handlers.payments.rules.progress import end
from handlers.payments.rules.steps import advance, ask, notify, tell, unknown
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.timer import TimerDue

LOOK_AGAIN: Final = timedelta(hours=1)
"""How long a timer waits while the provider is being asked about the same payment."""


def timer_due(payment: Payment | None, message: TimerDue, now: datetime) -> Outcome:
    """Decide what a due timer still means."""
    if payment is None:
        return unknown(message.data.order_id)
    if message.data.kind == "outcome_deadline":
        return outcome.deadline_passed(payment, message)
    if not _matters(payment, message, now):
        return Decision()
    if payment.call_id is not None:
        asked_already = message.data.kind == "pending_check" and payment.call_operation == "confirm"
        return Decision(timers=() if asked_already else (_again(payment, message, now),))
    return _DUE[message.data.kind](payment, now)


def _matters(payment: Payment, message: TimerDue, now: datetime) -> bool:
    """Whether the payment still is where the timer was set for, and its time has come."""
    kind = message.data.kind
    if payment.state not in _STATES[kind] or payment.state_ends_at is None:
        return False
    return kind in _BEFORE_THE_END or now >= payment.state_ends_at


def _again(payment: Payment, message: TimerDue, now: datetime) -> Timer:
    timer_id = derived_id(message.data.timer_id, "again", 1)
    return Timer(timer_id, message.data.kind, now + LOOK_AGAIN, payment.payment_id, payment.order_id)


def _warn(payment: Payment, now: datetime) -> Decision:
    """The shop may still capture, or let the customer know."""
    del now
    if not payment.capturable_minor:
        return Decision()
    until = payment.state_ends_at
    detail = f"{payment.capturable_minor} {payment.currency} are held until {until}"
    told = notify(payment, "payment.authorization_expiring", detail, act_by=until)
    return Decision(events=(tell(payment, "payment.authorization_expiring.v1"), *told))


def _hold_ended(payment: Payment, now: datetime) -> Decision:
    """Nothing captured: it expires. Something captured: it is complete."""
    if payment.state == State.AUTHORIZED:
        return end(payment, Trigger.EXPIRE, Reason.AUTHORIZATION_EXPIRED, now)
    return end(payment, Trigger.COMPLETE, None, now)


def _challenge_expired(payment: Payment, now: datetime) -> Decision:
    """Look at the provider first: the customer may have authenticated and not come back."""
    leaving, step = advance(
        payment, Trigger.ABANDON_CHALLENGE, now, Reason.CHALLENGE_ABANDONED, redirect_url=None
    )
    asking, call = ask(leaving, "confirm", now)
    return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))


def _ask_the_bank(payment: Payment, now: datetime) -> Decision:
    """How a pending debit stands; its answer sets the next timer."""
    if payment.provider_reference is None:
        return Decision()
    asking, call = ask(payment, "confirm", now)
    return Decision(states=(asking,), calls=(call,))


_STATES: Final[dict[str, frozenset[State]]] = {
    "authorization_expiring": frozenset({State.AUTHORIZED, State.CAPTURED}),
    "authorization_expiry": frozenset({State.AUTHORIZED, State.CAPTURED}),
    "challenge_expiry": frozenset({State.REQUIRES_ACTION}),
    "confirmation_retry": frozenset({State.REQUIRES_PAYMENT_METHOD, State.REQUIRES_CONFIRMATION}),
    "pending_check": frozenset({State.SETTLING}),
}
"""Where a timer matters."""
_BEFORE_THE_END: Final = frozenset({"authorization_expiring", "pending_check"})
_DUE: Final[dict[str, Callable[[Payment, datetime], Decision]]] = {
    "authorization_expiring": _warn,
    "authorization_expiry": _hold_ended,
    "challenge_expiry": _challenge_expired,
    "confirmation_retry": confirm,
    "pending_check": _ask_the_bank,
}
