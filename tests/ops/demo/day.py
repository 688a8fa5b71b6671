"""A generated day as a consumer reads it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.intake import Incoming, Reader, Record, Unreadable
from ops.demo.marketplace import generate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.demo import marketplace

TOPIC = "checkout.events"


@dataclass(frozen=True)
class Day:
    """Everything that was generated, readable messages grouped by event and by key, in order."""

    records: list[marketplace.Record]
    unreadable: list[Unreadable] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    by_event: dict[tuple[str, str, str], list[Incoming]] = field(default_factory=lambda: defaultdict(list))
    by_key: dict[bytes, list[Incoming]] = field(default_factory=lambda: defaultdict(list))

    @property
    def firsts(self) -> list[Incoming]:
        """The first message under each event id."""
        return [messages[0] for messages in self.by_event.values()]


def read(records: Iterable[marketplace.Record]) -> Day:
    """Read a day as the engine does."""
    day = Day(list(records))
    reader = Reader(TOPIC)
    for offset, record in enumerate(day.records):
        item = reader.read(Record(TOPIC, 0, offset, record.key, {}, record.value))
        if isinstance(item, Unreadable):
            day.unreadable.append(item)
        else:
            day.incoming.append(item)
            day.by_event[item.identity].append(item)
            day.by_key[record.key].append(item)
    return day


def day_of(events: int, seed: int) -> Day:
    """A generated day, read."""
    return read(generate(events, seed))
