"""What Adyen's responses mean for us.

Read: https://docs.adyen.com/online-payments/build-your-integration/payment-result-codes and
https://docs.adyen.com/development-resources/response-handling. One that cannot be read says nothing about money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from producers.providers.adyen.currencies import UNITS
from producers.providers.adyen.refusals import by_code
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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from producers.providers.base import ProviderAnswer, ProviderRequest

IN_PROGRESS: Final = "704"
"""Error code: a request with this idempotency key is under way."""
MOST_DETAIL: Final = 300


class AdyenDocument(BaseModel):
    """What we read of a document; Adyen may add fields."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Amount(AdyenDocument):
    """In Adyen's units."""

    currency: str
    value: int


class Action(AdyenDocument):
    """What the customer is to do."""

    url: str | None = None


class Payment(AdyenDocument):
    """The answer to a payment."""

    resultCode: str  # noqa: N815 - Adyen's names
    pspReference: str | None = None  # noqa: N815
    amount: Amount | None = None
    refusalReason: str | None = None  # noqa: N815
    refusalReasonCode: str | None = None  # noqa: N815
    action: Action | None = None


class Modification(AdyenDocument):
    """The answer to a capture, an increase, a void or a refund: taken on, never more."""

    status: Literal["received"]
    pspReference: str  # noqa: N815


class Problem(AdyenDocument):
    """An error."""

    errorCode: str = ""  # noqa: N815
    message: str = ""


class ServiceResult(AdyenDocument):
    """Of the Disputes API."""

    success: bool
    errorMessage: str = ""  # noqa: N815


class Acceptance(AdyenDocument):
    """The answer to giving up a dispute."""

    disputeServiceResult: ServiceResult  # noqa: N815


def read(
    call: ProviderRequest,
    reply: httpx.Response | Transient | Ambiguous,
    outcome: Callable[[ProviderRequest, bytes], ProviderAnswer],
) -> ProviderAnswer:
    """The answer in our terms."""
    if isinstance(reply, Transient | Ambiguous):
        return reply
    raw, status = reply.content, reply.status_code
    kind = meaning(status)
    try:
        if kind is Meaning.ANSWERED:
            return outcome(call, raw)
    except ValueError as error:  # pydantic's too: the effect may be there all the same
        return Ambiguous(f"HTTP {status} with an answer that cannot be read: {_faults(error)}")
    problem = _problem(raw)
    if kind is Meaning.TRANSIENT:
        return Transient(f"HTTP {status}")
    if kind is Meaning.AMBIGUOUS or problem.errorCode == IN_PROGRESS or _passes(reply):
        return Ambiguous(f"HTTP {status}: {problem.errorCode or 'no error code'}")
    # Adyen's declines are answers with a result code: any other 4xx, 402 too, is a request that was wrong.
    return Refused(f"HTTP {status}: {problem.errorCode} {problem.message}"[:MOST_DETAIL], raw)


def paid(call: ProviderRequest, raw: bytes) -> ProviderAnswer:
    """After a payment."""
    payment = Payment.model_validate_json(raw)
    say = RESULTS.get(payment.resultCode)
    if say is None:
        return Ambiguous(f"the result code {payment.resultCode} is not known")
    return say(call, payment, raw)


def taken_on(call: ProviderRequest, raw: bytes) -> Pending:
    """After a modification. A refund has a reference of its own; a payment keeps its one."""
    told = Modification.model_validate_json(raw)
    own = call.operation == "refund"
    return Pending(told.pspReference if own else call.provider_reference or told.pspReference, raw)


def accepted(call: ProviderRequest, raw: bytes) -> ProviderAnswer:
    """After giving up a dispute."""
    result = Acceptance.model_validate_json(raw).disputeServiceResult
    if not result.success:
        return Refused(result.errorMessage[:MOST_DETAIL], raw)
    return Succeeded(call.object_reference or "", call.amount_minor, captured=False, raw=raw)


def _authorized(call: ProviderRequest, payment: Payment, raw: bytes) -> ProviderAnswer:
    if payment.pspReference is None:
        return Ambiguous("authorized, but Adyen does not say under which reference")
    told = payment.amount
    amount_minor = UNITS.ours(told.value, told.currency) if told else call.amount_minor
    return Succeeded(payment.pspReference, amount_minor, captured=False, raw=raw)


def _turned_down(_call: ProviderRequest, payment: Payment, raw: bytes) -> ProviderAnswer:
    code = payment.refusalReasonCode
    return Declined(by_code(code), code or payment.refusalReason or payment.resultCode, raw)


def _challenged(call: ProviderRequest, payment: Payment, raw: bytes) -> ProviderAnswer:
    if payment.action is None or payment.action.url is None:
        return Ambiguous("the customer must act, but nobody says where")
    return ChallengeRequired(_named(call, payment), payment.action.url, raw)


def _waiting(call: ProviderRequest, payment: Payment, raw: bytes) -> ProviderAnswer:
    return Pending(_named(call, payment), raw)


RESULTS: Final[Mapping[str, Callable[[ProviderRequest, Payment, bytes], ProviderAnswer]]] = {
    "Authorised": _authorized,
    "PartiallyAuthorised": _authorized,
    "Refused": _turned_down,
    "Cancelled": _turned_down,
    "Error": _turned_down,
    "RedirectShopper": _challenged,
    "ChallengeShopper": _challenged,
    "IdentifyShopper": _challenged,
    "PresentToShopper": _waiting,
    "AuthenticationFinished": _waiting,
    "Pending": _waiting,
    "Received": _waiting,
}


def _named(call: ProviderRequest, payment: Payment) -> str:
    """Adyen names a payment at the latest in its webhook; until then it goes by the call's id."""
    return payment.pspReference or f"call-{call.call_id}"


def _passes(reply: httpx.Response) -> bool:
    """Adyen could not say for now: https://docs.adyen.com/development-resources/api-idempotency#error-handling."""
    told: str = reply.headers.get("transient-error", "")
    return told.casefold() == "true"


def _problem(raw: bytes) -> Problem:
    try:
        return Problem.model_validate_json(raw)
    except ValidationError:
        return Problem()


def _faults(error: ValueError) -> str:
    return f"{error.error_count()} faults" if isinstance(error, ValidationError) else str(error)
