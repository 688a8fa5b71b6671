"""What went out because of a message, and whether the relay has published it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import orjson

from db.queries import explain_messages as sql
from ops.inspect.explain.messages import Identity, identity
from ops.inspect.node import Node
from schemas.dead_letter import DEAD_LETTER
from schemas.outgoing import Cause, event_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from db.connection import Connection

MOST_OF_A_TYPE: Final = 64
"""Events of one type that follow from one message; no rule gives more than a few."""

Published = dict[Identity, tuple[Node, ...]]
"""Message -> the events that follow from it."""


async def load_published(connection: Connection, messages: Iterable[asyncpg.Record]) -> Published | None:
    """The events that follow from each of these messages of the inbox; None where this role may not see them."""
    causes = {identity(row): row for row in messages}
    if not await sql.may_read_published(connection):
        return None
    if not causes:
        return {}
    batch_ids, event_ids = zip(*((row["batch_id"], row["event_id"]) for row in causes.values()), strict=True)
    by_name: defaultdict[tuple[int, str], list[Identity]] = defaultdict(list)
    for cause, row in causes.items():
        by_name[row["batch_id"], row["event_id"]].append(cause)
    found: defaultdict[Identity, list[Node]] = defaultdict(list)
    for row in await sql.published_by(connection, batch_ids=batch_ids, event_ids=event_ids):
        event = orjson.loads(row["event"])
        for cause in by_name.get((row["batch_id"], event["causation"]), ()):
            if follows(event, cause, causes[cause]):
                found[cause].append(published_node(row, event))
    return {cause: tuple(nodes) for cause, nodes in found.items()}


def follows(event: dict[str, Any], cause: Identity, message: asyncpg.Record) -> bool:
    """Whether an event of ours follows from the message. Its id says so: two sources may use one event id."""
    if event["causation"] != cause[2] or event["tenant"] != cause[0]:
        return False
    if event["type"] == DEAD_LETTER:
        data = event["data"]
        return all(data[name] == message[name] for name in ("topic", "partition", "offset"))
    numbers = (*range(MOST_OF_A_TYPE), message["offset"] + 1)
    return any(event["id"] == event_id_of(Cause(*cause), event["type"], number) for number in numbers)


def published_node(row: asyncpg.Record, event: dict[str, Any]) -> Node:
    """An event of ours: which, where to, and whether it is out."""
    state = "published" if row["is_published"] else "waits for the relay"
    text = f"{event['type']} to {row['topic']}: {state} (event {event['id']}, batch {row['batch_id']})"
    facts = {
        "topic": row["topic"],
        "batch_id": row["batch_id"],
        "is_published": row["is_published"],
        "event": event,
    }
    return Node("published", text, facts)
