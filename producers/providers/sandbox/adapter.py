"""Calls and queries over HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import orjson
from pydantic import ValidationError

from producers.providers.base import READINGS, Ambiguous, NotFound, Transient
from producers.providers.classification import transport_failure
from producers.providers.sandbox.documents import StoredOperation
from producers.providers.sandbox.outcomes import error_of, interpret
from producers.providers.sandbox.requests import Target, target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from producers.providers.base import ProviderAnswer, ProviderRequest


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
        reply = await self._send(target(call), {"Idempotency-Key": str(call.call_id)})
        if isinstance(reply, httpx.Response):
            answer = interpret(
                call.operation, reply.status_code, _json(reply), reply.content, _retry_after_ms(reply)
            )
        else:
            answer = reply
        if call.operation in READINGS and isinstance(answer, Ambiguous):
            return Transient(answer.detail)  # a reading has no effect, whatever becomes of it
        return answer

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.query`."""
        if call.operation in READINGS:
            return await self.execute(call)
        reply = await self._send(Target("GET", f"/v1/operations/{call.call_id}"))
        if not isinstance(reply, httpx.Response):
            return Ambiguous(f"the status query failed: {reply.detail}")
        document = _json(reply)
        # Only the provider's own 404 counts: one from a wrong address or a proxy says nothing about the call.
        if reply.status_code == httpx.codes.NOT_FOUND and error_of(document).type == "operation_not_found":
            return NotFound()
        if reply.status_code != httpx.codes.OK:
            return Ambiguous(f"the status query was answered with HTTP {reply.status_code}")
        try:
            stored = StoredOperation.model_validate(document)
        except ValidationError:
            return Ambiguous("the status query's answer cannot be read")
        answer = interpret(call.operation, stored.http_status, stored.answer, reply.content, None)
        # Whatever has a stored answer was looked at, so "turned away unread" makes no sense here.
        return Ambiguous(answer.detail) if isinstance(answer, Transient) else answer

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._http.aclose()

    async def _send(
        self, to: Target, headers: Mapping[str, str] | None = None
    ) -> httpx.Response | Transient | Ambiguous:
        try:
            return await self._http.request(to.method, to.path, json=to.body, headers=headers)
        except httpx.RequestError as error:
            return transport_failure(error)


def _json(reply: httpx.Response) -> object:
    """The answer's document, or None when it is none."""
    try:
        return orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return None


def _retry_after_ms(reply: httpx.Response) -> int | None:
    """The seconds of RFC 9110, section 10.2.3; its other form, a date, would need clocks that agree."""
    seconds = reply.headers.get("retry-after", "")
    return int(seconds) * 1000 if re.fullmatch("[0-9]{1,6}", seconds) else None
