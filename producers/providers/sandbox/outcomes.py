"""The provider's answers in our terms: one table for each kind of object that it answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    Pending,
    Refused,
    Succeeded,
    Transient,
)
from producers.providers.classification import Meaning, meaning
from producers.providers.sandbox.declines import reason_of
from producers.providers.sandbox.documents import Authorization, Dispute, Error, Problem, Refund

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from producers.providers.base import Operation, ProviderAnswer
    from producers.providers.sandbox.documents import RefundStatus, Status
    from schemas.webhook import DisputeStatus


def interpret(
    operation: Operation, http_status: int, document: object, raw: bytes, retry_after_ms: int | None
) -> ProviderAnswer:
    """The answer in our terms. One that cannot be read says nothing about money, so it is ambiguous."""
    try:
        match meaning(http_status):
            case Meaning.ANSWERED:
                return _outcome(operation, document, raw)
            case Meaning.DECLINED:
                return _declined(Problem.model_validate(document).error.decline_code, raw)
            case Meaning.REFUSED:
                return Refused(f"HTTP {http_status}: {error_of(document).message}", raw)
            case Meaning.TRANSIENT:
                return Transient(f"HTTP {http_status}", retry_after_ms)
            case Meaning.AMBIGUOUS:
                return Ambiguous(f"HTTP {http_status}")
    except ValidationError as error:
        return Ambiguous(
            f"HTTP {http_status} with an answer that cannot be read: {error.error_count()} faults"
        )


def error_of(document: object) -> Error:
    """What an error document says; an unreadable one says as much."""
    try:
        return Problem.model_validate(document).error
    except ValidationError:
        return Error(type="unreadable", message="the answer cannot be read")


def _outcome(operation: Operation, document: object, raw: bytes) -> ProviderAnswer:
    match operation:
        case "refund" | "confirm_refund":
            refund = Refund.model_validate(document)
            read_refund = REFUNDS.get((operation, refund.status))
            return read_refund(refund, raw) if read_refund else _senseless(operation, refund.status)
        case "submit_evidence" | "accept_dispute":
            dispute = Dispute.model_validate(document)
            if (operation, dispute.status) not in DISPUTES:
                return _senseless(operation, dispute.status)
            return Succeeded(dispute.id, dispute.amount_minor, captured=False, raw=raw)
        case _:
            authorization = Authorization.model_validate(document)
            read = AUTHORIZATIONS.get((operation, authorization.status))
            return read(authorization, raw) if read else _senseless(operation, authorization.status)


def _senseless(operation: Operation, status: str) -> Ambiguous:
    return Ambiguous(f"{operation} was answered with an object that is {status}")


def _held(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    return Succeeded(authorization.id, authorization.amount_minor, captured=False, raw=raw)


def _taken(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    return Succeeded(authorization.id, authorization.captured_amount_minor, captured=True, raw=raw)


def _last_taken(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    """A stored answer shows the authorization as it was then, so the last capture is the one asked for."""
    if not authorization.captures:
        return Ambiguous("a capture was answered without one")
    return Succeeded(authorization.id, authorization.captures[-1].amount_minor, captured=True, raw=raw)


def _released(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    released_minor = authorization.amount_minor - authorization.captured_amount_minor
    return Succeeded(authorization.id, released_minor, captured=False, raw=raw)


def _challenged(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    if authorization.redirect_url is None:
        return Ambiguous("the customer must act, but nobody says where")
    return ChallengeRequired(authorization.id, authorization.redirect_url, raw)


def _waiting(thing: Authorization | Refund, raw: bytes) -> ProviderAnswer:
    return Pending(thing.id, raw)


def _turned_down(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    return _declined(authorization.decline_code, raw)


def _gone(authorization: Authorization, raw: bytes) -> ProviderAnswer:
    return Refused(f"the authorization is {authorization.status}", raw)


def _given_back(refund: Refund, raw: bytes) -> ProviderAnswer:
    return Succeeded(refund.id, refund.amount_minor, captured=False, raw=raw)


def _not_given_back(refund: Refund, raw: bytes) -> ProviderAnswer:
    return _declined(refund.failure_code, raw)


def _declined(provider_code: str | None, raw: bytes) -> Declined:
    return Declined(reason_of(provider_code), provider_code or "", raw)


AUTHORIZATIONS: Mapping[tuple[Operation, Status], Callable[[Authorization, bytes], ProviderAnswer]] = {
    # (what was asked, where the authorization stands afterwards) -> what that means
    ("authorize", "authorized"): _held,
    ("authorize", "captured"): _taken,
    ("authorize", "requires_action"): _challenged,
    ("authorize", "pending"): _waiting,
    ("confirm", "authorized"): _held,
    ("confirm", "partially_captured"): _taken,
    ("confirm", "captured"): _taken,
    ("confirm", "requires_action"): _challenged,
    ("confirm", "pending"): _waiting,
    ("confirm", "declined"): _turned_down,
    ("confirm", "returned"): _turned_down,
    ("confirm", "voided"): _gone,
    ("confirm", "expired"): _gone,
    ("increase", "authorized"): _held,
    ("increase", "partially_captured"): _held,
    ("capture", "partially_captured"): _last_taken,
    ("capture", "captured"): _last_taken,
    ("void", "voided"): _released,
}
REFUNDS: Mapping[tuple[Operation, RefundStatus], Callable[[Refund, bytes], ProviderAnswer]] = {
    ("refund", "succeeded"): _given_back,
    ("refund", "pending"): _waiting,
    ("confirm_refund", "succeeded"): _given_back,
    ("confirm_refund", "pending"): _waiting,
    ("confirm_refund", "failed"): _not_given_back,
}
DISPUTES: frozenset[tuple[Operation, DisputeStatus]] = frozenset(
    {("submit_evidence", "under_review"), ("accept_dispute", "accepted")}
)
"""Any other pair makes no sense, and an answer without sense is ambiguous."""
