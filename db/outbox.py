"""How events lie in the outbox: lines of text, in rows that fill a page. See docs/adr/0007-packed-outbox.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OUTBOX_CHANNEL: Final = "outbox"
"""The NOTIFY channel that wakes the relay."""
ROW_BYTES: Final = 8_000
"""Keys and payloads in a row: a page of PostgreSQL, less what else is in it."""


def pages(keys: Sequence[str], payloads: Sequence[bytes]) -> Iterator[tuple[Sequence[str], Sequence[bytes]]]:
    """Events in their order, as many at a time as fit a row; one that is larger has a row of its own."""
    first = size = 0
    for place, (key, payload) in enumerate(zip(keys, payloads, strict=True)):
        takes = len(key) + len(payload) + 2
        size += takes
        if size > ROW_BYTES and place > first:
            yield keys[first:place], payloads[first:place]
            first, size = place, takes
    yield keys[first:], payloads[first:]


def as_lines(keys: Sequence[str], payloads: Sequence[bytes]) -> tuple[str, str]:
    """Keys and payloads one a line, as the outbox stores them; identifiers and our JSON have no line breaks."""
    return "\n".join(keys), b"\n".join(payloads).decode()
