"""What becomes of an authorization: pure functions from one state to the next, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from ops.sandbox.model import Authorization, Capture, Refusal, identifier, invalid_state, too_large
from ops.sandbox.networks import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ops.sandbox.messages import AuthorizationRequest, CaptureRequest, ChallengeRequest, IncreaseRequest
    from ops.sandbox.model import Status
    from ops.sandbox.tokens import Ending, Script

ALLOWED: Mapping[str, frozenset[Status]] = {
    "increase": frozenset({"authorized", "partially_captured"}),
    "capture": frozenset({"authorized", "partially_captured"}),
    "void": frozenset({"authorized", "requires_action", "pending"}),
    "challenge": frozenset({"requires_action"}),
}
"""From which states an operation may start. A partial capture is ended by a final one, not by a void."""


def authorize(
    request: AuthorizationRequest, script: Script, key: str, now: datetime
) -> Authorization | Refusal:
    """Open an authorization: held, captured, declined, pending, or waiting for the customer."""
    network = NETWORKS[script.network]
    if not (request.capture or network.manual_capture):
        return Refusal(422, "unsupported", f"capture: a {network.method_type} is captured or not made at all")
    authorization = Authorization(
        id=identifier("auth", key),
        idempotency_key=key,
        reference=request.reference,
        token=request.payment_method.token,
        network=script.network,
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
    if script.course:
        return replace(authorization, status="pending")
    return _approved(authorization, script)


def _approved(authorization: Authorization, script: Script) -> Authorization:
    """The issuer agreed; an automatic capture follows at once, and a failing one declines the whole."""
    if not authorization.capture:
        return replace(authorization, status="authorized")
    if script.capture_decline is not None:
        return replace(authorization, status="declined", decline_code=script.capture_decline)
    return _captured_whole(authorization)


def _captured_whole(authorization: Authorization) -> Authorization:
    capture_id = identifier("cap", authorization.idempotency_key)
    whole = Capture(capture_id, authorization.amount_minor, final=True)
    return replace(authorization, status="captured", captures=(whole,))


def increase(
    authorization: Authorization, request: IncreaseRequest, script: Script
) -> Authorization | Refusal:
    """Raise what is held to a new total."""
    if authorization.status not in ALLOWED["increase"]:
        return invalid_state("increase", "authorization", authorization.status)
    if not authorization.rules.incremental:
        return Refusal(422, "unsupported", f"{authorization.network} has no incremental authorization")
    if request.amount_minor <= authorization.amount_minor:
        held = authorization.amount_minor
        return Refusal(422, "amount_too_small", f"amount_minor: {request.amount_minor}, and {held} are held")
    if script.increase_decline is not None:
        return Refusal(402, "declined", "the increase was declined", script.increase_decline)
    return replace(authorization, amount_minor=request.amount_minor)


def capture(
    authorization: Authorization, request: CaptureRequest, script: Script, key: str
) -> Authorization | Refusal:
    """Take part or all of what is held, or more where the network allows it."""
    if authorization.status not in ALLOWED["capture"]:
        return invalid_state("capture", "authorization", authorization.status)
    limit = authorization.maximum_capturable_amount_minor
    if request.amount_minor > limit:
        return too_large(request.amount_minor, limit, "capturable")
    final = request.final or request.amount_minor >= authorization.capturable_amount_minor
    if not (final or authorization.rules.captures_in_parts):
        return Refusal(422, "unsupported", f"final: {authorization.network} allows one capture")
    if script.capture_decline is not None:
        return Refusal(402, "declined", "the capture was declined", script.capture_decline)
    taken = Capture(identifier("cap", key), request.amount_minor, final=final)
    return replace(
        authorization,
        status="captured" if final else "partially_captured",
        captures=(*authorization.captures, taken),
    )


def void(authorization: Authorization) -> Authorization | Refusal:
    """Release what is held, or call off what is pending."""
    if authorization.status not in ALLOWED["void"]:
        return invalid_state("void", "authorization", authorization.status)
    return replace(authorization, status="voided")


def challenge(
    authorization: Authorization, request: ChallengeRequest, script: Script
) -> Authorization | Refusal:
    """The customer passed or failed the challenge."""
    if authorization.status not in ALLOWED["challenge"]:
        return invalid_state("challenge", "authorization", authorization.status)
    if request.result == "failed":
        return replace(authorization, status="declined", decline_code="challenge_failed")
    return _approved(authorization, script)


def expire(authorization: Authorization) -> Authorization | None:
    """The hold ends: nothing more can be captured. None when there is none any more."""
    match authorization.status:
        case "authorized":
            return replace(authorization, status="expired")
        case "partially_captured":  # the network releases the rest
            return replace(authorization, status="captured")
        case _:
            return None


def proceed(authorization: Authorization, becomes: Ending, code: str | None) -> Authorization | None:
    """The customer's bank decided about a debit; None when it was called off or nothing is left to return."""
    match becomes, authorization.status:
        case "captured", "pending":
            return _captured_whole(authorization)
        case "declined", "pending":
            return replace(authorization, status="declined", decline_code=code)
        case "returned", "captured" if authorization.refundable_amount_minor > 0:
            left = authorization.refundable_amount_minor
            return replace(authorization, status="returned", decline_code=code, returned_amount_minor=left)
        case (("captured" | "declined" | "returned"), _):
            return None
        case (("succeeded" | "failed"), _):
            raise ValueError(f"an authorization cannot become {becomes}")
        case _ as never:
            assert_never(never)
