"""A paid order and its disputes, driven by the messages that the workers read, through the routes, with no database.

case = Case().report("needs_response").report("won", at=2, funds_minor=0)
assert case.dispute.state == "won"
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from handlers.decision import Call, Decision, Event, Outcome, Rejection, Timer, Transition, Waiting
from handlers.disputes.model import Dispute, Evidence, OrderDocument, dispute_id_of
from handlers.ledger.model import DEBIT, Posting
from handlers.payments.model import Payment
from handlers.routes import route_of
from schemas.envelope import Message
from tests.handlers.scene import STALE_ID, TYPE_OF, Scene
from tests.schemas.samples import TOPIC_OF, cloud_event, read

NOW: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)
DUE: Final = NOW + timedelta(days=10)
CAPTURED_MINOR: Final = 10_000
FEE_MINOR: Final = 1_500
REFERENCE: Final = "auth_1"
"""The provider's name of the payment, as the samples answer."""


def paid(captured_minor: int = CAPTURED_MINOR, currency: str = "EUR") -> Payment:
    """A payment by card that succeeded."""
    money = {"amount_minor": captured_minor, "currency": currency}
    scene = Scene(amount=money, capture_method="automatic").send("payment_requested")
    payment = scene.answer("call_succeeded").payment
    assert payment.state == "succeeded"
    return payment


class Case:
    """The payment, its disputes, what is on file, the time, and all that was decided on the way."""

    def __init__(self, payment: Payment | None = None) -> None:
        self.payment = payment or paid()
        self.now = NOW
        self.outcome: Outcome = Decision()
        self.kept: dict[tuple[str, Any], Any] = {}
        """(kind, key) -> a dispute, or a history as a tuple."""
        self.transitions: list[Transition] = []
        self.postings: list[Posting] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.timers: list[Timer] = []

    def find(self, reference: str = "dp_1") -> Dispute:
        """A dispute by the provider's name. KeyError when there is none."""
        dispute: Dispute = self.kept["dispute", ("acme", dispute_id_of("acme", reference))]
        return dispute

    @property
    def dispute(self) -> Dispute:
        """The first one."""
        return self.find()

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was sent for the first one."""
        found: tuple[Evidence, ...] = self.kept.get(("evidence", ("acme", self.dispute.object_id)), ())
        return found

    @property
    def rejection(self) -> Rejection:
        """The last message's. AssertionError when it was none."""
        assert isinstance(self.outcome, Rejection), self.outcome
        return self.outcome

    @property
    def waiting(self) -> Waiting:
        """What the last message waits for. AssertionError when it waits for nothing."""
        assert isinstance(self.outcome, Waiting), self.outcome
        return self.outcome

    @property
    def decision(self) -> Decision:
        """The last message's. AssertionError when it was none."""
        assert isinstance(self.outcome, Decision), self.outcome
        return self.outcome

    @property
    def steps(self) -> list[str]:
        """The triggers that disputes went through."""
        return [step.event for step in self.transitions if step.object_type == "dispute"]

    @property
    def balances(self) -> dict[str, int]:
        """Account code -> debits less credits, where they differ."""
        found: Counter[str] = Counter()
        for posting in self.postings:
            for leg in posting.legs:
                found[leg.account] += leg.amount_minor if leg.side == DEBIT else -leg.amount_minor
        return {code: minor for code, minor in found.items() if minor}

    @property
    def entries(self) -> list[tuple[Any, ...]]:
        """What was posted, without when: rule, object and legs, sorted."""
        return sorted(
            (
                posting.rule,
                posting.object_id,
                *((leg.side, leg.account, leg.amount_minor) for leg in posting.legs),
            )
            for posting in self.postings
        )

    def told(self, event_type: str) -> list[Any]:
        """The data of all events of a type."""
        return [event.data for event in self.events if event.type == event_type]

    def send(self, name: str, **data: Any) -> Case:
        """A message to the rule that it is routed to; `data` changes members."""
        message_type = TYPE_OF[name]
        event = cloud_event(message_type, time=self.now.isoformat())
        event["data"] |= data
        return self.take(read(TOPIC_OF[message_type], json.dumps(event, default=str).encode()))

    def take(self, message: Message) -> Case:
        """A message that was read already."""
        route = route_of(message)
        assert route is not None
        known = [
            self.payment if need.kind == "payment" else self.kept.get((need.kind, need.key(message)))
            for need in route.needs
        ]
        self.outcome = route.rule(*known, message, self.now)
        self._settle()
        return self

    def report(self, status: str, at: float = 0, **data: Any) -> Case:
        """The provider says, `at` hours after the beginning, how the dispute stood then."""
        held_minor = data.get("amount_minor", CAPTURED_MINOR) if data.get("stage") != "inquiry" else 0
        said = {
            "status": status,
            "occurred_at": (NOW + timedelta(hours=at)).isoformat(),
            "amount_minor": CAPTURED_MINOR,
            "funds_minor": 0 if status == "won" else held_minor,
            "fee_minor": FEE_MINOR,
            "evidence_due_at": DUE.isoformat(),
        }
        return self.send("dispute_reported", **(said | data))

    def submit(self, **data: Any) -> Case:
        """The merchant answers."""
        return self.send("evidence_submitted", **data)

    def accept(self, **data: Any) -> Case:
        """The merchant gives in."""
        return self.send("dispute_accepted", **data)

    def answer(self, name: str = "call_succeeded", reference: str = "dp_1", **data: Any) -> Case:
        """The provider's answer to the dispute's call; to a stale one when there is none."""
        dispute = self.find(reference)
        call = {
            "call_id": dispute.call_id or STALE_ID,
            "payment_id": dispute.payment_id,
            "object_id": dispute.object_id,
            "operation": self.calls[-1].operation if self.calls else "submit_evidence",
        }
        return self.send(name, **(call | data))

    def time_out(self, kind: str, **data: Any) -> Case:
        """The last timer of this kind is due, and the clock with it."""
        timer = next(timer for timer in reversed(self.timers) if timer.kind == kind)
        self.now = max(self.now, timer.due_at)
        due = {
            "kind": kind,
            "timer_id": timer.timer_id,
            "payment_id": timer.payment_id,
            "object_id": timer.object_id,
            "due_at": timer.due_at.isoformat(),
        }
        return self.send("due", **(due | data))

    def wait(self, **duration: float) -> Case:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self

    def _settle(self) -> None:
        if not isinstance(self.outcome, Decision):
            return
        for state in self.outcome.states:
            if isinstance(state, Payment):
                self.payment = state
            elif isinstance(state, Dispute):
                self.kept["dispute", (state.tenant, state.object_id)] = state
            elif isinstance(state, Evidence):
                key = ("evidence", (state.tenant, state.object_id))
                self.kept[key] = (*self.kept.get(key, ()), state)
            else:
                assert isinstance(state, OrderDocument)
                at = ("order_documents", (state.tenant, state.order_id))
                self.kept[at] = (*self.kept.get(at, ()), state)
        self.transitions += self.outcome.transitions
        self.postings += self.outcome.postings
        self.events += self.outcome.events
        self.calls += self.outcome.calls
        self.timers += self.outcome.timers
