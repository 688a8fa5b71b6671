"""A message as it came: where, when, word for word, and what became of it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from db.queries import explain_messages as sql
from ops.inspect.node import Node
from ops.inspect.words import body_text, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from db.connection import Connection

Identity = tuple[str, str, str]
"""(tenant, source, event id)."""


def identity(row: asyncpg.Record) -> Identity:
    """The message that a row is, or follows from."""
    return row["tenant"], row["source"], row["event_id"]


async def load_messages(
    connection: Connection, identities: Iterable[Identity]
) -> dict[Identity, asyncpg.Record]:
    """The messages with these identities, as far as they are in the inbox."""
    wanted = sorted(set(identities))
    if not wanted:
        return {}
    tenants, sources, event_ids = zip(*wanted, strict=True)
    rows = await sql.messages(connection, tenants=tenants, sources=sources, event_ids=event_ids)
    return {identity(row): row for row in rows}


def place(row: asyncpg.Record) -> str:
    """Where in Kafka it was: topic/partition/offset."""
    return f"{row['topic']}/{row['partition']}/{row['offset']}"


def body_node(body: bytes) -> Node:
    """Word for word; for programs as text, or in base64 when it is none."""
    try:
        facts = {"body": body.decode()}
    except UnicodeDecodeError:
        facts = {"body_base64": b64encode(body).decode()}
    return Node("body", body_text(body), facts)


def message_text(row: asyncpg.Record) -> str:
    """'checkout.payment_recorded.v1 s1 of /shops/a'."""
    return f"{row['type']} {row['event_id']} of {row['source']}"


def message_node(row: asyncpg.Record, *effects: Node) -> Node:
    """The message, with its body and what followed from it."""
    why = (
        f" ({row['reason']}: {row['detail']})"
        if row["reason"]
        else f" ({row['detail']})"
        if row["detail"]
        else ""
    )
    text = (
        f"{message_text(row)}, received {moment(row['received_at'])} at {place(row)}: {row['outcome']}{why}"
    )
    names = ("tenant", "source", "event_id", "type", "key", "topic", "partition", "offset", "batch_id")
    facts: dict[str, Any] = {
        name: row[name] for name in (*names, "received_at", "outcome", "reason", "detail")
    }
    return Node("message", text, facts, (body_node(row["body"]), *effects))


def missing_message(cause: Identity, *effects: Node) -> Node:
    """A cause that is not in the inbox; `check` reports it, too."""
    tenant, source, event_id = cause
    facts = {"tenant": tenant, "source": source, "event_id": event_id}
    return Node("message", f"{event_id} of {source}: NOT in the inbox, which breaks law 3", facts, effects)
