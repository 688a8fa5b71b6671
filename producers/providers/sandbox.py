"""The adapter for the sandbox provider (docs/sandbox-provider.md)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    NotFound,
    Refused,
    Succeeded,
    Transient,
)
from producers.providers.classification import Meaning, meaning, transport_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from producers.providers.base import Operation, ProviderAnswer, ProviderRequest

DECLINE_REASONS: Mapping[str, str] = {
    # the provider's decline code -> our reason code
    "insufficient_funds": "insufficient_funds",
    "do_not_honor": "do_not_honor",
    "expired_card": "expired_card",
    "incorrect_cvc": "incorrect_cvc",
    "lost_card": "lost_card",
    "stolen_card": "stolen_card",
    "fraudulent": "suspected_fraud",
    "try_again_later": "try_again_later",
    "challenge_failed": "authentication_failed",
    "capture_declined": "processing_declined",
}
OTHER_DECLINE = "processing_declined"
"""Our reason for a decline code that the table does not know: providers add codes without asking."""

_Method: TypeAlias = Literal["GET", "POST"]
_Status: TypeAlias = Literal[
    "requires_action", "authorized", "partially_captured", "captured", "declined", "voided"
]


class _Document(BaseModel):
    """What this adapter reads of an answer; the provider may add fields."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class _Capture(_Document):
    amount_minor: int


class _Authorization(_Document):
    id: str
    status: _Status
    amount_minor: int
    captured_amount_minor: int
    captures: list[_Capture]
    decline_code: str | None
    redirect_url: str | None


class _Error(_Document):
    type: str
    message: str
    decline_code: str | None = None


class _Problem(_Document):
    error: _Error


class _StoredOperation(_Document):
    http_status: int
    answer: Any


class SandboxProvider:
    """A `Provider` over HTTP; one instance serves any number of concurrent calls.

    Args:
        base_url: Where the provider listens, without a path.
        api_key: Sent as bearer key, never logged.
        connect_timeout_ms: For a connection, and for a free place in the pool. Passing it is harmless.
        read_timeout_ms: For the next byte in either direction. Passing it leaves the outcome unknown, so let
            it be longer than the provider's slowest honest answer.
        max_connections: How many calls can be on their way at once.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        connect_timeout_ms: int = 2_000,
        read_timeout_ms: int = 10_000,
        max_connections: int = 64,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key.get_secret_value()}", "Accept": "application/json"},
            timeout=httpx.Timeout(
                read_timeout_ms / 1000, connect=connect_timeout_ms / 1000, pool=connect_timeout_ms / 1000
            ),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            # Proxy settings of the environment are not for a provider that is addressed explicitly.
            trust_env=False,
        )

    async def execute(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.execute`."""
        method, path, body = _target(call)
        reply = await self._send(method, path, body, {"Idempotency-Key": str(call.call_id)})
        answer = (
            _interpret(call.operation, reply.status_code, _json(reply), reply)
            if isinstance(reply, httpx.Response)
            else reply
        )
        if call.operation == "confirm" and isinstance(answer, Ambiguous):
            return Transient(answer.detail)  # a reading has no effect, whatever becomes of it
        return answer

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.query`."""
        if call.operation == "confirm":
            return await self.execute(call)
        reply = await self._send("GET", f"/v1/operations/{call.call_id}")
        if not isinstance(reply, httpx.Response):
            return Ambiguous(f"the status query failed: {reply.detail}")
        document = _json(reply)
        # Only the provider's own 404 counts: one from a wrong address or a proxy says nothing about the call.
        if reply.status_code == httpx.codes.NOT_FOUND and _error(document).type == "operation_not_found":
            return NotFound()
        if reply.status_code != httpx.codes.OK:
            return Ambiguous(f"the status query was answered with HTTP {reply.status_code}")
        try:
            stored = _StoredOperation.model_validate(document)
        except ValidationError:
            return Ambiguous("the status query's answer cannot be read")
        answer = _interpret(call.operation, stored.http_status, stored.answer, reply)
        # Whatever has a stored answer was looked at, so "turned away unread" makes no sense here.
        return Ambiguous(answer.detail) if isinstance(answer, Transient) else answer

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._http.aclose()

    async def _send(
        self,
        method: _Method,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | Transient | Ambiguous:
        try:
            return await self._http.request(method, path, json=body, headers=headers)
        except httpx.RequestError as error:
            return transport_failure(error)


def _target(call: ProviderRequest) -> tuple[_Method, str, Mapping[str, object] | None]:
    """What the call is over HTTP: method, path and body."""
    one = f"/v1/authorizations/{_segment(call.provider_reference)}"
    match call.operation:
        case "authorize":
            body = {
                "amount_minor": call.amount_minor,
                "currency": call.currency,
                "payment_method": {"type": call.method_type, "token": call.token},
                "capture": call.capture,
                "reference": call.order_id,
                "metadata": {"tenant": call.tenant},
            }
            return "POST", "/v1/authorizations", body
        case "capture":
            return "POST", f"{one}/captures", {"amount_minor": call.amount_minor, "final": call.final}
        case "void":
            return "POST", f"{one}/void", {}
        case "confirm":
            return "GET", one, None


def _segment(provider_reference: str | None) -> str:
    return quote(provider_reference or "", safe="")


def _interpret(
    operation: Operation, http_status: int, document: object, reply: httpx.Response
) -> ProviderAnswer:
    """The answer in our terms. One that cannot be read says nothing about money, so it is ambiguous."""
    raw = reply.content
    try:
        match meaning(http_status):
            case Meaning.ANSWERED:
                return _outcome(operation, _Authorization.model_validate(document), raw)
            case Meaning.DECLINED:
                return _declined(_Problem.model_validate(document).error.decline_code, raw)
            case Meaning.REFUSED:
                return Refused(f"HTTP {http_status}: {_error(document).message}", raw)
            case Meaning.TRANSIENT:
                return Transient(f"HTTP {http_status}", _retry_after_ms(reply))
            case Meaning.AMBIGUOUS:
                return Ambiguous(f"HTTP {http_status}")
    except ValidationError as error:
        return Ambiguous(
            f"HTTP {http_status} with an answer that cannot be read: {error.error_count()} faults"
        )


def _outcome(operation: Operation, authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    reading = READINGS.get((operation, authorization.status))
    if reading is None:
        return Ambiguous(f"{operation} was answered with an authorization that is {authorization.status}")
    return reading(authorization, raw)


def _held(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    return Succeeded(authorization.id, authorization.amount_minor, captured=False, raw=raw)


def _taken(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    return Succeeded(authorization.id, authorization.captured_amount_minor, captured=True, raw=raw)


def _last_taken(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    """A stored answer shows the authorization as it was then, so the last capture is the one asked for."""
    if not authorization.captures:
        return Ambiguous("a capture was answered without one")
    return Succeeded(authorization.id, authorization.captures[-1].amount_minor, captured=True, raw=raw)


def _released(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    released_minor = authorization.amount_minor - authorization.captured_amount_minor
    return Succeeded(authorization.id, released_minor, captured=False, raw=raw)


def _challenged(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    if authorization.redirect_url is None:
        return Ambiguous("the customer must act, but nobody says where")
    return ChallengeRequired(authorization.id, authorization.redirect_url, raw)


def _turned_down(authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    return _declined(authorization.decline_code, raw)


def _gone(_authorization: _Authorization, raw: bytes) -> ProviderAnswer:
    return Refused("the authorization was voided", raw)


def _declined(provider_code: str | None, raw: bytes) -> Declined:
    code = provider_code or ""
    return Declined(DECLINE_REASONS.get(code, OTHER_DECLINE), code, raw)


READINGS: Mapping[tuple[Operation, _Status], Callable[[_Authorization, bytes], ProviderAnswer]] = {
    # (what was asked, where the authorization stands afterwards) -> what that means
    ("authorize", "authorized"): _held,
    ("authorize", "captured"): _taken,
    ("authorize", "requires_action"): _challenged,
    ("confirm", "authorized"): _held,
    ("confirm", "partially_captured"): _taken,
    ("confirm", "captured"): _taken,
    ("confirm", "requires_action"): _challenged,
    ("confirm", "declined"): _turned_down,
    ("confirm", "voided"): _gone,
    ("capture", "partially_captured"): _last_taken,
    ("capture", "captured"): _last_taken,
    ("void", "voided"): _released,
}
"""Any other pair makes no sense, and an answer without sense is ambiguous."""


def _json(reply: httpx.Response) -> object:
    """The answer's document, or None when it is none."""
    try:
        return orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return None


def _error(document: object) -> _Error:
    """What an error document says; an unreadable one says as much."""
    try:
        return _Problem.model_validate(document).error
    except ValidationError:
        return _Error(type="unreadable", message="the answer cannot be read")


def _retry_after_ms(reply: httpx.Response) -> int | None:
    """The seconds of RFC 9110, section 10.2.3; its other form, a date, would need clocks that agree."""
    seconds = reply.headers.get("retry-after", "")
    return int(seconds) * 1000 if re.fullmatch("[0-9]{1,6}", seconds) else None
