"""Two databases by content: both are read in the order of names, side by side, in the memory of a few rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from db.connection import Connection
    from ops.rebuild.parts import Compared

NAMED_AT_MOST: Final = 50
"""Differences told of each part; the others are only counted."""
ROWS_AT_ONCE: Final = 2000
MAX_TOLD: Final = 200
"""Characters of a value."""


@dataclass(slots=True)
class Part:
    """What was compared, how many rows there are live, how many differ, and the first of these in words."""

    name: str
    rows: int = 0
    broken: int = 0
    differences: list[str] = field(default_factory=list)

    def differs(self, told: str) -> None:
        """One more."""
        self.broken += 1
        if len(self.differences) < NAMED_AT_MOST:
            self.differences.append(told)


async def compare(live: Connection, rebuilt: Connection, compared: Compared) -> Part:
    """Compare one part of both; each connection is within a transaction."""
    part = Part(compared.title)
    left, right = _rows(live, compared), _rows(rebuilt, compared)
    was, now = await anext(left, None), await anext(right, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was["name"] < now["name"]):
            part.rows += 1
            part.differs(f"{was['name']} is there, but does not follow from the messages")  # type: ignore[index]
            was = await anext(left, None)
        elif was is None or now["name"] < was["name"]:
            part.differs(f"{now['name']} follows from the messages, but is not there")
            now = await anext(right, None)
        else:
            part.rows += 1
            if was["content"] != now["content"]:
                part.differs(f"{was['name']}: {_difference(was['content'], now['content'])}")
            was, now = await anext(left, None), await anext(right, None)
    return part


async def _rows(connection: Connection, compared: Compared) -> AsyncIterator[Any]:
    statement = compared.query.sql
    values = compared.parameters.values()
    async for row in connection.cursor(statement, *values, prefetch=ROWS_AT_ONCE):
        yield row


def _difference(was: dict[str, Any], now: dict[str, Any]) -> str:
    """The members that differ, with both values."""
    return "; ".join(
        f"{name} is {_told(was.get(name))}, the messages say {_told(now.get(name))}"
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    )


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_TOLD else f"{text[:MAX_TOLD]}..."
