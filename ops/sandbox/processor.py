"""One request from its idempotency key to its stored answer, in one transaction of the books."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from ops.sandbox import rules
from ops.sandbox.messages import AuthorizationRequest, Body, CaptureRequest, ChallengeRequest, VoidRequest
from ops.sandbox.resources import declined, problem, resource
from ops.sandbox.rules import Authorization, Refusal
from ops.sandbox.store import Operation
from ops.sandbox.tokens import TOKENS, Fault, Script

if TYPE_CHECKING:
    from datetime import datetime

    from ops.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Command:
    """A request that may change something."""

    key: str
    authorization_id: str | None
    """None when the request opens the authorization."""
    body: Body

    @property
    def fingerprint(self) -> bytes:
        """Equal for equal requests, whatever the order of their JSON fields."""
        content = [self.body.operation, self.authorization_id, self.body.model_dump()]
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
    """The provider without HTTP: its books and its rules."""

    def __init__(self, store: Store, public_url: str) -> None:
        self.store = store
        self._public_url = public_url

    def submit(self, command: Command, now: datetime) -> Answer | NoEffect:
        """Carry out a command once; a repeat of its key gets the stored answer.

        A command that a fault stopped leaves only its key behind, and its repeat takes effect.
        """
        with self.store.transaction():
            seen = self.store.operation(command.key)
            if seen is None:
                return self._first(command, now)
            if seen.fingerprint != command.fingerprint:
                # 422 as in draft-ietf-httpapi-idempotency-key-header
                conflict = Refusal(
                    422, "idempotency_conflict", "the Idempotency-Key belongs to another request"
                )
                return Answer(conflict.http_status, orjson.dumps(problem(conflict)))
            if seen.http_status is None or seen.answer is None:
                return self._carry_out(command, self._subject(command), now)
            return Answer(seen.http_status, seen.answer)

    def get(self, authorization: Authorization) -> bytes:
        """The authorization as it stands, in the form that every answer has."""
        return orjson.dumps(resource(authorization, self._public_url))

    def _first(self, command: Command, now: datetime) -> Answer | NoEffect:
        before = self._subject(command)
        fault = _fault(command.body, _script(command.body, before))
        if fault is None or fault.takes_effect:
            return self._carry_out(command, before, now, fault)
        self.store.put_operation(
            command.key, Operation(command.fingerprint, command.body.operation, http_status=None, answer=None)
        )
        return NoEffect(fault)

    def _subject(self, command: Command) -> Authorization | None:
        return self.store.authorization(command.authorization_id) if command.authorization_id else None

    def _carry_out(
        self, command: Command, before: Authorization | None, now: datetime, fault: Fault | None = None
    ) -> Answer:
        outcome = _decide(command, before, now)
        if isinstance(outcome, Refusal):
            subject, http_status, body = before, outcome.http_status, orjson.dumps(problem(outcome))
        else:
            self.store.put_authorization(outcome)
            subject = outcome
            if before is None and outcome.status == "declined":
                http_status, body = 402, orjson.dumps(declined(outcome, self._public_url))
            else:
                http_status, body = 200, self.get(outcome)
        self.store.put_operation(
            command.key,
            Operation(command.fingerprint, command.body.operation, http_status, body),
            authorization_id=subject.id if subject else None,
        )
        return Answer(http_status, body, fault)


def _script(body: Body, before: Authorization | None) -> Script:
    if isinstance(body, AuthorizationRequest):
        return TOKENS[body.payment_method.token]
    return TOKENS[before.token] if before else Script()


def _fault(body: Body, script: Script) -> Fault | None:
    match body:
        case AuthorizationRequest(capture=True):
            return script.fault or script.capture_fault
        case AuthorizationRequest():
            return script.fault
        case CaptureRequest():
            return script.capture_fault
        case VoidRequest() | ChallengeRequest():
            return None


def _decide(command: Command, before: Authorization | None, now: datetime) -> Authorization | Refusal:
    body, script = command.body, _script(command.body, before)
    if isinstance(body, AuthorizationRequest):
        return rules.authorize(body, script, command.key, now)
    if before is None:
        return Refusal(404, "not_found", "no such authorization")
    match body:
        case CaptureRequest():
            return rules.capture(before, body, script, command.key)
        case VoidRequest():
            return rules.void(before)
        case ChallengeRequest():
            return rules.challenge(before, body, script, command.key)
