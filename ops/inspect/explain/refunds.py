"""A refund's story: who asked for it, who approved it, what its provider said, what it moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.queries import explain as sql
from ops.inspect.explain.objects import KINDS, uuid_of
from ops.inspect.explain.story import MOST, Story

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection
    from ops.inspect.node import Node


async def explain_refund(
    connection: Connection,
    name: str,
    tenant: str | None = None,
    *,
    order_id: str | None = None,
    last: int = MOST,
) -> list[Node]:
    """Refunds by our id, by the provider's, or by the caller's, which is one's own within an order."""
    rows = await sql.refunds_named(
        connection, name=name, object_id=uuid_of(name), tenant=tenant, order_id=order_id, most=last
    )
    return [await _explained(connection, row, last) for row in rows]


async def _explained(connection: Connection, refund: asyncpg.Record, last: int) -> Node:
    story = await Story.load(
        connection,
        refund["tenant"],
        [refund["object_id"]],
        payment_ids=[refund["payment_id"]],
        calls_of=[refund["object_id"]],
        beside=[refund["payment_id"]],
        most=last,
    )
    kind = KINDS["refund"]
    gone = story.removed(refund["object_id"], refund["version"])
    return kind.node(refund, (*kind.details(refund), *gone, *await story.chapters(connection)))
