"""A journal entry: its lines, the message it follows from, and where it was told."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from db.queries import explain as sql
from ops.inspect.explain.messages import identity, load_messages, node_of
from ops.inspect.explain.published import load_published
from ops.inspect.node import Node
from ops.inspect.words import amount, moment
from schemas.ledger import ENTRY_POSTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from db.connection import Connection

Lines = dict[int, list["asyncpg.Record"]]
"""Entry id -> its lines."""


async def explain_entry(connection: Connection, entry_id: int, tenant: str | None = None) -> list[Node]:
    """The entry with this number: none or one, as numbers are not used twice."""
    rows = await sql.entry(connection, entry_id=entry_id, tenant=tenant)
    return [await _explained(connection, row) for row in rows]


async def _explained(connection: Connection, row: asyncpg.Record) -> Node:
    lines = await load_lines(connection, row["tenant"], [row])
    cause = identity(row)
    messages = await load_messages(connection, [cause])
    published = await load_published(connection, messages.values())
    told = [
        node
        for node in published.get(cause, ())
        if node.facts["event"]["type"] == ENTRY_POSTED
        and node.facts["event"]["data"]["entry_id"] == row["entry_id"]
    ]
    return entry_node(row, lines, node_of(messages, cause), *told)


async def load_lines(connection: Connection, tenant: str, entries: Sequence[asyncpg.Record]) -> Lines:
    """The lines of these entries of a tenant."""
    lines: Lines = defaultdict(list)
    for row in await sql.lines_of(connection, tenant=tenant, entry_ids=[row["entry_id"] for row in entries]):
        lines[row["entry_id"]].append(row)
    return lines


def entry_node(row: asyncpg.Record, lines: Lines, *more: Node) -> Node:
    """The entry, line by line as an accountant writes it: debits first."""
    text = (
        f"entry {row['entry_id']}, {row['rule']} for {row['object_type']} {row['object_id']}, "
        f"effective {moment(row['effective_at'])}, posted {moment(row['posted_at'])}"
    )
    names = ("tenant", "entry_id", "rule", "object_type", "object_id", "effective_at", "posted_at")
    legs = tuple(_line_node(line) for line in lines.get(row["entry_id"], ()))
    return Node("entry", text, {name: row[name] for name in names}, (*legs, *more))


def _line_node(line: asyncpg.Record) -> Node:
    side = "debit" if line["direction"] == 1 else "credit"
    text = f"{side:6} {amount(line['amount_minor'], line['currency']):>20}  {line['code']} of {line['owner']}"
    names = ("line", "amount_minor", "currency", "account_id", "code", "owner")
    return Node("line", text, {"side": side} | {name: line[name] for name in names})
