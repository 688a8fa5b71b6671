"""Connections that say nothing, or slowly, or without end: uvicorn has no limit on a request's headers, we need one.

A connection that has not sent all its headers waits for them. It waits for so long and with so many bytes; and when
there are too many connections, the one that has waited longest is closed for the new one. A provider sends its
headers at once, so a flood of silent connections takes nobody's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from producers.ingress.limits import Limits


DROPS: Final = ("head_too_slow", "head_too_large", "too_many", "no_http")


class ConnectionObserver(Protocol):
    """Who wants to know."""

    def dropped(self, reason: str) -> None:
        """A connection was closed before its headers had come: DROPS."""


class Doorway:
    """What all connections of a server share."""

    def __init__(self, limits: Limits, observer: ConnectionObserver) -> None:
        self.limits = limits
        self.observer = observer
        self.waiting: dict[Guarded, None] = {}
        """Connections whose headers have not come, the oldest first."""

    def __call__(self, **given: Any) -> Guarded:
        """A protocol for one connection, with what uvicorn gives each."""
        return Guarded(self, **given)


class Guarded(HttpToolsProtocol):
    """One connection."""

    def __init__(self, doorway: Doorway, **given: Any) -> None:
        super().__init__(**given)
        self._doorway = doorway
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Somebody connected."""
        super().connection_made(transport)
        if len(self.connections) > self._doorway.limits.connections:
            next(iter(self._doorway.waiting), self).drop("too_many")
        if not transport.is_closing():
            self._wait()

    def data_received(self, data: bytes) -> None:
        """Bytes came. After an answer they begin the next request, or belong to one that nobody reads any more."""
        busy = getattr(self.cycle, "response_complete", True) is False  # no cycle before the first request
        if self._timer is None and not busy:
            self._wait()
        super().data_received(data)
        if self._timer is not None and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self._doorway.limits.head_bytes:
                self.drop("head_too_large")

    def on_headers_complete(self) -> None:
        """All headers came."""
        self._wait_no_longer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """It ended."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._doorway.observer.dropped("no_http")
        super().send_400_response(msg)

    def drop(self, reason: str) -> None:
        """Close it without a word: whoever sends so does not listen."""
        self._doorway.observer.dropped(reason)
        self._wait_no_longer()
        self.transport.abort()

    def _wait(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(self._doorway.limits.head_within_s, self.drop, "head_too_slow")
        self._doorway.waiting[self] = None

    def _wait_no_longer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._doorway.waiting.pop(self, None)
