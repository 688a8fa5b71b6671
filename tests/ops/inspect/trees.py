"""What tests look for in an explanation; and timers as the scheduler fires them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tests.shop import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.inspect.node import Node
    from tests.conftest import Connection


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def texts(node: Node, kind: str) -> list[str]:
    """What is said of one kind of thing, from top to bottom."""
    return [found.text for found in walk(node) if found.kind == kind]


def told_ids(node: Node) -> list[str]:
    """The ids of the messages that are told word for word, from top to bottom."""
    return [
        found.facts["event_id"] for found in walk(node) if found.kind == "message" and found.facts.get("type")
    ]


def bodies(node: Node) -> list[str]:
    """Everything that is told word for word."""
    return texts(node, "body")


async def fired(admin: Connection, kind: str) -> list[bytes]:
    """The messages of all timers of a kind, as the scheduler publishes them."""
    rows = await admin.fetch("SELECT * FROM timers WHERE kind = $1 ORDER BY due_at", kind)
    names = ("timer_id", "kind", "payment_id", "order_id", "object_id", "due_at")
    return [
        event(
            str(row["timer_id"]),
            "timer.due",
            {name: _plain(row[name]) for name in names},
            source="/counterfoil/timers",
            tenant=row["tenant"],
            causation=row["causation"],
        )
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))
