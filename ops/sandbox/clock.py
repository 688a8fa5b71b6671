"""The provider's clock: the real one, ahead by as much as a test has advanced it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.sandbox.store import Store

_MILLISECOND = timedelta(milliseconds=1)


LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Far enough for any test, and everything that is due later can still be written."""


class ClockError(Exception):
    """Where a clock that charges live by cannot be moved: back, or beyond LATEST."""


class Clock:
    """Never goes back while the process lives, whatever the real one does; how far it is ahead is in the books."""

    def __init__(self, store: Store, real: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._real = real
        self._ahead_ms = store.offset_ms()
        self._latest = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The time at the provider."""
        self._latest = max(self._latest, self._real() + timedelta(milliseconds=self._ahead_ms))
        return self._latest

    def advance(self, by_ms: int) -> datetime:
        """Move on; the new time. Raises ClockError."""
        if by_ms > (LATEST - self.now()) / _MILLISECOND:
            raise ClockError(f"advance_ms: the clock goes no further than {LATEST.isoformat()}")
        self._ahead_ms += by_ms
        self._store.set_offset_ms(self._ahead_ms)
        return self.now()

    def advance_to(self, at: datetime) -> datetime:
        """Move on to a moment, at least. Raises ClockError."""
        missing = at - self.now()
        if missing < timedelta(0):
            raise ClockError(f"now: the clock is at {self.now().isoformat()} already")
        return self.advance(-(-missing // _MILLISECOND))
