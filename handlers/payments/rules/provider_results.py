"""What a provider's answer means for the payment. Every answer names its call; an answer to another call is stale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from handlers.decision import Decision, Rejection, Timer, Waiting
from handlers.payments.model import AUTHORIZATION_LIFETIME, CHALLENGE_LIFETIME, MAX_ATTEMPTS, derived_id
from handlers.payments.postings import book_taken, fee_after
from handlers.payments.rules.steps import advance, answered, ask, refusal, tell
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.provider import CallDeclined, CallFailed, CallSucceeded, CallUnknown, ChallengeRequired

    Result = CallDeclined | CallFailed | CallSucceeded | CallUnknown | ChallengeRequired

NO_FURTHER_ATTEMPT: Final = frozenset({Reason.SUSPECTED_FRAUD, Reason.STOLEN_CARD, Reason.LOST_CARD})
"""Declines after which the same customer is not asked for another card."""


def call_succeeded(payment: Payment | None, message: CallSucceeded, now: datetime) -> Outcome:
    """Authorized, captured or voided."""
    problem = _not_ours(payment, message)
    if payment is None or problem is not None:
        return problem or Decision()
    if payment.call_operation == "void":
        return _voided(payment, now)
    if payment.call_operation == "capture":
        return _captured(payment, message, now)
    return _authorized(payment, message, now)


def call_declined(payment: Payment | None, message: CallDeclined, now: datetime) -> Outcome:
    """No. A declined authorization asks for another method or ends; a declined capture or void leaves the state."""
    problem = _not_ours(payment, message)
    if payment is None or problem is not None:
        return problem or Decision()
    reason = message.data.reason
    if payment.state != State.PROCESSING:
        return _still(payment, reason, now)
    if payment.call_operation == "void":
        return _look_again(payment, now)
    last = _last_reason(payment, reason)
    if last is not None:
        return _end(payment, Trigger.GIVE_UP, last, now)
    return _end(payment, Trigger.DECLINE, reason, now)


def challenge_required(payment: Payment | None, message: ChallengeRequired, now: datetime) -> Outcome:
    """The customer must authenticate. When we asked because they had left, the authorization is given up instead."""
    problem = _not_ours(payment, message)
    if payment is None or problem is not None:
        return problem or Decision()
    data = message.data
    if payment.reason is Reason.CHALLENGE_ABANDONED:
        asking, call = ask(replace(payment, provider_reference=data.provider_reference), "void", now)
        return Decision(states=(asking,), calls=(call,))
    forbidden = refusal(payment, Trigger.CHALLENGE)
    if forbidden is not None:
        return forbidden
    waiting, step = advance(
        payment,
        Trigger.CHALLENGE,
        now,
        provider_reference=data.provider_reference,
        redirect_url=data.redirect_url,
        **answered(),
    )
    timer = Timer(
        derived_id(payment.payment_id, "challenge_expiry", waiting.version),
        "challenge_expiry",
        now + CHALLENGE_LIFETIME,
        payment.payment_id,
        payment.order_id,
    )
    return Decision(states=(waiting,), transitions=(step,), events=(tell(waiting),), timers=(timer,))


def call_unknown(payment: Payment | None, message: CallUnknown, now: datetime) -> Outcome:
    """Nobody knows yet, and we say so; the gateway goes on asking."""
    problem = _not_ours(payment, message)
    if payment is None or problem is not None:
        return problem or Decision()
    if not payment.certain:
        return Decision()
    unsure = replace(payment, certain=False, updated_at=now)
    return Decision(states=(unsure,), events=(tell(unsure, "payment.outcome_unknown.v1"),))


def call_failed(payment: Payment | None, message: CallFailed, now: datetime) -> Outcome:
    """Certainly no effect: the payment can be confirmed again, or our request was wrong."""
    problem = _not_ours(payment, message)
    if payment is None or problem is not None:
        return problem or Decision()
    reason = message.data.reason
    if payment.state != State.PROCESSING:
        return _still(payment, reason, now)
    if reason is Reason.PROVIDER_UNAVAILABLE and payment.call_operation == "authorize":
        return _end(payment, Trigger.FIND_UNAVAILABLE, reason, now)
    if reason is Reason.PROVIDER_UNAVAILABLE or payment.call_operation == "void":
        return _look_again(payment, now)
    return _end(payment, Trigger.GIVE_UP, reason, now)


def _not_ours(payment: Payment | None, message: Result) -> Rejection | Waiting | None:
    call_id = message.data.call_id
    if payment is None:
        return Waiting(Reason.PAYMENT_UNKNOWN, f"payment {message.data.payment_id} of call {call_id}")
    if payment.call_id != call_id:
        return Rejection(Reason.CALL_STALE, f"payment {payment.payment_id} waits for call {payment.call_id}")
    return None


def _authorized(payment: Payment, message: CallSucceeded, now: datetime) -> Outcome:
    data = message.data
    if data.amount_minor == 0:
        return Rejection(Reason.AMOUNT_DIFFERS, "amount_minor is 0: nothing was authorized")
    if data.amount_minor > payment.amount_minor:
        detail = f"amount_minor {data.amount_minor} is above the payment's {payment.amount_minor}"
        return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, detail)
    known = {
        "provider_reference": data.provider_reference,
        "authorized_minor": data.amount_minor,
        **answered(),
    }
    if data.captured:
        return _take(replace(payment, **known), data.amount_minor, message.time, now, final=True)
    expires_at = now + AUTHORIZATION_LIFETIME[payment.method_network or ""]
    held, step = advance(payment, Trigger.AUTHORIZE, now, authorization_expires_at=expires_at, **known)
    timer = Timer(
        derived_id(payment.payment_id, "authorization_expiry", held.version),
        "authorization_expiry",
        expires_at,
        payment.payment_id,
        payment.order_id,
    )
    return Decision(states=(held,), transitions=(step,), events=(tell(held),), timers=(timer,))


def _captured(payment: Payment, message: CallSucceeded, now: datetime) -> Outcome:
    taken_minor = message.data.amount_minor
    if taken_minor == 0:
        return Rejection(Reason.AMOUNT_DIFFERS, "amount_minor is 0: nothing was captured")
    if taken_minor > payment.capturable_minor:
        detail = f"amount_minor {taken_minor} is above what is left to capture, {payment.capturable_minor}"
        return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, detail)
    return _take(replace(payment, **answered()), taken_minor, message.time, now, final=payment.call_final)


def _take(
    payment: Payment, taken_minor: int, effective_at: datetime, now: datetime, *, final: bool
) -> Decision:
    """Book a capture; a final one completes the payment in the same breath."""
    whole_fee_minor = fee_after(payment, taken_minor)
    posting = book_taken(payment, taken_minor, whole_fee_minor - payment.fee_minor, effective_at)
    captured, step = advance(
        payment,
        Trigger.CAPTURE,
        now,
        captured_minor=payment.captured_minor + taken_minor,
        fee_minor=whole_fee_minor,
    )
    if not final:
        return Decision(
            states=(captured,), transitions=(step,), postings=(posting,), events=(tell(captured),)
        )
    paid, last_step = advance(captured, Trigger.COMPLETE, now)
    return Decision(
        states=(paid,),
        transitions=(step, last_step),
        postings=(posting,),
        events=(tell(captured), tell(paid)),
    )


def _voided(payment: Payment, now: datetime) -> Decision:
    if payment.state == State.PROCESSING:
        return _end(payment, Trigger.GIVE_UP, Reason.CHALLENGE_ABANDONED, now)
    return _end(payment, Trigger.CANCEL, Reason.REQUESTED_BY_CALLER, now)


def _last_reason(payment: Payment, reason: Reason) -> Reason | None:
    """Why a decline for `reason` is the last word; None when the customer may try another method."""
    if payment.reason is Reason.CHALLENGE_ABANDONED:
        return Reason.CHALLENGE_ABANDONED
    if reason in NO_FURTHER_ATTEMPT:
        return reason
    return Reason.ATTEMPTS_EXHAUSTED if payment.attempts >= MAX_ATTEMPTS else None


def _look_again(payment: Payment, now: datetime) -> Decision:
    """Ask how it stands: a void that was refused may have met money that was taken meanwhile."""
    asking, call = ask(payment, "confirm", now)
    return Decision(states=(asking,), calls=(call,))


def _end(payment: Payment, trigger: Trigger, reason: Reason, now: datetime) -> Decision:
    after, step = advance(payment, trigger, now, reason, **answered())
    return Decision(states=(after,), transitions=(step,), events=(tell(after),))


def _still(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """The state stays; the reason is told."""
    after = replace(payment, reason=reason, updated_at=now, **answered())
    return Decision(states=(after,), events=(tell(after),))
