"""Every reason to say no, with its status; and a log of them that no flood can fill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog

from producers.signatures import common

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

STATUS: Final[dict[str, int]] = {
    "unknown_endpoint": 404,
    "wrong_method": 405,
    "wrong_content_type": 415,
    "encoded_body": 415,
    "malformed_request": 400,
    "body_too_large": 413,
    "body_too_slow": 408,
    common.MISSING: 401,
    common.MALFORMED: 400,
    common.MISMATCH: 401,
    common.TOO_OLD: 401,
    common.TOO_NEW: 401,
    "no_room": 503,
    "not_kept": 503,
}
"""A scheme's own further reasons are 401. What is 503 was not judged, and is to be sent again."""
OTHERWISE: Final = 401
RETRY_AFTER_S: Final = 5
SAY_EVERY_S: Final = 10


class RefusalLog:
    """One line for each endpoint and reason every SAY_EVERY_S, with the number of those it stands for.

    Its memory is bounded by what is configured: no word of a request is a key.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, source: str, reason: str, detail: str) -> None:
        """Refused: say so, unless it was said a moment ago."""
        now = self._clock()
        said_at, unsaid = self._said.get((source, reason), (-SAY_EVERY_S, 0))
        if now - said_at < SAY_EVERY_S:
            self._said[source, reason] = said_at, unsaid + 1
            return
        self._said[source, reason] = now, 0
        log.warning("webhooks refused", source=source, reason=reason, detail=detail, refused=unsaid + 1)
