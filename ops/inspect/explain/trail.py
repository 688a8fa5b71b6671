"""What is behind messages: answers to calls, webhooks as they came, timers; the messages behind those, and so on.

Everything is loaded level by level, one query for each kind of thing, however many messages there are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from db.queries import explain as sql
from ops.inspect.explain.messages import Identity, identity, load_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from db.connection import Connection

POINTERS: Final = {"provider.results": "call_id", "webhook.events": "webhook_id", "timer.events": "timer_id"}
"""Topic of a message of ours -> the member of its data that names what it tells of."""
MOST_LEVELS: Final = 12
"""How far back; a timer that was set by a timer that was set by a timer may go back for years."""
MOST_ANSWERS: Final = 10
"""Of one call; one whose outcome is unknown is asked about without end."""

Name = tuple[str, UUID]
"""(tenant, id) of a call, a webhook or a timer."""


@dataclass(slots=True)
class Trail:
    """Messages with all that is behind them, as far as it is there."""

    messages: dict[Identity, asyncpg.Record] = field(default_factory=dict)
    calls: dict[Name, asyncpg.Record] = field(default_factory=dict)
    answers: defaultdict[Name, list[asyncpg.Record]] = field(default_factory=lambda: defaultdict(list))
    webhooks: defaultdict[Name, list[asyncpg.Record]] = field(default_factory=lambda: defaultdict(list))
    timers: defaultdict[Name, list[asyncpg.Record]] = field(default_factory=lambda: defaultdict(list))
    looked_for: set[Identity] = field(default_factory=set)

    @classmethod
    async def follow(
        cls, connection: Connection, causes: Iterable[Identity], calls: Iterable[asyncpg.Record] = ()
    ) -> Trail:
        """Back from these messages; `calls` are told too, and their answers wanted."""
        trail = cls()
        named = {(row["tenant"], row["call_id"]): row for row in calls}
        trail.calls.update(named)
        await trail._load_answers(connection, named)
        wanted = set(causes)
        for _ in range(MOST_LEVELS):
            wanted -= trail.looked_for
            if not wanted:
                break
            trail.looked_for |= wanted
            found = await load_messages(connection, wanted)
            trail.messages |= found
            wanted = await trail._load_behind(connection, found.values())
        return trail

    async def _load_behind(self, connection: Connection, rows: Iterable[asyncpg.Record]) -> set[Identity]:
        """What these messages point to; gives the messages behind that."""
        names: defaultdict[str, set[Name]] = defaultdict(set)
        for row in rows:
            name = pointer_of(row)
            if name is not None:
                names[row["topic"]].add(name)
        calls = names["provider.results"] - self.calls.keys()
        if calls:
            tenants, call_ids = zip(*calls, strict=True)
            for row in await sql.calls_of(connection, tenants=tenants, call_ids=call_ids):
                self.calls[row["tenant"], row["call_id"]] = row
            await self._load_answers(connection, calls)
        webhooks = names["webhook.events"] - self.webhooks.keys()
        if webhooks:
            tenants, webhook_ids = zip(*webhooks, strict=True)
            for row in await sql.webhooks_of(connection, tenants=tenants, webhook_ids=webhook_ids):
                self.webhooks[row["tenant"], row["webhook_id"]].append(row)
        timers = names["timer.events"] - self.timers.keys()
        if timers:
            tenants, timer_ids = zip(*timers, strict=True)
            for row in await sql.timers_of(connection, tenants=tenants, timer_ids=timer_ids):
                self.timers[row["tenant"], row["timer_id"]].append(row)
        asked = {identity(self.calls[name]) for name in names["provider.results"] if name in self.calls}
        return asked | {cause for name in names["timer.events"] for cause in self.setters(name)}

    async def _load_answers(self, connection: Connection, calls: Iterable[Name]) -> None:
        wanted = list(calls)
        if not wanted:
            return
        tenants, call_ids = zip(*wanted, strict=True)
        for row in await sql.answers_of(connection, tenants=tenants, call_ids=call_ids, most=MOST_ANSWERS):
            self.answers[row["tenant"], row["call_id"]].append(row)

    def setters(self, timer: Name) -> list[Identity]:
        """The message that set a timer; several only when senders share its id and none is known to have moved it."""
        rows = [row for row in self.timers[timer] if row["source"] is not None]
        moved = [row for row in rows if row["moved"]]
        return [(row["tenant"], row["source"], row["causation"]) for row in moved or rows]


def pointer_of(message: asyncpg.Record) -> Name | None:
    """The call, webhook or timer that a message tells of; always looked for among its own tenant's."""
    member = POINTERS.get(message["topic"])
    if member is None:
        return None
    named = data_of(message["body"]).get(member)
    try:
        return message["tenant"], UUID(named)
    except (TypeError, ValueError, AttributeError):
        return None


def data_of(body: bytes) -> dict[str, Any]:
    """The data of an event; nothing when the body is none, whatever it is."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    data = event.get("data") if isinstance(event, dict) else None
    return data if isinstance(data, dict) else {}
