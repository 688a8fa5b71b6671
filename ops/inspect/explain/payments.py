"""A payment's story, with that of its refunds and disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from db.queries import explain as sql
from db.queries import explain_messages as messages_sql
from ops.inspect.explain.messages import identity
from ops.inspect.explain.objects import KINDS, load_objects
from ops.inspect.explain.story import MOST, Story
from ops.inspect.node import Node

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection


async def explain_payment(
    connection: Connection,
    name: str,
    tenant: str | None = None,
    *,
    everything: bool = False,
    last: int = MOST,
) -> list[Node]:
    """The payment with this id, or those of an order with this id, one for each tenant that has it.

    The newest `last` messages of it. With `everything`, also those that changed nothing; for that the whole inbox is
    read.
    """
    try:
        payments = await sql.payment_by_id(connection, payment_id=UUID(name), tenant=tenant)
    except ValueError:
        payments = []
    if not payments:
        payments = await sql.payments_by_order(connection, order_id=name, tenant=tenant)
    return [await _explained(connection, payment, last, everything=everything) for payment in payments]


async def _explained(connection: Connection, payment: asyncpg.Record, last: int, *, everything: bool) -> Node:
    tenant, payment_id = payment["tenant"], payment["payment_id"]
    after = await sql.after_payment(connection, tenant=tenant, payment_id=payment_id, most=last)
    object_ids = [payment_id, *(row["object_id"] for row in after)]
    story = await Story.load(connection, tenant, object_ids, payment_ids=[payment_id], most=last)
    more = []
    if everything:
        rows = await messages_sql.messages_by_key(
            connection, tenant=tenant, key=payment["order_id"], most=last
        )
        more = [identity(row) for row in rows]
    names = [(tenant, row["object_type"], str(row["object_id"])) for row in after]
    objects = (await load_objects(connection, names)).values()
    hidden = after[0]["there"] - len(after) if after else 0
    rest = (
        (Node("rest", f"and {hidden:,} earlier refunds and disputes; see them with --last"),)
        if hidden
        else ()
    )
    kind = KINDS["payment"]
    children = (
        *kind.details(payment),
        *objects,
        *rest,
        *story.removed(payment_id, payment["version"]),
        *await story.chapters(connection, more),
    )
    return kind.node(payment, children)
