"""Carrying out a fault on the wire, so that the caller's HTTP client meets the real thing."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from ops.sandbox.model import Refusal
from ops.sandbox.resources import problem
from ops.sandbox.tokens import Symptom

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

RETRY_AFTER_S = 1
"""What `tok_rate_limited` asks its caller to wait; the provider itself would take a repeat at once."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the faults and tokens that play with time may last."""

    late_ms: int
    """Delay of an answer that comes late."""
    silence_ms: int
    """Silence ends when the caller gives up, or after this."""
    day_ms: int
    """How long a day lasts that a token makes its caller wait; the clock itself does not run faster."""


class Connection(H11Protocol):
    """uvicorn's HTTP connection, findable by the caller's address, because ASGI knows no way to reset one."""

    _open: ClassVar[dict[tuple[str, int], Connection]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Note the caller's address."""
        super().connection_made(transport)
        if self.client:
            self._open[self.client] = self

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        super().connection_lost(exc)
        if self.client:
            self._open.pop(self.client, None)

    @classmethod
    def reset(cls, client: tuple[str, int]) -> None:
        """Drop the connection so that the caller's next read fails with ECONNRESET."""
        transport = cls._open[client].transport
        # A lingering time of zero makes the kernel send RST instead of FIN.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        transport.abort()


async def suffer(symptom: Symptom, request: Request, answer: Response, patience: Patience) -> Response:
    """Let the caller feel the symptom; `answer` is what a healthy provider would have said."""
    match symptom:
        case Symptom.LATE:
            await asyncio.sleep(patience.late_ms / 1000)
            return answer
        case Symptom.SILENCE:
            await _until_disconnected(request, patience.silence_ms)
            return _error(Refusal(504, "provider_error", "nobody was waiting any more"))
        case Symptom.ERROR_500:
            return _error(Refusal(500, "provider_error", "an internal error, on request"))
        case Symptom.RATE_LIMIT:
            slow_down = _error(Refusal(429, "rate_limited", "too many requests, on request"))
            slow_down.headers["Retry-After"] = str(RETRY_AFTER_S)
            return slow_down
        case Symptom.RESET:
            if request.client:
                Connection.reset((request.client.host, request.client.port))
            return answer


async def _until_disconnected(request: Request, limit_ms: int) -> None:
    try:
        async with asyncio.timeout(limit_ms / 1000):
            while (await request.receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return


def _error(refusal: Refusal) -> Response:
    return JSONResponse(problem(refusal), refusal.http_status)
