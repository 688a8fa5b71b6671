"""What a provider's answer means for the payment. Every answer names its call; an answer to another call is stale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision
from handlers.payments.remarks import being_reversed
from handlers.payments.rules import outcome, strays
from handlers.payments.rules.calls import did, without_effect
from handlers.payments.rules.progress import challenge, decline, look_again, pend, pend_on, stay
from handlers.payments.rules.steps import ask, refusal, unknown
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.provider import (
        CallDeclined,
        CallFailed,
        CallPending,
        CallSucceeded,
        CallUnknown,
        ChallengeRequired,
    )


def call_succeeded(payment: Payment | None, message: CallSucceeded, now: datetime) -> Outcome:
    """Authorized, captured, increased, voided, or given back."""
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    if payment.call_id != data.call_id:
        return outcome.contradiction(payment, message, now)
    if payment.call_operation != "void" and not 0 < data.amount_minor <= (payment.call_amount_minor or 0):
        return outcome.impossible(payment, data.amount_minor, now)
    if being_reversed(payment) is not None:
        return strays.reversed_for_certain(payment, message.time, now)
    return did(payment, data.provider_reference, data.amount_minor, message.time, now, captured=data.captured)


def call_declined(payment: Payment | None, message: CallDeclined, now: datetime) -> Outcome:
    """No. A declined authorization asks for another method or ends; other operations leave the state."""
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    if payment.call_id != data.call_id:
        return outcome.contradiction(payment, message, now)
    if being_reversed(payment) is not None:
        return strays.not_reversed(payment, data.reason, now)
    if payment.call_operation == "void" and payment.state in {State.PROCESSING, State.REQUIRES_ACTION}:
        return look_again(payment, now)
    if payment.state in {State.PROCESSING, State.SETTLING}:
        return decline(payment, data.reason, now)
    return stay(payment, data.reason, now)


def challenge_required(payment: Payment | None, message: ChallengeRequired, now: datetime) -> Outcome:
    """The customer must authenticate. When we asked because they had left, the authorization is given up instead."""
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    if payment.call_id != data.call_id:
        return strays.stale(payment, data.call_id)
    if payment.reason is Reason.CHALLENGE_ABANDONED:
        asking, call = ask(replace(payment, provider_reference=data.provider_reference), "void", now)
        return Decision(states=(asking,), calls=(call,))
    if refusal(payment, Trigger.CHALLENGE) is not None:
        return outcome.become_unknown(payment, now)
    return challenge(payment, data.provider_reference, data.redirect_url, now)


def call_pending(payment: Payment | None, message: CallPending, now: datetime) -> Outcome:
    """The provider took it on, and the bank decides later; when it takes too long, a person is asked.

    Some providers take on captures and voids so, too: then their webhook says how it ended.
    """
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    if payment.call_id != data.call_id:
        return strays.stale(payment, data.call_id)
    if being_reversed(payment) is not None:
        return strays.reversed_for_certain(payment, message.time, now)
    if payment.state == State.SETTLING:
        deadline = payment.state_ends_at
        return pend_on(payment, now) if deadline and now < deadline else outcome.overdue(payment, now)
    if payment.state == State.PROCESSING and payment.call_operation != "void":
        return pend(payment, data.provider_reference, now)
    return outcome.become_unknown(payment, now)


def call_unknown(payment: Payment | None, message: CallUnknown, now: datetime) -> Outcome:
    """Nobody knows yet, and we say so; the gateway goes on asking."""
    if payment is None:
        return unknown(message.data.order_id)
    if payment.call_id != message.data.call_id:
        return strays.stale(payment, message.data.call_id)
    return outcome.become_unknown(payment, now)


def call_failed(payment: Payment | None, message: CallFailed, now: datetime) -> Outcome:
    """Certainly no effect: another provider is asked, or the payment can be confirmed again, or we asked wrongly."""
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    if payment.call_id != data.call_id:
        return outcome.contradiction(payment, message, now)
    if being_reversed(payment) is not None:
        if data.reason is Reason.PROVIDER_UNAVAILABLE:
            return strays.ask_again(payment, now)
        return strays.not_reversed(payment, data.reason, now)
    return without_effect(payment, data.reason, now)
