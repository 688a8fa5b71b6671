"""A limit on everything that a stranger can make us hold: bytes, connections, time."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive

DIGITS_OF_A_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed. Providers send a few KB within a second, and wait 5 to 30 s for the answer."""

    body_bytes: int = 2**20
    head_bytes: int = 32 * 2**10
    head_within_s: float = 10
    """From the connection, or from the first byte of its next request, to the end of the request's headers."""
    body_within_s: float = 10
    store_within_s: float = 8
    """From the last byte of the body to the commit."""
    connections: int = 4096
    """At once. One more, and the oldest that has not sent its headers is closed."""
    held_bytes: int = 64 * 2**20
    """Of all bodies that are not yet committed, together."""


class TooLargeError(Exception):
    """A body has more bytes than one may have."""


class TooMuchError(Exception):
    """All bodies together have more bytes than we hold."""


class GoneError(Exception):
    """The sender hung up in the middle of a body."""


class Room:
    """How many bytes of bodies are held by all requests together."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """Room for one request; what it took is free again at the end."""
        held = Hold(self)
        try:
            yield held
        finally:
            self._free += held.taken_bytes

    def take(self, size: int) -> None:
        """Raises TooMuchError when there is not so much."""
        if size > self._free:
            raise TooMuchError
        self._free -= size


class Hold:
    """What one request has taken."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken_bytes = 0

    def take(self, size: int) -> None:
        """Raises TooMuchError when there is not so much room."""
        self._room.take(size)
        self.taken_bytes += size


def declared_length(text: str | None) -> int | None:
    """What Content-Length says; None when it is absent.

    Raises:
        ValueError: it is no number.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > DIGITS_OF_A_LENGTH:
        raise ValueError("Content-Length is no number of bytes")
    return int(text)


async def read_body(receive: Receive, hold: Hold, limits: Limits) -> bytes:
    """The whole body, however it is framed.

    Raises:
        TooLargeError: it goes on beyond the limit; nothing beyond it was kept.
        TooMuchError: there is no room for it just now.
        GoneError: the sender hung up.
        TimeoutError: it did not come in time.
    """
    body = bytearray()
    async with asyncio.timeout(limits.body_within_s):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise GoneError
            chunk: bytes = message.get("body", b"")
            if len(body) + len(chunk) > limits.body_bytes:
                raise TooLargeError
            hold.take(len(chunk))
            body += chunk
            if not message.get("more_body", False):
                return bytes(body)
