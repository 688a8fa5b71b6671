"""A journal's story: every part of it, who proposed it, who was refused, who approved, and what it booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.queries import explain as sql
from ops.inspect.explain.objects import KINDS, uuid_of
from ops.inspect.explain.story import MOST, Story, commands_about
from ops.inspect.node import Node
from schemas.journal import MAX_PARTS

if TYPE_CHECKING:
    from uuid import UUID

    import asyncpg

    from db.connection import Connection

COMMANDS: Final = tuple(
    f"ledger.{name}"
    for name in (
        "journal_proposed",
        "journal_part_added",
        "reversal_proposed",
        "conversion_proposed",
        "journal_approved",
        "journal_refused",
    )
)
MOST_PARTS: Final = MAX_PARTS + 2
"""And an approval, and what was refused last."""
PART: Final = "ledger.journal_part_added"


async def explain_journal(
    connection: Connection, name: str, tenant: str | None = None, *, last: int = MOST
) -> list[Node]:
    """The journal with this name of the caller's, or with our id; one for each tenant that has it."""
    found = await sql.journal_ids_named(
        connection, name=name, object_id=uuid_of(name), tenant=tenant, most=last
    )
    if not found:
        return []
    rows = await sql.journals_of(
        connection,
        tenants=[row["tenant"] for row in found],
        object_ids=[row["object_id"] for row in found],
    )
    return [await _explained(connection, row, last) for row in rows]


async def _explained(connection: Connection, journal: asyncpg.Record, last: int) -> Node:
    tenant, object_id = journal["tenant"], journal["object_id"]
    story = await Story.load(connection, tenant, [object_id], most=last)
    commands = await commands_of(connection, tenant, journal["journal_id"], last)
    kind = KINDS["journal"]
    children = (
        *kind.details(journal),
        *_lost_parts(journal, commands),
        *await _reversed_node(connection, journal),
        *story.removed(object_id, journal["version"]),
        *await story.chapters(connection, [(tenant, row["source"], row["event_id"]) for row in commands]),
    )
    return kind.node(journal, children)


async def commands_of(
    connection: Connection, tenant: str, journal_id: str, most: int
) -> list[asyncpg.Record]:
    """What was asked of a journal, its parts and what was refused among it: they leave no step."""
    return await commands_about(connection, tenant, journal_id, COMMANDS, max(most, MOST_PARTS))


def _lost_parts(journal: asyncpg.Record, commands: list[asyncpg.Record]) -> tuple[Node, ...]:
    """Parts that came, and of which no message is known any more: a key may be used anew when it has expired."""
    came = len(journal["part_legs"]) - 1
    known = sum(row["operation"] == PART and row["outcome"] == "applied" for row in commands)
    if came <= known:
        return ()
    text = f"the messages of {came - known} parts are not found by their keys; their legs are in the journal"
    return (Node("missing", text),)


async def _reversed_node(connection: Connection, journal: asyncpg.Record) -> tuple[Node, ...]:
    """Which entry it is that a reversal takes back."""
    if journal["reverses_object"] is None:
        return ()
    number: int = journal["reverses_number"]
    entry_id: UUID | None = await sql.entry_of_object(
        connection, tenant=journal["tenant"], object_id=journal["reverses_object"], number=number
    )
    if entry_id is None:
        return (Node("missing", "the entry that it takes back: NOT there, which breaks law 9"),)
    return (
        Node(
            "hint", f"that is entry {entry_id}: counterfoil explain entry {entry_id}", {"entry_id": entry_id}
        ),
    )
