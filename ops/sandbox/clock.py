"""The provider's clock: the real one, ahead by as much as a test has advanced it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.sandbox.store import Store

_MILLISECOND = timedelta(milliseconds=1)


class BackwardsError(Exception):
    """A clock that charges live by is never turned back."""


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
        """Move on; the new time."""
        self._ahead_ms += by_ms
        self._store.set_offset_ms(self._ahead_ms)
        return self.now()

    def advance_to(self, at: datetime) -> datetime:
        """Move on to a moment, at least. Raises BackwardsError when that is past."""
        missing = at - self.now()
        if missing < timedelta(0):
            raise BackwardsError(f"now: the clock is at {self.now().isoformat()} already")
        return self.advance(-(-missing // _MILLISECOND))
