"""How a call of the payment itself ended, whoever says so: it did what was asked, or certainly nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision
from handlers.payments.routing import next_provider
from handlers.payments.rules.progress import (
    end,
    find_unavailable,
    hold,
    increase,
    look_again,
    pend_on,
    stay,
    take,
    voided,
)
from handlers.payments.rules.steps import ask
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.payments.model import Payment


def did(
    payment: Payment,
    reference: str,
    amount_minor: int,
    at: datetime,
    now: datetime,
    *,
    captured: bool,
    reason: Reason | None = None,
) -> Decision:
    """The call under way succeeded, for certain, with an amount that it may have."""
    match payment.call_operation:
        case "void":
            return voided(payment, now, reason)
        case "capture":
            return take(payment, amount_minor, at, now, final=payment.call_final, reason=reason)
        case "increase":
            return increase(payment, amount_minor, now, reason)
        case _:
            known = replace(payment, provider_reference=reference)
            if captured:
                return take(known, amount_minor, at, now, final=True, reason=reason)
            return hold(known, amount_minor, now, reason=reason)


def without_effect(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """The call under way did nothing, for certain."""
    away = reason is not Reason.PROVIDER_REFUSED_REQUEST
    if payment.state == State.SETTLING:
        return pend_on(payment, now)
    if payment.state == State.REQUIRES_ACTION and away:
        return look_again(payment, now)
    if payment.state != State.PROCESSING:
        return stay(payment, reason, now)
    if away and payment.call_operation == "authorize":
        elsewhere = next_provider(payment) if payment.certain else None
        return _fail_over(payment, elsewhere, now) if elsewhere else find_unavailable(payment, reason, now)
    if away or payment.call_operation == "void":
        return look_again(payment, now)
    return end(payment, Trigger.GIVE_UP, reason, now)


def _fail_over(payment: Payment, provider: str, now: datetime) -> Decision:
    """The same attempt at the next provider: the first outcome is certain, and no customer was asked anything."""
    elsewhere = replace(payment, provider=provider, provider_reference=None)
    asking, call = ask(elsewhere, "authorize", now, amount_minor=payment.amount_minor)
    return Decision(states=(asking,), calls=(call,))
