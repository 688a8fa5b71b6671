"""An event by its id: one that came in with all that followed, or one that went out with what led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from db.queries import explain as sql
from handlers.payments.model import payment_id_of
from ops.inspect.explain.messages import body_node, identity, message_node, place
from ops.inspect.explain.payments import Story
from ops.inspect.explain.published import follows, load_published, published_node
from ops.inspect.node import Node
from ops.inspect.words import moment

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection


async def explain_event(
    connection: Connection, event_id: str, tenant: str | None = None, source: str | None = None
) -> list[Node]:
    """Every message with this id, of whatever source; when there is none, the event of ours with this id.

    To find an event of ours the whole outbox is read.
    """
    rows = await sql.messages_by_id(connection, event_id=event_id, tenant=tenant, source=source)
    if rows:
        return [await _incoming(connection, row) for row in rows]
    return [
        await _outgoing(connection, row) for row in await sql.published_event(connection, event_id=event_id)
    ]


async def _incoming(connection: Connection, row: asyncpg.Record) -> Node:
    cause = identity(row)
    story = await Story.load(connection, row["tenant"], payment_id_of(row["tenant"], row["key"]))
    published = await load_published(connection, [row])
    return message_node(
        row,
        *await _waits(connection, row),
        *story.effects(cause),
        *published.get(cause, ()),
        *await _conflicts(connection, row),
    )


async def _outgoing(connection: Connection, row: asyncpg.Record) -> Node:
    event = orjson.loads(row["event"])
    told = published_node(row, event)
    came = await sql.messages_by_id(
        connection, event_id=event["causation"], tenant=event["tenant"], source=None
    )
    causes = tuple(message_node(message) for message in came if follows(event, identity(message), message))
    return Node(told.kind, told.text, told.facts, (body_node(row["event"].encode()), *causes))


async def _waits(connection: Connection, row: asyncpg.Record) -> list[Node]:
    names = ("tenant", "topic", "key", "source", "event_id")
    return [
        Node(
            "wait",
            f"waits since {moment(wait['parked_at'])}: {wait['detail']}; {wait['tries']} tries, "
            f"looked at again by {moment(wait['due_at'])}",
            dict(wait),
        )
        for wait in await sql.waits_of(connection, **{name: row[name] for name in names})
    ]


async def _conflicts(connection: Connection, row: asyncpg.Record) -> list[Node]:
    names = ("tenant", "source", "event_id")
    return [
        Node(
            "conflict",
            f"another body under this id at {place(other)}, {moment(other['received_at'])}: refused",
            {name: other[name] for name in ("topic", "partition", "offset", "received_at")},
            (body_node(other["body"]),),
        )
        for other in await sql.conflicts_of(connection, **{name: row[name] for name in names})
    ]
