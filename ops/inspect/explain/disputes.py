"""A dispute's story: what the provider reported, what was answered with which evidence, how it was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.queries import explain as sql
from ops.inspect.explain.objects import KINDS, uuid_of
from ops.inspect.explain.story import MOST, Story
from ops.inspect.node import Node
from ops.inspect.words import moment

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection

MOST_NAMED = 20
"""Disputes of one name, of as many tenants."""


async def explain_dispute(
    connection: Connection, name: str, tenant: str | None = None, *, last: int = MOST
) -> list[Node]:
    """The dispute with this reference of the provider's, or with our id."""
    rows = await sql.disputes_named(
        connection, name=name, object_id=uuid_of(name), tenant=tenant, most=MOST_NAMED
    )
    return [await _explained(connection, row, last) for row in rows]


async def _explained(connection: Connection, dispute: asyncpg.Record, last: int) -> Node:
    tenant, object_id = dispute["tenant"], dispute["object_id"]
    story = await Story.load(
        connection,
        tenant,
        [object_id],
        payment_ids=[dispute["payment_id"]],
        calls_of=[object_id],
        beside=[dispute["payment_id"]],
        most=last,
    )
    evidence = await sql.evidence_of(connection, tenant=tenant, object_id=object_id)
    kind = KINDS["dispute"]
    children = (
        *kind.details(dispute),
        *map(_evidence_node, evidence),
        *_lost_evidence(dispute, evidence),
        *story.removed(object_id, dispute["version"]),
        *await story.chapters(connection),
    )
    return kind.node(dispute, children)


def _evidence_node(row: asyncpg.Record) -> Node:
    text = (
        f"evidence version {row['version']}, sent by {row['submitted_by']}, {moment(row['submitted_at'])}, "
        f"sha256 {row['sha256']}"
    )
    fields = tuple(Node("field", f"{name}: {value}") for name, value in sorted(row["fields"].items()))
    links = tuple(
        Node("field", f"{link.get('kind')} {link.get('reference')}, sha256 {link.get('sha256')}", dict(link))
        for link in row["links"]
    )
    return Node("evidence", text, dict(row), (*fields, *links))


def _lost_evidence(dispute: asyncpg.Record, evidence: list[asyncpg.Record]) -> tuple[Node, ...]:
    """Versions that are not there, and what the provider was sent, when it is not."""
    known = {row["sha256"] for row in evidence}
    sent = dispute["evidence_sha256"]
    versions = {row["version"] for row in evidence}
    gone = [number for number in range(1, max(versions, default=0)) if number not in versions]
    nodes = [Node("missing", f"evidence version {number}: NOT there, which breaks law 8") for number in gone]
    if sent is not None and sent not in known:
        nodes.append(Node("missing", f"evidence {sent}, which was sent: NOT there, which breaks law 8"))
    return tuple(nodes)
