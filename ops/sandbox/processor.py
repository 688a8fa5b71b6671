"""One request, or one thing that time brought, from its cause to all that follows from it, in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from ops.sandbox import disputes, refunds, rules
from ops.sandbox.agenda import come_to_pass, follow_ups
from ops.sandbox.events import events_between
from ops.sandbox.messages import (
    AcceptRequest,
    AuthorizationRequest,
    CaptureRequest,
    ChallengeRequest,
    DecisionRequest,
    DisputeRequest,
    EscalationRequest,
    EvidenceRequest,
    IncreaseRequest,
    RefundRequest,
    VoidRequest,
)
from ops.sandbox.model import Authorization, Refusal
from ops.sandbox.resources import (
    authorization_resource,
    declined,
    dispute_resource,
    problem,
    refund_resource,
)
from ops.sandbox.settlements import Balance, lines_between
from ops.sandbox.store import Operation
from ops.sandbox.tokens import TOKENS, Fault, Script
from ops.sandbox.webhooks import Queue

if TYPE_CHECKING:
    from datetime import datetime

    from ops.sandbox.agenda import Happening
    from ops.sandbox.clock import Clock
    from ops.sandbox.messages import AboutAuthorization, AboutDispute, Request
    from ops.sandbox.resources import Document
    from ops.sandbox.store import Store

OF_THE_CUSTOMER = frozenset({"challenge", "dispute", "escalate", "decide"})
"""Operations that the customer or the customer's bank begins: no key of the merchant led to what follows."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request that may change something."""

    key: str
    object_id: str | None
    """The authorization or dispute that it is about; None when it opens the authorization."""
    body: Request

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal requests, whatever the order of their JSON fields."""
        content = [self.body.operation, self.object_id, self.body.model_dump()]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """A request that ran: what to answer, and what is to go wrong on the way to the caller."""

    http_status: int
    body: bytes
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class NoEffect:
    """A request that a fault stopped before it changed anything."""

    fault: Fault


class Processor:
    """The provider without HTTP: its books, its rules and its clock.

    `day_ms` is how long a day lasts that a token makes its caller wait.
    """

    def __init__(self, store: Store, clock: Clock, public_url: str, day_ms: int) -> None:
        self.store = store
        self.queue = Queue(store.db)
        self.balance = Balance(store.db, store.books_id)
        self.clock = clock
        self.public_url = public_url
        self._day_ms = day_ms

    # ------------------------------------------------------------ requests

    def submit(self, command: Command) -> Answer | NoEffect:
        """Carry out a command once; a repeat of its key gets the stored answer.

        A command that a fault stopped leaves only its key behind, and its repeat takes effect.
        """
        self.catch_up()
        with self.store.transaction():
            seen = self.store.operation(command.key)
            if seen is None:
                return self._first(command)
            if seen.fingerprint != command.fingerprint:
                # 422 as in draft-ietf-httpapi-idempotency-key-header
                conflict = Refusal(
                    422, "idempotency_conflict", "the Idempotency-Key belongs to another request"
                )
                return Answer(conflict.http_status, orjson.dumps(problem(conflict)))
            if seen.http_status is None or seen.answer is None:
                return self._carry_out(command, self._subject(command))
            return Answer(seen.http_status, seen.answer)

    def _first(self, command: Command) -> Answer | NoEffect:
        before = self._subject(command)
        fault = _fault(command.body, _script(command.body, before))
        if fault is None or fault.takes_effect:
            return self._carry_out(command, before, fault)
        self.store.put_operation(
            command.key, Operation(command.fingerprint, command.body.operation, http_status=None, answer=None)
        )
        return NoEffect(fault)

    def _subject(self, command: Command) -> Authorization | None:
        match command.body:
            case AuthorizationRequest():
                return None
            case EvidenceRequest() | AcceptRequest() | EscalationRequest() | DecisionRequest():
                return self.store.authorization_of_dispute(command.object_id or "")
            case DisputeRequest():
                return self.store.authorization(command.body.authorization_id)
            case _:
                return self.store.authorization(command.object_id or "")

    def _carry_out(
        self, command: Command, before: Authorization | None, fault: Fault | None = None
    ) -> Answer:
        now = self.clock.now()
        outcome = _decide(command, before, now)
        if isinstance(outcome, Refusal):
            subject, http_status, document = before, outcome.http_status, problem(outcome)
        else:
            key = None if command.body.operation in OF_THE_CUSTOMER else command.key
            self._enact(before, outcome, key, now)
            subject = outcome
            http_status, document = self._shown(command, before, outcome)
        body = orjson.dumps(document)
        self.store.put_operation(
            command.key,
            Operation(command.fingerprint, command.body.operation, http_status, body),
            authorization_id=subject.id if subject else None,
        )
        return Answer(http_status, body, fault)

    def _shown(
        self, command: Command, before: Authorization | None, after: Authorization
    ) -> tuple[int, Document]:
        match command.body:
            case RefundRequest():
                return 200, refund_resource(after.refunds[-1], after)
            case DisputeRequest():
                return 200, dispute_resource(after.disputes[-1], after)
            case EvidenceRequest() | AcceptRequest() | EscalationRequest() | DecisionRequest():
                return 200, dispute_resource(disputes.one(after, command.object_id or ""), after)
            case _:
                if before is None and after.status == "declined":
                    return 402, declined(after, self.public_url)
                return 200, authorization_resource(after, self.public_url)

    # ------------------------------------------------------------ time

    def catch_up(self) -> int:
        """Let come to pass what is due by now, one by one, each at its own time; how much that was."""
        now, count = self.clock.now(), 0
        while (upcoming := self.store.next_happening()) and upcoming[1].due_at <= now:
            position, happening = upcoming
            with self.store.transaction():
                self.store.strike_happening(position)
                self._come_to_pass(happening)
            count += 1
        return count

    def _come_to_pass(self, happening: Happening) -> None:
        now = happening.due_at
        if happening.what == "day_ends":
            events, happenings = self.balance.close_day(happening.object_id, now)
            self.queue.add(events)
            self.store.add_happenings(happenings)
        elif happening.what == "payout_arrives":
            self.queue.add(self.balance.arrive(happening.object_id, now))
        elif (before := self.store.authorization(happening.authorization_id)) is not None:
            after = come_to_pass(before, happening)
            if after is not None:
                self._enact(before, after, None, now)

    # ------------------------------------------------------------ both

    def _enact(
        self, before: Authorization | None, after: Authorization, key: str | None, now: datetime
    ) -> None:
        """Write a charge's new state, and all that follows from the difference."""
        self.store.put_authorization(before, after)
        self.queue.add(list(events_between(before, after, key, now, self.public_url)))
        days = self.balance.book(after, list(lines_between(before, after)), now)
        self.store.add_happenings([*follow_ups(before, after, now, self._day_ms), *days])


def _script(body: Request, before: Authorization | None) -> Script:
    if isinstance(body, AuthorizationRequest):
        return TOKENS[body.payment_method.token]
    return TOKENS[before.token] if before else Script()


def _fault(body: Request, script: Script) -> Fault | None:
    match body:
        case AuthorizationRequest(capture=True):
            return script.fault or script.capture_fault
        case AuthorizationRequest():
            return script.fault
        case IncreaseRequest():
            return script.increase_fault
        case CaptureRequest():
            return script.capture_fault
        case RefundRequest():
            return script.refund_fault
        case _:
            return None


def _decide(command: Command, before: Authorization | None, now: datetime) -> Authorization | Refusal:
    body, script, key = command.body, _script(command.body, before), command.key
    match body:
        case AuthorizationRequest():
            return rules.authorize(body, script, key, now)
        case EvidenceRequest() | AcceptRequest() | EscalationRequest() | DecisionRequest():
            if before is None or command.object_id is None:
                return Refusal(404, "not_found", "no such dispute")
            return _decide_dispute(before, body, command.object_id, now)
        case _:
            if before is None:
                return Refusal(404, "not_found", "no such authorization")
            return _decide_authorization(before, body, script, key, now)


def _decide_authorization(
    before: Authorization, body: AboutAuthorization, script: Script, key: str, now: datetime
) -> Authorization | Refusal:
    match body:
        case IncreaseRequest():
            return rules.increase(before, body, script)
        case CaptureRequest():
            return rules.capture(before, body, script, key)
        case VoidRequest():
            return rules.void(before)
        case ChallengeRequest():
            return rules.challenge(before, body, script)
        case RefundRequest():
            return refunds.refund(before, body, script, key, now)
        case DisputeRequest():
            return disputes.open_dispute(before, body, key, now)


def _decide_dispute(
    before: Authorization, body: AboutDispute, dispute_id: str, now: datetime
) -> Authorization | Refusal:
    match body:
        case EvidenceRequest():
            return disputes.submit_evidence(before, dispute_id, body)
        case AcceptRequest():
            return disputes.accept(before, dispute_id)
        case EscalationRequest():
            return disputes.escalate(before, dispute_id, body.evidence_due_ms, now)
        case DecisionRequest():
            return disputes.decide(before, dispute_id, body.result)
