"""One order's life, driven by the messages that the workers read, through the routes, with no database.

scene = Scene().send("payment_requested").answer("call_succeeded")
assert scene.payment.state == "authorized"
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from handlers.decision import Audit, Call, Decision, Event, Outcome, Rejection, Timer, Transition, Waiting
from handlers.fees.model import FeeHistory, FeeSchedule
from handlers.ledger.model import Posting
from handlers.payments.model import Payment
from handlers.payments.routes import ANSWERS
from handlers.routes import route_of
from schemas.money import Rounding
from schemas.notification import NOTIFICATION_REQUESTED
from tests.schemas.samples import ABSENT, TOPIC_OF, cloud_event, read

NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
STALE_ID: Final = "00000000-0000-4000-8000-000000000000"
TYPE_OF: Final = {message_type.split(".")[1]: message_type for message_type in TOPIC_OF}
"""Messages by their short names: "payment_requested"."""


def schedule(
    bps: int = 250,
    fixed_minor: int = 25,
    rounding: Rounding = Rounding.HALF_EVEN,
    *,
    version: int = 1,
    effective_from: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    currency: str = "EUR",
) -> FeeSchedule:
    """A fee schedule of the merchant that the samples name."""
    return FeeSchedule("acme", "shoes", version, effective_from, bps, {currency: fixed_minor}, rounding)


FEES: Final = (schedule(),)


class Scene:
    """The order's payment, its merchant's fees, the time, and all that was decided on the way."""

    def __init__(self, fees: FeeHistory | None = FEES, *, tenant: str = "acme", **request: Any) -> None:
        """`request` changes members of the data of whatever opens the payment."""
        self.fees = fees
        self.tenant = tenant
        self.now = NOW
        self.outcome: Outcome = Decision()
        self.transitions: list[Transition] = []
        self.postings: list[Posting] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.timers: list[Timer] = []
        self.audit: list[Audit] = []
        self._payment: Payment | None = None
        self._request = request

    @property
    def payment(self) -> Payment:
        """The payment. AssertionError when there is none."""
        assert self._payment is not None
        return self._payment

    @property
    def opened(self) -> bool:
        """Whether the order has a payment."""
        return self._payment is not None

    @property
    def rejection(self) -> Rejection:
        """The last message's rejection. AssertionError when it was none."""
        assert isinstance(self.outcome, Rejection), self.outcome
        return self.outcome

    @property
    def waiting(self) -> Waiting:
        """What the last message waits for. AssertionError when it waits for nothing."""
        assert isinstance(self.outcome, Waiting), self.outcome
        return self.outcome

    @property
    def notices(self) -> list[str]:
        """What somebody was asked to be told, in order; one for each audience."""
        return [event.data.about for event in self.events if event.type == NOTIFICATION_REQUESTED]

    def send(self, name: str, **data: Any) -> Scene:
        """A message, as JSON, to the rule that it is routed to; `data` changes members, ABSENT drops one."""
        message_type = TYPE_OF[name]
        opens = name in {"payment_requested", "payment_recorded", "payment_deferred"}
        changes = (self._request if opens else {}) | data
        event = cloud_event(message_type, time=self.now.isoformat(), tenant=self.tenant)
        kept = {**event["data"], **changes}
        event["data"] = {member: value for member, value in kept.items() if value is not ABSENT}
        message = read(TOPIC_OF[message_type], json.dumps(event, default=str).encode())
        known: dict[str, Any] = {"payment": self._payment, "fees": self.fees}
        route = route_of(message)
        if self._payment and getattr(message.data, "call_id", None) == self._payment.call_id:
            # What the payment itself asked for; refunds hand over the answers to its refunds of late successes.
            route = ANSWERS.get(message_type, route)
        assert route is not None
        self.settle(route.rule(*(known.get(need.kind) for need in route.needs), message, self.now))
        return self

    def answer(self, name: str, **data: Any) -> Scene:
        """The provider's answer to the call under way; to a stale one when there is none."""
        payment = self._payment
        asked = self.calls[-1] if self.calls else None
        call: dict[str, Any] = {
            "call_id": payment.call_id if payment and payment.call_id else STALE_ID,
            "payment_id": payment.payment_id if payment else STALE_ID,
            "operation": asked.operation if asked else "authorize",
        }
        if name == "call_succeeded":
            call |= _done(payment, asked)
        return self.send(name, **(call | data))

    def report(self, status: str, **data: Any) -> Scene:
        """The provider's webhook about the charge that the payment has, or is asking for; totals as they would be."""
        payment = self._payment
        amount_minor = payment.amount_minor if payment else 1999
        held = status in {"authorized", "captured"}
        told: dict[str, Any] = {
            "status": status,
            "provider_reference": (payment and payment.provider_reference) or "auth_1",
            "currency": payment.currency if payment else "EUR",
            "authorized_minor": amount_minor if held else None,
            "captured_minor": amount_minor if status == "captured" else 0,
            "call_id": payment.call_id if payment else None,
            "provider": (payment and payment.provider) or "sandbox",
            "reason": "processing_declined" if status == "failed" else None,
            "redirect_url": "https://bank.example/3ds?id=1" if status == "requires_action" else None,
            "occurred_at": self.now.isoformat(),
        }
        return self.send("payment_reported", **(told | data))

    def time_out(self, kind: str, timer_id: UUID | None = None) -> Scene:
        """The last timer of this kind is due, and the clock with it; without one, a stale timer."""
        set_timer = next(
            (
                timer
                for timer in reversed(self.timers)
                if timer.kind == kind and timer_id in {None, timer.timer_id}
            ),
            None,
        )
        if set_timer is not None:
            self.now = max(self.now, set_timer.due_at)
        return self.send(
            "due",
            kind=kind,
            timer_id=timer_id or (set_timer.timer_id if set_timer else STALE_ID),
            payment_id=self._payment.payment_id if self._payment else STALE_ID,
            due_at=self.now.isoformat(),
        )

    def having(self, **sums: Any) -> Scene:
        """With what refunds and disputes have done to the payment meanwhile."""
        self._payment = replace(self.payment, **sums)
        return self

    def wait(self, **duration: int) -> Scene:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self

    def settle(self, outcome: Outcome) -> None:
        """Take an outcome for what the last message led to."""
        self.outcome = outcome
        if not isinstance(outcome, Decision):
            return
        for state in outcome.states:
            if isinstance(state, Payment):
                self._payment = state
            else:
                self.fees = (*(self.fees or ()), state)
        self.transitions += outcome.transitions
        self.postings += outcome.postings
        self.events += outcome.events
        self.calls += outcome.calls
        self.timers += outcome.timers
        self.audit += outcome.audit


def _done(payment: Payment | None, asked: Call | None) -> dict[str, Any]:
    """What a provider reports that did all that it was asked."""
    if payment is None or asked is None:
        return {"amount_minor": 1, "captured": False}
    if asked.operation in {"capture", "void", "increase", "refund"}:
        return {"amount_minor": asked.amount_minor, "captured": asked.operation == "capture"}
    return {"amount_minor": payment.amount_minor, "captured": payment.capture_method == "automatic"}
