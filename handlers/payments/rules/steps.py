"""The steps that every payment rule is made of: go along the table, ask the provider, tell the world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Call, Event, Rejection, Timer, Transition, Waiting
from handlers.payments.model import call_id_of, derived_id
from handlers.payments.policy import RECIPIENTS
from handlers.payments.routing import providers_of
from handlers.payments.states import TRANSITIONS
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.payment import PaymentChanged
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.payments.model import Payment
    from handlers.payments.states import State, Trigger
    from schemas.provider import Operation
    from schemas.timer import TimerKind


def unknown(order_id: str) -> Waiting:
    """There is no payment yet."""
    return Waiting(Reason.PAYMENT_UNKNOWN, f"order {order_id} has no payment")


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
    """Open a provider call: the payment remembers it, the gateway makes it.

    An answer may say at most `amount_minor`, or the payment's amount where none is asked for.
    """
    number = payment.calls + 1
    call_id = call_id_of(payment.payment_id, number)
    provider = payment.provider or providers_of(payment)[0]
    authorizes = operation == "authorize"
    asking = replace(
        payment,
        provider=provider,
        call_id=call_id,
        call_operation=operation,
        call_final=final,
        call_amount_minor=amount_minor or payment.amount_minor,
        certain=True,
        calls=number,
        updated_at=now,
    )
    call = Call(
        call_id,
        payment.payment_id,
        payment.order_id,
        provider,
        operation,
        amount_minor,
        payment.currency,
        payment.method,
        payment.method_token if authorizes else None,
        None if authorizes else payment.provider_reference,
        capture=authorizes and payment.capture_method == "automatic",
        final=final,
    )
    return asking, call


def answered() -> dict[str, Any]:
    """The changes that close the call under way."""
    return {"call_id": None, "call_operation": None, "call_amount_minor": None, "certain": True}


def wake(payment: Payment, kind: TimerKind, due_at: datetime) -> Timer:
    """A timer of the payment at this version; a further one of the same kind after a further call."""
    timer_id = derived_id(payment.payment_id, f"{kind}/{payment.version}", payment.calls)
    return Timer(timer_id, kind, due_at, payment.payment_id, payment.order_id)


def is_latest(payment: Payment, kind: TimerKind, timer_id: UUID) -> bool:
    """Whether `wake` set the timer at the payment's version and number of calls."""
    return timer_id == derived_id(payment.payment_id, f"{kind}/{payment.version}", payment.calls)


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


def notify(
    payment: Payment,
    about: str,
    detail: str,
    *,
    reason: Reason | None = None,
    act_by: datetime | None = None,
) -> tuple[Event, ...]:
    """Requests to tell those whom policy.RECIPIENTS names."""
    recipients = {"merchant": payment.merchant_id, "customer": payment.customer_id or payment.order_id}
    return tuple(
        Event(
            NOTIFICATION_REQUESTED,
            payment.order_id,
            NotificationRequested(
                audience,
                recipients.get(audience, payment.tenant),
                about,
                "payment",
                str(payment.payment_id),
                payment.order_id,
                reason,
                detail,
                act_by,
            ),
        )
        for audience in RECIPIENTS[about]
    )
