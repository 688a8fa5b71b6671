"""How events lie in the outbox: lines of text, in rows that fill a page. See docs/adr/0007-packed-outbox.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

OUTBOX_CHANNEL: Final = "outbox"
"""The NOTIFY channel that wakes the relay."""
ROW_BYTES: Final = 8_000
"""Keys and payloads in a row: a page of PostgreSQL, less what else is in it."""


class Pages:
    """The events of a batch for one topic, in their order, as many in a row as fit a page; a larger one has its own.

    A page is joined as soon as it is full: its events' memory is used again while the processor still has it at hand.
    """

    def __init__(self) -> None:
        self._full: list[tuple[int, str, str]] = []
        self._keys: list[str] = []
        self._payloads: list[bytes] = []
        self._size = 0

    def add(self, key: str, payload: bytes) -> None:
        """One event more."""
        takes = len(key) + len(payload) + 2
        if self._size + takes > ROW_BYTES and self._keys:
            self._turn()
        self._size += takes
        self._keys.append(key)
        self._payloads.append(payload)

    def rows(self) -> list[tuple[int, str, str]]:
        """(number of events, keys, payloads), as lines."""
        if self._keys:
            self._turn()
        return self._full

    def _turn(self) -> None:
        self._full.append((len(self._keys), *as_lines(self._keys, self._payloads)))
        self._keys, self._payloads, self._size = [], [], 0


def as_lines(keys: Sequence[str], payloads: Sequence[bytes]) -> tuple[str, str]:
    """Keys and payloads one a line, as the outbox stores them; identifiers and our JSON have no line breaks."""
    return "\n".join(keys), b"\n".join(payloads).decode()
