"""What becomes of an authorization: pure functions from one state to the next, or a refusal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ops.sandbox.messages import AuthorizationRequest, CaptureRequest, ChallengeRequest
    from ops.sandbox.tokens import Script

Status: TypeAlias = Literal[
    "requires_action", "authorized", "partially_captured", "captured", "declined", "voided"
]

ALLOWED: Mapping[str, frozenset[Status]] = {
    "capture": frozenset({"authorized", "partially_captured"}),
    "void": frozenset({"authorized", "requires_action"}),
    "challenge": frozenset({"requires_action"}),
}
"""From which states an operation may start. A partial capture is ended by a final one, not by a void."""


@dataclass(frozen=True, slots=True)
class Capture:
    """Money taken from an authorization."""

    id: str
    amount_minor: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A hold on the customer's money, with everything that was captured from it."""

    id: str
    reference: str
    token: str
    method_type: str
    amount_minor: int
    currency: str
    capture: bool
    metadata: Mapping[str, str]
    status: Status
    decline_code: str | None
    created_at: datetime
    captures: tuple[Capture, ...] = ()

    @property
    def captured_amount_minor(self) -> int:
        """What was captured so far."""
        return sum(capture.amount_minor for capture in self.captures)

    @property
    def capturable_amount_minor(self) -> int:
        """What may still be captured."""
        if self.status not in ALLOWED["capture"]:
            return 0
        return self.amount_minor - self.captured_amount_minor


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that changed nothing."""

    http_status: int
    type: str
    message: str
    decline_code: str | None = None


def identifier(prefix: str, idempotency_key: str) -> str:
    """The id of what a request creates: drawn from its key, so that equal runs yield equal ids."""
    return f"{prefix}_{hashlib.sha256(idempotency_key.encode()).hexdigest()[:24]}"


def authorize(request: AuthorizationRequest, script: Script, key: str, now: datetime) -> Authorization:
    """Open an authorization: held, captured, declined, or waiting for the customer."""
    authorization = Authorization(
        id=identifier("auth", key),
        reference=request.reference,
        token=request.payment_method.token,
        method_type=request.payment_method.type,
        amount_minor=request.amount_minor,
        currency=request.currency,
        capture=request.capture,
        metadata=request.metadata,
        status="authorized",
        decline_code=None,
        created_at=now,
    )
    if script.decline is not None:
        return replace(authorization, status="declined", decline_code=script.decline)
    if script.challenge:
        return replace(authorization, status="requires_action")
    return _approved(authorization, script, key)


def _approved(authorization: Authorization, script: Script, key: str) -> Authorization:
    """The issuer agreed; an automatic capture follows at once, and a failing one declines the whole."""
    if not authorization.capture:
        return replace(authorization, status="authorized")
    if script.capture_decline is not None:
        return replace(authorization, status="declined", decline_code=script.capture_decline)
    whole = Capture(identifier("cap", key), authorization.amount_minor, final=True)
    return replace(authorization, status="captured", captures=(whole,))


def capture(
    authorization: Authorization, request: CaptureRequest, script: Script, key: str
) -> Authorization | Refusal:
    """Take part or all of what is held."""
    if refusal := _forbidden("capture", authorization):
        return refusal
    capturable = authorization.capturable_amount_minor
    if request.amount_minor > capturable:
        return Refusal(
            422, "amount_too_large", f"amount_minor: {request.amount_minor} of {capturable} capturable"
        )
    if script.capture_decline is not None:
        return Refusal(402, "declined", "the capture was declined", script.capture_decline)
    final = request.final or request.amount_minor == capturable
    taken = Capture(identifier("cap", key), request.amount_minor, final=final)
    return replace(
        authorization,
        status="captured" if final else "partially_captured",
        captures=(*authorization.captures, taken),
    )


def void(authorization: Authorization) -> Authorization | Refusal:
    """Release what is held."""
    return _forbidden("void", authorization) or replace(authorization, status="voided")


def challenge(
    authorization: Authorization, request: ChallengeRequest, script: Script, key: str
) -> Authorization | Refusal:
    """The customer passed or failed the challenge."""
    if refusal := _forbidden("challenge", authorization):
        return refusal
    if request.result == "failed":
        return replace(authorization, status="declined", decline_code="challenge_failed")
    return _approved(authorization, script, key)


def _forbidden(operation: str, authorization: Authorization) -> Refusal | None:
    if authorization.status in ALLOWED[operation]:
        return None
    return Refusal(
        409, "invalid_state", f"{operation} is not possible: the authorization is {authorization.status}"
    )
