"""What moved accounts: entries, each with what it was posted for and the message that it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.inspect.explain.entries import Entries, line_node, name_of
from ops.inspect.explain.messages import identity
from ops.inspect.explain.objects import load_objects
from ops.inspect.explain.teller import Teller
from ops.inspect.explain.trail import Trail
from ops.inspect.node import Node
from ops.inspect.words import amount, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from db.connection import Connection
    from ops.inspect.explain.entries import EntryName

MOST_LINES: Final = 20
"""Of one entry among others."""


async def moved_nodes(connection: Connection, lines: Sequence[asyncpg.Record]) -> dict[int, tuple[Node, ...]]:
    """Account id -> the entries of its lines, in the order of these, each entry once.

    A message that led to several is told with the first of them.
    """
    headed = [line for line in lines if line["rule"] is not None]
    told = await Entries.load(connection, headed, MOST_LINES)
    teller = Teller(await Trail.follow(connection, map(identity, headed)))
    objects = await load_objects(
        connection, {(row["tenant"], row["object_type"], row["object_id"]) for row in headed}
    )
    moved: dict[int, dict[EntryName, Node]] = {}
    for line in lines:
        nodes = moved.setdefault(line["moved_account_id"], {})
        name = name_of(line)
        if line["rule"] is None:
            nodes.setdefault(name, _headless(line))
        elif name not in nodes:
            about = objects.get((line["tenant"], line["object_type"], line["object_id"]))
            own = (line_node(line),) if line["line"] > MOST_LINES else ()
            told_of = (about,) if about is not None else ()
            nodes[name] = told.node(line, *own, *told_of, teller.message(identity(line)))
    return {account_id: tuple(nodes.values()) for account_id, nodes in moved.items()}


def line_nodes(lines: Sequence[asyncpg.Record]) -> dict[int, tuple[Node, ...]]:
    """The same in one sentence each: which entry, how much, and what for."""
    moved: dict[int, list[Node]] = {}
    for line in lines:
        moved.setdefault(line["moved_account_id"], []).append(
            _headless(line) if line["rule"] is None else _brief(line)
        )
    return {account_id: tuple(nodes) for account_id, nodes in moved.items()}


def _brief(line: asyncpg.Record) -> Node:
    side = "debit" if line["direction"] == 1 else "credit"
    text = (
        f"{side:6} {amount(line['amount_minor'], line['currency']):>20}  entry {line['entry_id']}, {line['rule']} for "
        f"{line['object_type']} {line['object_id']}, effective {moment(line['effective_at'])}"
    )
    names = (
        "entry_id",
        "line",
        "amount_minor",
        "currency",
        "rule",
        "object_type",
        "object_id",
        "effective_at",
    )
    return Node("moved", text, {"side": side} | {name: line[name] for name in names})


def _headless(line: asyncpg.Record) -> Node:
    text = f"entry {line['entry_id']}: its header is NOT in the journal, which breaks law 9; its line is"
    return Node("missing", text, {"entry_id": line["entry_id"]}, (line_node(line),))
