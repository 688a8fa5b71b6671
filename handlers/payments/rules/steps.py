"""The steps that every payment rule is made of: go along the table, ask the provider, tell the world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Call, Event, Rejection, Transition, Waiting
from handlers.payments.model import PROVIDER_OF_METHOD, derived_id
from handlers.payments.states import TRANSITIONS
from schemas.payment import PaymentChanged
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.payments.model import Payment
    from handlers.payments.states import State, Trigger
    from schemas.provider import Operation


def refusal(payment: Payment, trigger: Trigger) -> Rejection | None:
    """Why `trigger` may not happen to the payment now; None when the table allows it."""
    if (payment.state, trigger) in TRANSITIONS:
        return None
    return Rejection(
        Reason.STATE_FORBIDS,
        f"payment {payment.payment_id} is {payment.state}, which does not allow {trigger}",
    )


def busy(payment: Payment) -> Waiting | None:
    """What arrives while the provider is being asked waits for the answer, in order; None when nobody is asked."""
    if payment.call_id is None:
        return None
    return Waiting(
        Reason.CALL_IN_PROGRESS,
        f"payment {payment.payment_id} waits for its provider ({payment.call_operation} {payment.call_id})",
    )


def advance(
    payment: Payment, trigger: Trigger, now: datetime, reason: Reason | None = None, **changes: Any
) -> tuple[Payment, Transition]:
    """Take one step along the table. KeyError when the table forbids it: rules ask `refusal` first."""
    state = TRANSITIONS[payment.state, trigger]
    version = payment.version + 1
    after = replace(payment, state=state, version=version, reason=reason, updated_at=now, **changes)
    return after, transition(after, payment.state, trigger)


def transition(after: Payment, before: State | None, trigger: Trigger) -> Transition:
    """The record of the step that led to `after`."""
    return Transition(after.payment_id, after.version, before, trigger, after.state, after.reason)


def ask(
    payment: Payment, operation: Operation, now: datetime, *, amount_minor: int = 0, final: bool = True
) -> tuple[Payment, Call]:
    """Open a provider call: the payment remembers it, the gateway makes it."""
    number = payment.calls + 1
    call_id = derived_id(payment.payment_id, "call", number)
    asking = replace(
        payment,
        provider=payment.provider or PROVIDER_OF_METHOD[payment.method or ""],
        call_id=call_id,
        call_operation=operation,
        call_final=final,
        certain=True,
        calls=number,
        updated_at=now,
    )
    call = Call(
        call_id,
        payment.payment_id,
        payment.order_id,
        asking.provider or "",
        operation,
        amount_minor,
        payment.currency,
        payment.method,
        payment.method_token if operation == "authorize" else None,
        None if operation == "authorize" else payment.provider_reference,
        capture=operation == "authorize" and payment.capture_method == "automatic",
        final=final,
    )
    return asking, call


def answered() -> dict[str, Any]:
    """The changes that close the call under way."""
    return {"call_id": None, "call_operation": None, "certain": True}


def tell(payment: Payment, event_type: str | None = None) -> Event:
    """The event that says where the payment now stands."""
    return Event(
        event_type or f"payment.{payment.state}.v1",
        str(payment.payment_id),
        PaymentChanged(
            payment.payment_id,
            payment.order_id,
            payment.merchant_id,
            payment.customer_id,
            payment.state,
            payment.version,
            payment.currency,
            payment.amount_minor,
            payment.authorized_minor,
            payment.captured_minor,
            payment.capturable_minor,
            payment.refunding_minor,
            payment.refunded_minor,
            payment.disputed_minor,
            payment.refundable_minor,
            payment.fee_minor,
            payment.method,
            payment.reason,
            payment.certain,
            payment.provider_reference,
            payment.redirect_url,
        ),
    )
