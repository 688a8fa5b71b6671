"""What a failure says about money: the tables that every HTTP adapter shares.

The rule behind both tables: a failure counts as *without effect* only where that is certain. Everything else,
and everything that is not listed, may have moved money.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import httpx

from producers.providers.base import Ambiguous, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meaning(Enum):
    """What an HTTP status says, before its body is read."""

    ANSWERED = auto()
    """The provider decided; the body says what."""
    DECLINED = auto()
    """The provider decided against it; the body says why."""
    REFUSED = auto()
    """The request was wrong; no effect."""
    TRANSIENT = auto()
    """The request was turned away unread; no effect."""
    AMBIGUOUS = auto()
    """It may have taken effect."""


HTTP_STATUSES: tuple[tuple[range, Meaning], ...] = (
    # The first range that contains the status decides.
    (range(200, 300), Meaning.ANSWERED),
    (range(402, 403), Meaning.DECLINED),
    (
        range(408, 409),
        Meaning.AMBIGUOUS,
    ),  # a gateway between us may have given up on a request it had passed on
    (range(429, 430), Meaning.TRANSIENT),
    (range(400, 500), Meaning.REFUSED),
    (range(500, 600), Meaning.AMBIGUOUS),  # 502, 503 and 504 too: they may come from a gateway
)

WITHOUT_EFFECT: Mapping[type[httpx.TransportError], str] = {
    httpx.ConnectError: "no connection: refused, unreachable, or the name does not resolve",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "every connection was busy, the request was never sent",
    httpx.UnsupportedProtocol: "the address is no HTTP address, nothing was sent",
}
"""Transport failures that happen before the first byte of a request leaves. Every other one is ambiguous:
read and write time-outs, resets, a connection closed in mid-answer, a proxy's error."""


def meaning(http_status: int) -> Meaning:
    """What a status says; one that no table row knows is ambiguous."""
    return next((row_meaning for row, row_meaning in HTTP_STATUSES if http_status in row), Meaning.AMBIGUOUS)


def transport_failure(error: httpx.RequestError) -> Transient | Ambiguous:
    """What a request that got no answer says."""
    for kind, explanation in WITHOUT_EFFECT.items():
        if isinstance(error, kind):
            return Transient(explanation)
    return Ambiguous(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
