"""The engine in memory: the real routes and rules, with the inbox, keys and parking of consumers/ around them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from consumers.parking import LONGEST_WAIT
from db.tables import TABLE_OF
from handlers.decision import Decision, Rejection, Waiting
from handlers.ledger.model import DEBIT
from handlers.needs import Reference
from handlers.payments.model import Payment
from handlers.routes import route_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from handlers.decision import Call, Outcome, Timer
    from schemas.envelope import Message
    from schemas.reasons import Reason
    from tests.property.machine.luck import Clock

KEY_LIFETIME: Final = timedelta(days=7)
Name = tuple[str, Any]
"""(kind, key) of an aggregate."""


_NOTHING: Final = Decision()


@dataclass(frozen=True)
class Verdict:
    """What became of a message."""

    outcome: str
    reason: Reason | None = None
    decision: Decision = _NOTHING


@dataclass
class Parked:
    """A message that waits, and for what."""

    message: Message
    since: datetime
    awaited: Name | None


class Memory:
    """Everything that the messages so far have led to. A message that raises is the test's failure."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.states: dict[Name, Any] = {}
        self.calls: dict[UUID, Call] = {}
        self.asked: list[Call] = []
        """Calls that the gateway has not seen yet."""
        self.timers: list[Timer] = []
        self.steps: dict[UUID, tuple[str, int]] = {}
        """Object -> where its history ends."""
        self.taken: Counter[tuple[str, str | None, str]] = Counter()
        """(type of the object, state, trigger) -> how often."""
        self.books: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Order -> account -> debits less credits."""
        self.moved: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Order -> posting rule -> sum of its debits."""
        self.queues: dict[tuple[str, str], list[Parked]] = {}
        self.dead: list[Message] = []
        self._inbox: dict[tuple[str, str], Verdict] = {}
        self._keys: dict[tuple[str, str, str], tuple[dict[str, Any], Verdict, datetime]] = {}

    # ---- what is known

    def of(self, kind: str) -> list[Any]:
        """All aggregates of a kind."""
        return [state for (one, _), state in self.states.items() if one == kind]

    def find(self, kind: str, key: Any) -> Any:
        """One aggregate; None when there is none."""
        if isinstance(key, Reference):
            named = (key.provider, key.reference)
            return next((p for p in self.of("payment") if (p.provider, p.provider_reference) == named), None)
        return self.states.get((kind, key))

    # ---- what comes in

    def handle(self, message: Message, *, crash: bool = False) -> Verdict:
        """Take a message in. With `crash` its first transaction is rolled back, and it is delivered again."""
        identity = (message.source, message.id)
        if identity in self._inbox:
            return Verdict("duplicate")
        queue = self.queues.get(self._lane(message))
        if queue and not self._brings(message, queue[0].awaited):
            queue.append(Parked(message, self.clock.now, None))
            verdict = Verdict("parked")
        else:
            verdict = self._judge(message, crash=crash)
            if verdict.outcome == "parked":
                self.queues[self._lane(message)] = [
                    Parked(message, self.clock.now, self._awaited(message)),
                    *(queue or ()),
                ]
        self._inbox[identity] = verdict
        if verdict.outcome == "applied":
            self.look_at_parked()
        return verdict

    def verdict(self, source: str, event_id: str) -> Verdict:
        """What became of a message that was taken in."""
        return self._inbox[source, event_id]

    def replay(self, message: Message) -> None:
        """A person sends a dead letter again; the inbox counts it as the same event."""
        del self._inbox[message.source, message.id]
        self.handle(message)

    def forget(self, order_id: str) -> None:
        """The order is over, and nothing more comes about it."""
        gone = [name for name, state in self.states.items() if getattr(state, "order_id", None) == order_id]
        for name in gone:
            del self.states[name]
        self.timers = [timer for timer in self.timers if timer.order_id != order_id]
        self.queues = {lane: queue for lane, queue in self.queues.items() if lane[1] != order_id}
        self.books.pop(order_id, None)
        self.moved.pop(order_id, None)

    def look_at_parked(self) -> None:
        """Judge what waits, each queue in order until one must go on waiting, until nothing moves."""
        moved = True
        while moved:
            moved = False
            for lane in list(self.queues):
                moved |= self._look_at(lane)

    def give_up_waiting(self) -> None:
        """Messages that have waited too long become dead letters."""
        for lane, queue in list(self.queues.items()):
            while queue and self.clock.now - queue[0].since > LONGEST_WAIT:
                self.dead.append(queue.pop(0).message)
            if not queue:
                del self.queues[lane]
        self.look_at_parked()

    def _look_at(self, lane: tuple[str, str]) -> bool:
        queue = self.queues[lane]
        moved = False
        while queue:
            verdict = self._judge(queue[0].message)
            if verdict.outcome == "parked":
                queue[0].awaited = self._awaited(queue[0].message)
                return moved
            parked = queue.pop(0)
            self._inbox[parked.message.source, parked.message.id] = verdict
            moved = True
        del self.queues[lane]
        return moved

    # ---- judging

    def _judge(self, message: Message, *, crash: bool = False) -> Verdict:
        key = message.data.command_key()
        if key is None:
            return self._decide(message, crash=crash)
        scope = (message.type, message.data.ordering_key(), key)
        asked = message.data.model_dump()
        before = self._keys.get(scope)
        if before is not None and before[2] > self.clock.now and before[1].outcome != "parked":
            return Verdict("duplicate" if before[0] == asked else "rejected")
        verdict = self._decide(message, crash=crash)
        self._keys[scope] = (asked, verdict, self.clock.now + KEY_LIFETIME)
        return verdict

    def _decide(self, message: Message, *, crash: bool = False) -> Verdict:
        if crash:
            assert self._outcome(message) == self._outcome(message), "a redelivery must decide the same"
        outcome = self._outcome(message)
        if isinstance(outcome, Rejection):
            return Verdict("rejected", outcome.reason)
        if isinstance(outcome, Waiting):
            return Verdict("parked", outcome.reason)
        self._write(message, outcome)
        return Verdict("applied", decision=outcome)

    def _outcome(self, message: Message) -> Outcome:
        route = route_of(message)
        assert route is not None, message
        known = [self.find(need.kind, need.key(message)) for need in route.needs]
        return route.rule(*known, message, self.clock.now)

    def _brings(self, message: Message, awaited: Name | None) -> bool:
        outcome = self._outcome(message)
        if awaited is None or not isinstance(outcome, Decision):
            return False
        return any(name == awaited and name not in self.states for name in map(_name, outcome.states))

    def _awaited(self, message: Message) -> Name:
        outcome = self._outcome(message)
        route = route_of(message)
        assert isinstance(outcome, Waiting)
        assert route is not None
        return outcome.kind, next(need.key(message) for need in route.needs if need.kind == outcome.kind)

    # ---- the one transaction

    def _write(self, message: Message, decision: Decision) -> None:
        for state in decision.states:
            name = _name(state)
            history = TABLE_OF[type(state)].history
            self.states[name] = (*self.states.get(name, ()), state) if history else state
        for step in decision.transitions:
            before, version = self.steps.get(step.object_id, (None, 0))
            assert (step.from_state, step.version) == (before, version + 1), step
            self.steps[step.object_id] = (str(step.to_state), step.version)
            self.taken[step.object_type, step.from_state, step.event] += 1
        for call in decision.calls:
            assert call.call_id not in self.calls, f"{call.call_id} is asked for twice"
            self.calls[call.call_id] = call
            self.asked.append(call)
        self.timers += decision.timers
        order_id = self._order_of(message)
        for posting in decision.postings:
            for leg in posting.legs:
                debit = leg.side == DEBIT
                self.books[order_id][leg.account] += leg.amount_minor if debit else -leg.amount_minor
                self.moved[order_id][posting.rule] += leg.amount_minor if debit else 0

    def _order_of(self, message: Message) -> str:
        named: str | None = getattr(message.data, "order_id", None)
        if named is not None:
            return named
        route = route_of(message)
        known = [self.find(need.kind, need.key(message)) for need in (route.needs if route else ())]
        return next((state.order_id for state in known if isinstance(state, Payment)), "")

    @staticmethod
    def _lane(message: Message) -> tuple[str, str]:
        return message.type.split(".")[0], message.data.ordering_key()


def _name(state: Any) -> Name:
    table = TABLE_OF[type(state)]
    return table.kind, table.key_of(state)


def legs_of(memory: Memory, order_id: str) -> Iterator[tuple[str, int]]:
    """The accounts of an order that are not even."""
    return ((account, minor) for account, minor in memory.books[order_id].items() if minor)
