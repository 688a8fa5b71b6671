"""Request bodies as the provider accepts them: strict, bounded, nothing unknown."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from iso4217 import Currency
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ops.sandbox.tokens import TOKENS

_CURRENCY_CODES = frozenset(currency.code for currency in Currency)


def _known_token(token: str) -> str:
    if token not in TOKENS:
        raise PydanticCustomError("token", "no such test token")
    return token


def _known_currency(code: str) -> str:
    if code not in _CURRENCY_CODES:
        raise PydanticCustomError("currency", "not an ISO 4217 currency code")
    return code


AmountMinor = Annotated[int, Field(gt=0, le=10**15)]
"""A positive amount in minor units; the bound keeps every sum within 64 bits."""
Token = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_token)]
CurrencyCode = Annotated[str, StringConstraints(max_length=3), AfterValidator(_known_currency)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40)]
MetadataValue = Annotated[str, StringConstraints(max_length=500)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PaymentMethod(_Body):
    """How the customer pays. The token decides the outcome, see `tokens.TOKENS`."""

    type: Literal["card"]
    token: Token


class AuthorizationRequest(_Body):
    """`POST /v1/authorizations`."""

    operation: ClassVar[str] = "authorize"

    amount_minor: AmountMinor
    currency: CurrencyCode
    payment_method: PaymentMethod
    capture: bool
    reference: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] = {}


class CaptureRequest(_Body):
    """`POST /v1/authorizations/{id}/captures`. A final capture releases what remains."""

    operation: ClassVar[str] = "capture"

    amount_minor: AmountMinor
    final: bool = True


class VoidRequest(_Body):
    """`POST /v1/authorizations/{id}/void`: an empty object."""

    operation: ClassVar[str] = "void"


class ChallengeRequest(_Body):
    """`POST /v1/authorizations/{id}/challenge`: plays the customer in front of the bank's page."""

    operation: ClassVar[str] = "challenge"

    result: Literal["passed", "failed"]


Body: TypeAlias = AuthorizationRequest | CaptureRequest | VoidRequest | ChallengeRequest
"""Whatever can be asked for; `operation` names it in the books."""
