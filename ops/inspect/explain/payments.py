"""A payment's story, message by message: what each changed, posted, asked of the provider and published."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from db.queries import explain as sql
from ops.inspect.explain.calls import call_node
from ops.inspect.explain.entries import Lines, entry_node, load_lines
from ops.inspect.explain.messages import Identity, identity, load_messages, node_of
from ops.inspect.explain.published import load_published
from ops.inspect.node import Node
from ops.inspect.words import advice, amount, moment

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Story:
    """A payment's records. `effects` gives those that follow from one message."""

    tenant: str
    transitions: list[asyncpg.Record]
    entries: list[asyncpg.Record]
    lines: Lines
    calls: list[asyncpg.Record]
    answers: dict[UUID, list[asyncpg.Record]]

    @classmethod
    async def load(cls, connection: Connection, tenant: str, payment_id: UUID) -> Story:
        """Everything about a payment but the messages."""
        transitions = await sql.transitions_of(connection, tenant=tenant, object_id=payment_id)
        entries = await sql.entries_of(connection, tenant=tenant, object_id=str(payment_id))
        lines = await load_lines(connection, tenant, entries)
        calls = await sql.calls_of(connection, tenant=tenant, payment_id=payment_id)
        answers: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
        for row in await sql.answers_of(
            connection, tenant=tenant, call_ids=[call["call_id"] for call in calls]
        ):
            answers[row["call_id"]].append(row)
        return cls(tenant, transitions, entries, lines, calls, answers)

    def causes(self) -> list[Identity]:
        """The messages that had an effect, in the order in which they had it."""
        first: dict[Identity, datetime] = {}
        for rows, when in ((self.transitions, "at"), (self.entries, "posted_at"), (self.calls, "created_at")):
            for row in rows:
                first.setdefault((self.tenant, row["source"], row["event_id"]), row[when])
        return sorted(first, key=lambda cause: first[cause])

    def effects(self, cause: Identity) -> tuple[Node, ...]:
        """What one message changed, posted and asked."""
        _, source, event_id = cause

        def follows(row: asyncpg.Record) -> bool:
            return bool(row["source"] == source and row["event_id"] == event_id)

        return (
            *(_transition_node(row) for row in filter(follows, self.transitions)),
            *(entry_node(row, self.lines) for row in filter(follows, self.entries)),
            *(call_node(row, self.answers[row["call_id"]]) for row in filter(follows, self.calls)),
        )


async def explain_payment(
    connection: Connection, name: str, tenant: str | None = None, *, everything: bool = False
) -> list[Node]:
    """The payment with this id, or those of an order with this id, one for each tenant that has it.

    With `everything`, also the messages that changed nothing; for that the whole inbox is read.
    """
    try:
        payments = await sql.payment_by_id(connection, payment_id=UUID(name), tenant=tenant)
    except ValueError:
        payments = []
    if not payments:
        payments = await sql.payments_by_order(connection, order_id=name, tenant=tenant)
    return [await _explained(connection, payment, everything=everything) for payment in payments]


async def _explained(connection: Connection, payment: asyncpg.Record, *, everything: bool) -> Node:
    story = await Story.load(connection, payment["tenant"], payment["payment_id"])
    causes = story.causes()
    messages = await load_messages(connection, causes)
    if everything:
        rows = await sql.messages_by_key(connection, tenant=payment["tenant"], key=payment["order_id"])
        messages |= {identity(row): row for row in rows}
        causes = [cause for cause in causes if cause not in messages]
        causes += sorted(messages, key=lambda cause: messages[cause]["received_at"])
    published = await load_published(connection, messages.values())
    chapters = (
        node_of(messages, cause, *story.effects(cause), *published.get(cause, ())) for cause in causes
    )
    return _payment_node(payment, (*_money_nodes(payment), *chapters))


def _payment_node(row: asyncpg.Record, children: tuple[Node, ...]) -> Node:
    text = (
        f"payment {row['payment_id']} of order {row['order_id']} at merchant {row['merchant_id']} "
        f"({row['tenant']}): {row['state']}, version {row['version']}, since {moment(row['updated_at'])}"
    )
    names = ("tenant", "payment_id", "order_id", "merchant_id", "customer_id", "state", "version", "currency")
    amounts = ("amount_minor", "authorized_minor", "captured_minor", "fee_minor")
    more = ("method", "provider", "provider_reference", "call_id", "certain", "reason", "updated_at")
    return Node("payment", text, {name: row[name] for name in (*names, *amounts, *more)}, children)


def _money_nodes(row: asyncpg.Record) -> tuple[Node, ...]:
    """The amounts in words; what the payment waits for; why it was last refused."""

    def money(name: str) -> str:
        return amount(row[name], row["currency"])

    rate = f"{(Decimal(row['fee_bps']) / 100).normalize():f}% + {money('fee_fixed_minor')} a capture"
    nodes = [
        Node(
            "amounts",
            f"{money('amount_minor')} asked, {money('authorized_minor')} authorized, "
            f"{money('captured_minor')} captured by {row['method'] or 'no method yet'}",
        ),
        Node(
            "fee",
            f"fee {money('fee_minor')}: {rate}, schedule version {row['fee_version']}, "
            f"rounded {row['fee_rounding']}",
        ),
    ]
    if row["call_id"] is not None:
        doubt = "" if row["certain"] else "; its outcome is unknown, and is being asked for"
        nodes.append(Node("wait", f"waits for {row['provider']} to {row['call_operation']}{doubt}"))
    if row["reason"] is not None:
        nodes.append(Node("reason", f"{row['reason']}: {advice(row['reason'])}"))
    return tuple(nodes)


def _transition_node(row: asyncpg.Record) -> Node:
    before = f"was {row['from_state']}, " if row["from_state"] else ""
    why = f", because of {row['reason']}" if row["reason"] else ""
    text = f"{before}became {row['to_state']} ({row['event']}{why}), version {row['version']}"
    names = ("version", "from_state", "event", "to_state", "reason", "at")
    return Node("transition", text, {name: row[name] for name in names})
