"""What one message does to a refund and its payment, gathered step by step into a Decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Audit, Call, Decision, Event, Rejection, Timer, Transition, Waiting
from handlers.payments.model import derived_id
from handlers.payments.rules import steps as payments
from handlers.payments.states import TRANSITIONS as PAYMENT_TRANSITIONS
from handlers.payments.states import Trigger as PaymentTrigger
from handlers.refunds.model import RefundCount
from handlers.refunds.postings import book
from handlers.refunds.states import TRANSITIONS
from schemas.notification import NOTIFICATION_REQUESTED, Audience, NotificationRequested
from schemas.reasons import Reason
from schemas.refund import RefundChanged
from schemas.value import value

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.ledger.model import PostingRule
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund
    from handlers.refunds.states import Trigger
    from schemas.actor import Actor
    from schemas.provider import Operation
    from schemas.timer import TimerKind


@value
class Progress:
    """A refund, its payment, and what its payment's refunds gave back of the fee, as they are by now.

    Every method returns the progress after it. `moment` is the time of deciding; `effective_at` is when the
    business event happened, for the entries.
    """

    payment: Payment
    refund: Refund
    tally: RefundCount | None
    moment: datetime
    effective_at: datetime
    decided: Decision = Decision()

    def step(self, trigger: Trigger, reason: Reason | None = None, **changes: Any) -> Progress:
        """Go along the refund's table, and tell. KeyError when the table forbids it: rules ask `refusal` first."""
        before = self.refund
        after = replace(
            before,
            state=TRANSITIONS[before.state, trigger],
            version=before.version + 1,
            reason=reason,
            updated_at=self.moment,
            **changes,
        )
        return self._entered(after, before.state, trigger)

    def open(self, trigger: Trigger) -> Progress:
        """The refund's first step: it is new, and stands where `trigger` leads from nothing."""
        return self._entered(replace(self.refund, state=TRANSITIONS[None, trigger], version=1), None, trigger)

    def change(self, **changes: Any) -> Progress:
        """The refund stays where it is."""
        return replace(self, refund=replace(self.refund, updated_at=self.moment, **changes))

    def move(
        self, *, refunding_minor: int = 0, refunded_minor: int = 0, trigger: PaymentTrigger | None = None
    ) -> Progress:
        """Add to the payment's sums; with a `trigger`, it takes a step of its own and tells it."""
        sums: dict[str, Any] = {
            "refunding_minor": self.payment.refunding_minor + refunding_minor,
            "refunded_minor": self.payment.refunded_minor + refunded_minor,
        }
        if trigger is None:
            return replace(self, payment=replace(self.payment, updated_at=self.moment, **sums))
        reason = Reason.REFUND_RETURNED if trigger is PaymentTrigger.RETURN_REFUND else self.payment.reason
        paid, transition = payments.advance(self.payment, trigger, self.moment, reason, **sums)
        moved = replace(self, payment=paid)
        return moved.with_(transitions=(transition,), events=(payments.tell(paid),))

    def count_fee(self, amount_minor: int, fee_minor: int) -> Progress:
        """Add to what the payment's refunds gave back of the fee."""
        before = self.tally
        after = RefundCount(
            self.payment.tenant,
            fee_subject(self.payment.payment_id),
            (),
            (before.amount_minor if before else 0) + amount_minor,
            (before.fee_returned_minor if before else 0) + fee_minor,
            self.moment,
        )
        return replace(self, tally=after).with_(states=(after,))

    def book(self, rule: PostingRule, gross_minor: int) -> Progress:
        """An entry of `gross_minor`; none when that is zero."""
        if gross_minor == 0:
            return self
        return self.with_(postings=(book(rule, self.payment, self.refund, gross_minor, self.effective_at),))

    def ask(self, operation: Operation) -> Progress:
        """Open a provider call: the refund remembers it, the gateway makes it."""
        number = self.refund.calls + 1
        call_id = derived_id(self.refund.object_id, "call", number)
        call = Call(
            call_id,
            self.payment.payment_id,
            self.payment.order_id,
            self.payment.provider or "",
            operation,
            self.refund.amount_minor,
            self.refund.currency,
            self.payment.method,
            provider_reference=self.payment.provider_reference,
            object_id=self.refund.object_id,
            object_reference=self.refund.provider_reference,
        )
        return self.change(call_id=call_id, calls=number, certain=True).with_(calls=(call,))

    def set_timer(self, kind: TimerKind, due_at: datetime, timer_id: UUID) -> Progress:
        """Come back to the refund at `due_at`."""
        timer = Timer(
            timer_id, kind, due_at, self.payment.payment_id, self.payment.order_id, self.refund.object_id
        )
        return self.with_(timers=(timer,))

    def tell(self, event_type: str) -> Progress:
        """Say how the refund stands, by an event that is none of a state's."""
        return self.with_(events=(_told(self.refund, self.payment, event_type),))

    def notify(
        self, audience: Audience, recipient: str, about: str, detail: str, act_by: datetime | None = None
    ) -> Progress:
        """Have somebody told."""
        told = NotificationRequested(
            audience,
            recipient,
            about,
            "refund",
            str(self.refund.object_id),
            self.refund.order_id,
            self.refund.reason,
            detail,
            act_by,
        )
        return self.with_(events=(Event(NOTIFICATION_REQUESTED, self.refund.order_id, told),))

    def audit(self, actor: Actor, action: str, note: str) -> Progress:
        """Write down what a person did; a program's deeds are in the messages."""
        if actor.role == "system":
            return self
        refund = self.refund
        detail = (
            f"{refund.amount_minor} {refund.currency} of order {refund.order_id}, as {actor.role}: {note}"
        )
        done = Audit(actor.id, f"refund.{action}", "refund", str(refund.object_id), detail)
        return self.with_(audit=(done,))

    def with_(self, **more: tuple[Any, ...]) -> Progress:
        """More to write."""
        grown = {name: (*getattr(self.decided, name), *added) for name, added in more.items()}
        return replace(self, decided=replace(self.decided, **grown))

    def decision(self) -> Decision:
        """All of it."""
        return replace(self.decided, states=(self.payment, self.refund, *self.decided.states))

    def _entered(self, after: Refund, before: str | None, trigger: Trigger) -> Progress:
        transition = Transition(
            after.object_id, after.version, before, trigger, after.state, after.reason, "refund"
        )
        entered = replace(self, refund=after)
        return entered.with_(
            transitions=(transition,), events=(_told(after, self.payment, f"refund.{after.state}.v1"),)
        )


def fee_subject(payment_id: UUID) -> str:
    """Under which name a payment's returned fees are counted."""
    return f"payment:{payment_id}"


def unknown_payment(order_id: str | None) -> Waiting:
    """The payment may still come."""
    return Waiting(Reason.PAYMENT_UNKNOWN, f"order {order_id} has no payment")


def unknown_refund(name: object) -> Waiting:
    """The refund may still come."""
    return Waiting(Reason.REFUND_UNKNOWN, f"refund {name} is not known", "refund")


def refusal(refund: Refund, trigger: Trigger) -> Rejection | None:
    """Why `trigger` may not happen to the refund now; None when the table allows it."""
    if (refund.state, trigger) in TRANSITIONS:
        return None
    return Rejection(
        Reason.STATE_FORBIDS,
        f"refund {refund.refund_id} is {refund.state}, which does not allow {trigger}",
    )


def room_of(payment: Payment) -> int:
    """How much more of the payment can have been given back without our asking (law 7)."""
    if (payment.state, PaymentTrigger.REFUND_PART) not in PAYMENT_TRANSITIONS:
        return 0
    taken_minor = payment.refunding_minor + payment.refunded_minor + payment.disputed_minor
    return max(payment.captured_minor - taken_minor, 0)


def _told(refund: Refund, payment: Payment, event_type: str) -> Event:
    return Event(
        event_type,
        str(refund.payment_id),
        RefundChanged(
            refund.object_id,
            refund.refund_id,
            refund.payment_id,
            refund.order_id,
            refund.merchant_id,
            refund.customer_id,
            refund.state,
            refund.version,
            refund.currency,
            refund.amount_minor,
            refund.suspense_minor,
            refund.fee_returned_minor,
            payment.refundable_minor,
            refund.destination,
            refund.cause,
            refund.reason,
            refund.certain,
            refund.needs_approval_of,
            refund.requested_by,
            refund.approved_by,
            refund.provider_reference,
            refund.requested_at,
        ),
    )
