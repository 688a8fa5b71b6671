"""An event by its id: one that came in with all that followed, or one that went out with what led to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from db.queries import explain_messages as sql
from handlers.payments.model import payment_id_of
from ops.inspect.explain.messages import body_node, identity, place
from ops.inspect.explain.objects import uuid_of
from ops.inspect.explain.published import follows, load_published, published_node
from ops.inspect.explain.story import UNSEEN, Story
from ops.inspect.explain.teller import Teller
from ops.inspect.explain.trail import Trail, data_of
from ops.inspect.node import Node
from ops.inspect.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    import asyncpg

    from db.connection import Connection

MOST_CONFLICTS: Final = 20
"""Other bodies under one id."""


async def explain_event(
    connection: Connection, event_id: str, tenant: str | None = None, source: str | None = None
) -> list[Node]:
    """Every message with this id, of whatever source; when there is none, the event of ours with this id.

    To find an event of ours the whole outbox is read.
    """
    rows = await sql.messages_by_id(connection, event_id=event_id, tenant=tenant, source=source)
    if rows:
        return [await _incoming(connection, row) for row in rows]
    if not await sql.may_read_published(connection):
        return []
    found = await sql.published_event(connection, event_id=event_id)
    return [
        await _outgoing(connection, row, event)
        for row in found
        if tenant in {None, (event := orjson.loads(row["event"]))["tenant"]}
    ]


async def _incoming(connection: Connection, row: asyncpg.Record) -> Node:
    cause = identity(row)
    told = await load_published(connection, [row])
    published = (UNSEEN,) if told is None else told.get(cause, ())
    things = _named_by(row, published)
    story = await Story.load(
        connection, row["tenant"], list(things), payment_ids=list(things), only=cause, most=MOST_CONFLICTS * 5
    )
    teller = Teller(await Trail.follow(connection, [cause], story.calls))
    effects = story.effects(teller, cause)
    return teller.message(
        cause,
        *await _waits(connection, row),
        *effects,
        *published,
        *await _conflicts(connection, row),
    )


def _named_by(row: asyncpg.Record, published: Iterable[Node]) -> dict[UUID, None]:
    """Everything that the message may have moved: what it names, what the events that followed name."""
    names: dict[UUID, None] = {payment_id_of(row["tenant"], row["key"]): None}
    events: list[dict[str, Any]] = [
        node.facts["event"]["data"] for node in published if node.kind == "published"
    ]
    for data in (data_of(row["body"]), *events):
        for value in data.values():
            uuid = uuid_of(value) if isinstance(value, str) else None
            if uuid is not None:
                names[uuid] = None
    return names


async def _outgoing(connection: Connection, row: asyncpg.Record, event: dict[str, Any]) -> Node:
    told = published_node(row, event)
    came = await sql.messages_by_id(
        connection, event_id=event["causation"], tenant=event["tenant"], source=None
    )
    causes = [identity(message) for message in came if follows(event, identity(message), message)]
    teller = Teller(await Trail.follow(connection, causes))
    gone = Node("missing", f"{event['causation']}, which led to it: NOT in the inbox, which breaks law 3")
    nodes = tuple(map(teller.message, causes)) or (gone,)
    return Node(told.kind, told.text, told.facts, (body_node(row["event"].encode()), *nodes))


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
    named = {name: row[name] for name in ("tenant", "source", "event_id")}
    others = await sql.conflicts_of(connection, **named, most=MOST_CONFLICTS)
    nodes = [
        Node(
            "conflict",
            f"another body under this id at {place(other)}, {moment(other['received_at'])}: refused",
            {name: other[name] for name in ("topic", "partition", "offset", "received_at")},
            (body_node(other["body"]),),
        )
        for other in others
    ]
    hidden = others[0]["there"] - len(others) if others else 0
    return [*nodes, Node("rest", f"and {hidden:,} more")] if hidden else nodes
