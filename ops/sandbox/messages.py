"""Request bodies as the provider accepts them: strict, bounded, nothing unknown."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, ClassVar, Literal, TypeAlias

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ops.sandbox.networks import NETWORKS, MethodType
from ops.sandbox.tokens import TOKENS
from schemas.currencies import is_currency
from schemas.envelope import Timestamp

DAY_MS = 86_400_000
LAST_PORT = 65_535


def _known_token(token: str) -> str:
    if token not in TOKENS:
        raise PydanticCustomError("token", "no such test token")
    return token


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise PydanticCustomError("currency", "not an ISO 4217 currency code with a minor unit")
    return code


def _reachable(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if not parsed.host or (parsed.port or 0) > LAST_PORT:
        raise PydanticCustomError("url", "not an address that can be called")
    return url


def _signing_secret(secret: SecretStr) -> SecretStr:
    """Standard Webhooks: `whsec_`, then 24 to 64 bytes in base64."""
    text = secret.get_secret_value()
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not (text.startswith("whsec_") and 24 <= len(key) <= 64):  # noqa: PLR2004  # as the scheme says
        raise PydanticCustomError("secret", "whsec_ and 24 to 64 bytes in base64")
    return secret


AmountMinor = Annotated[int, Field(gt=0, le=10**15)]
"""A positive amount in minor units; the bound keeps every sum within 64 bits."""
Token = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_token)]
CurrencyCode = Annotated[str, StringConstraints(max_length=3), AfterValidator(_known_currency)]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40)]
MetadataValue = Annotated[str, StringConstraints(max_length=500)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)]
EvidenceText = Annotated[str, StringConstraints(max_length=20_000)]
DueMs = Annotated[int, Field(ge=0, le=365 * DAY_MS)]


class Body(BaseModel):
    """Base of all of them; `operation` names it in the books."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    operation: ClassVar[str]


class PaymentMethod(BaseModel):
    """How the customer pays. The token decides the outcome, see `tokens.TOKENS`."""

    model_config = Body.model_config

    type: MethodType
    token: Token

    @model_validator(mode="after")
    def _token_of_the_type(self) -> PaymentMethod:
        if NETWORKS[TOKENS[self.token].network].method_type != self.type:
            raise PydanticCustomError("token", "the token is of another type of payment method")
        return self


class AuthorizationRequest(Body):
    """`POST /v1/authorizations`."""

    operation = "authorize"

    amount_minor: AmountMinor
    currency: CurrencyCode
    payment_method: PaymentMethod
    capture: bool
    reference: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    metadata: Metadata = {}


class IncreaseRequest(Body):
    """`POST /v1/authorizations/{id}/increase`. The amount is the new total."""

    operation = "increase"

    amount_minor: AmountMinor


class CaptureRequest(Body):
    """`POST /v1/authorizations/{id}/captures`. A final capture releases what remains."""

    operation = "capture"

    amount_minor: AmountMinor
    final: bool = True


class VoidRequest(Body):
    """`POST /v1/authorizations/{id}/void`: an empty object."""

    operation = "void"


class ChallengeRequest(Body):
    """`POST /v1/authorizations/{id}/challenge`: plays the customer in front of the bank's page."""

    operation = "challenge"

    result: Literal["passed", "failed"]


class RefundRequest(Body):
    """`POST /v1/authorizations/{id}/refunds`."""

    operation = "refund"

    amount_minor: AmountMinor
    metadata: Metadata = {}


class EvidenceRequest(Body):
    """`POST /v1/disputes/{id}/evidence`: field -> text. A text with `losing_evidence` in it loses, any other wins."""

    operation = "submit_evidence"

    evidence: Annotated[dict[MetadataKey, EvidenceText], Field(min_length=1, max_length=50)]


class AcceptRequest(Body):
    """`POST /v1/disputes/{id}/accept`: an empty object."""

    operation = "accept_dispute"


class DisputeRequest(Body):
    """`POST /v1/test/disputes`: plays the customer's bank. Without an amount, all that is left is disputed."""

    operation = "dispute"

    authorization_id: Annotated[str, StringConstraints(max_length=64)]
    stage: Literal["inquiry", "chargeback"]
    amount_minor: AmountMinor | None = None
    network_reason: Annotated[str, StringConstraints(max_length=100)] = "fraudulent"
    evidence_due_ms: DueMs = 7 * DAY_MS


class EscalationRequest(Body):
    """`POST /v1/test/disputes/{id}/escalate`: inquiry to chargeback, chargeback to second chargeback."""

    operation = "escalate"

    evidence_due_ms: DueMs = 7 * DAY_MS


class DecisionRequest(Body):
    """`POST /v1/test/disputes/{id}/decide`: the customer's bank makes up its mind now."""

    operation = "decide"

    result: Literal["won", "lost"]


class EndpointRequest(BaseModel):
    """`POST /v1/webhook_endpoints`: a URL and how to tell it, see `webhooks.Manners`. Without a secret, one is made."""

    model_config = Body.model_config

    url: Annotated[
        str, StringConstraints(max_length=500, pattern=r"^https?://[\x21-\x7e]+$"), AfterValidator(_reachable)
    ]
    secret: Annotated[SecretStr, AfterValidator(_signing_secret)] | None = None
    copies: Annotated[int, Field(ge=1, le=10)] = 1
    delay_ms: Annotated[int, Field(ge=0, le=DAY_MS)] = 0
    newest_first_within_ms: Annotated[int, Field(ge=0, le=DAY_MS)] = 0
    before_answer: bool = False
    retry_ms: Annotated[int, Field(ge=1, le=3_600_000)] = 1_000


class ClockRequest(BaseModel):
    """`POST /v1/test/clock`: how far to move on, or to which moment."""

    model_config = Body.model_config

    advance_ms: Annotated[int, Field(ge=0, le=10 * 366 * DAY_MS)] | None = None
    now: Timestamp | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> ClockRequest:
        if (self.advance_ms is None) == (self.now is None):
            raise PydanticCustomError("clock", "give advance_ms or now")
        return self


class RedeliveryRequest(BaseModel):
    """`POST /v1/test/redeliveries`: which events to tell again, by the time when they were created."""

    model_config = Body.model_config

    since: Timestamp | None = None
    until: Timestamp | None = None


AboutAuthorization: TypeAlias = (
    IncreaseRequest | CaptureRequest | VoidRequest | ChallengeRequest | RefundRequest | DisputeRequest
)
AboutDispute: TypeAlias = EvidenceRequest | AcceptRequest | EscalationRequest | DecisionRequest
Request: TypeAlias = AuthorizationRequest | AboutAuthorization | AboutDispute
"""Whatever moves a charge."""
