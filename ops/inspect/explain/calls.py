"""A call to a payment provider, and every answer to it, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.inspect.explain.messages import body_node
from ops.inspect.node import Node
from ops.inspect.words import amount, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg


def call_node(row: asyncpg.Record, answers: Iterable[asyncpg.Record]) -> Node:
    """What was asked of whom, how that stands, and what was answered."""
    money = f" {amount(row['amount_minor'], row['currency'])}" if row["amount_minor"] else ""
    tries = "1 try" if row["tries"] == 1 else f"{row['tries']} tries"
    since = f" since {moment(row['unknown_since'])}" if row["status"] == "unknown" else ""
    text = (
        f"asked {row['provider']} to {row['operation']}{money}: {row['status']}{since} "
        f"after {tries} (call {row['call_id']})"
    )
    names = (
        "call_id",
        "provider",
        "operation",
        "amount_minor",
        "currency",
        "status",
        "tries",
        "unknown_since",
    )
    return Node("call", text, {name: row[name] for name in names}, tuple(map(_answer_node, answers)))


def _answer_node(row: asyncpg.Record) -> Node:
    detail = f": {row['detail']}" if row["detail"] else ""
    text = f"try {row['try']} ({row['asked']}) {moment(row['answered_at'])}: {row['answer']}{detail}"
    facts = {name: row[name] for name in ("try", "asked", "answer", "detail", "answered_at")}
    return Node("answer", text, facts, () if row["raw"] is None else (body_node(row["raw"]),))
