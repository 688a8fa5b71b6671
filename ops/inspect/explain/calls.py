"""A call to a payment provider, and every answer to it, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.inspect.explain.messages import body_node
from ops.inspect.node import Node
from ops.inspect.words import amount, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg


def call_node(row: asyncpg.Record, answers: Sequence[asyncpg.Record], *more: Node) -> Node:
    """What was asked of whom, how that stands, and what was answered."""
    tries = "1 try" if row["tries"] == 1 else f"{row['tries']} tries"
    since = f" since {moment(row['unknown_since'])}" if row["status"] == "unknown" else ""
    text = f"{asked_text(row)}: {row['status']}{since} after {tries} (call {row['call_id']})"
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
    facts = {name: row[name] for name in names}
    return Node("call", text, facts, (*_untold(row, answers), *map(_answer_node, answers), *more))


def asked_text(row: asyncpg.Record) -> str:
    """'asked sandbox to capture 10.00 EUR'."""
    money = f" {amount(row['amount_minor'], row['currency'])}" if row["amount_minor"] else ""
    return f"asked {row['provider']} to {row['operation']}{money}"


def _untold(row: asyncpg.Record, answers: Sequence[asyncpg.Record]) -> tuple[Node, ...]:
    """That older answers are left out, or that the answer to an answered call is gone."""
    if not answers and row["status"] == "answered":
        return (Node("missing", "its answer is NOT there, which breaks law 8"),)
    earlier = answers[0]["try"] - 1 if answers else 0
    return (Node("rest", f"{earlier} earlier tries"),) if earlier else ()


def _answer_node(row: asyncpg.Record) -> Node:
    detail = f": {row['detail']}" if row["detail"] else ""
    text = f"try {row['try']} ({row['asked']}) {moment(row['answered_at'])}: {row['answer']}{detail}"
    facts = {name: row[name] for name in ("try", "asked", "answer", "detail", "answered_at")}
    return Node("answer", text, facts, () if row["raw"] is None else (body_node(row["raw"]),))
