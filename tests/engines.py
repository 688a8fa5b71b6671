"""Engines on a real database, fed with records as Kafka would bring them; and what is left behind, to compare."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from consumers.engine import Engine
from consumers.intake import Record
from ops.checks.verdict import check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import asyncpg

    from consumers.report import Report

    Connection = asyncpg.Connection[asyncpg.Record]

CHECKOUT = "checkout.events"
RESULTS = "provider.results"


@dataclass
class Watcher:
    """Remembers what engines tell their observer."""

    reports: list[Report] = field(default_factory=list)
    retries: Counter[str] = field(default_factory=Counter)
    lag: dict[tuple[str, int], int] = field(default_factory=dict)

    @property
    def outcomes(self) -> Counter[str]:
        """What became of all messages so far."""
        total: Counter[str] = Counter()
        for report in self.reports:
            total.update(report.outcomes)
        return +total

    def committed(self, report: Report) -> None:
        """Kept."""
        self.reports.append(report)

    def retried(self, topic: str, reason: str) -> None:
        """Counted."""
        del topic
        self.retries[reason] += 1

    def lagging(self, topic: str, partition: int, records: int) -> None:
        """The last one kept."""
        self.lag[topic, partition] = records

    def alive(self) -> None:
        """Nothing to remember."""


class Feed:
    """One partition of a topic, and an engine that takes it in."""

    def __init__(self, url: str, topic: str = CHECKOUT, partition: int = 0) -> None:
        self.topic = topic
        self.partition = partition
        self.watcher = Watcher()
        self.engine = Engine(topic, url, self.watcher)
        self.log: list[Record] = []

    def records(self, *bodies: bytes) -> list[Record]:
        """Append to the partition."""
        new = [
            Record(self.topic, self.partition, offset, b"key", {"h": "1"}, body)
            for offset, body in enumerate(bodies, len(self.log))
        ]
        self.log += new
        return new

    async def take(self, *bodies: bytes) -> None:
        """These come as one batch."""
        await self.engine.handle(self.records(*bodies))

    async def take_each(self, *bodies: bytes) -> None:
        """These come one by one."""
        for body in bodies:
            await self.take(body)

    async def again(self, records: Iterable[Record] | None = None) -> None:
        """Kafka brings records again, as one batch; all of them unless said otherwise."""
        await self.engine.handle(list(records or self.log))

    async def settle_parked(self, admin: Connection) -> None:
        """Look at everything that waits, as if its time had come, until nothing moves."""
        moved = 1
        while moved:
            await admin.execute("UPDATE parked SET due_at = clock_timestamp()")
            moved = await self.engine.retry_parked()


@asynccontextmanager
async def feeds(url: str, number: int, topic: str = CHECKOUT) -> AsyncIterator[list[Feed]]:
    """Engines of one topic, one for each partition."""
    opened = [Feed(url, topic, partition) for partition in range(number)]
    try:
        yield opened
    finally:
        for feed in opened:
            await feed.engine.close()


async def broken_laws(admin: Connection) -> list[str]:
    """What `check` finds."""
    return [f"{v.law}: {v.title}: {v.offenders}" for v in await check(admin) if not v.ok]


async def outcomes(admin: Connection) -> dict[str, str]:
    """Event id -> what became of the message."""
    return {
        row["event_id"]: row["outcome"] for row in await admin.fetch("SELECT event_id, outcome FROM inbox")
    }


async def reasons(admin: Connection) -> dict[str, str | None]:
    """Event id -> why."""
    return {row["event_id"]: row["reason"] for row in await admin.fetch("SELECT event_id, reason FROM inbox")}


async def states(admin: Connection) -> dict[str, str]:
    """Order -> state of its payment."""
    return {
        row["order_id"]: row["state"] for row in await admin.fetch("SELECT order_id, state FROM payments")
    }


async def counts(admin: Connection) -> dict[str, int]:
    """The counts of every partition together."""
    row = await admin.fetchrow(
        "SELECT sum(received)::int AS received, sum(duplicate)::int AS duplicate,"
        " sum(redelivered)::int AS redelivered FROM intake"
    )
    assert row is not None
    return dict(row)


async def published(admin: Connection, topic: str | None = None) -> list[dict[str, Any]]:
    """The outbox, event by event, in the order in which it will be published."""
    rows = await admin.fetch(
        "SELECT o.topic, p.key, p.payload FROM outbox AS o"
        " CROSS JOIN LATERAL unnest(o.keys, o.payloads) WITH ORDINALITY AS p (key, payload, place)"
        " WHERE $1::text IS NULL OR o.topic = $1 ORDER BY o.batch_id, o.topic, p.place",
        topic,
    )
    return [orjson.loads(row["payload"]) | {"key": row["key"], "topic": row["topic"]} for row in rows]


_ROWS = {
    "payments": "created_at updated_at",
    "refunds": "requested_at updated_at",
    "disputes": "updated_at",
    "dispute_evidence": "submitted_at",
    "order_documents": "",
    "journals": "proposed_at updated_at act_by",
    "journal_lines": "",
    "entry_reversals": "entry_id updated_at",
    "entry_links": "entry_id linked_entry_id root_entry_id",
    "wallets": "opened_at updated_at",
    "wallet_buckets": "account_id moved_minor moved_xid",
    "wallet_limits": "set_at",
    "holds": "placed_at updated_at",
    "periods": "updated_at",
    "period_bounds": "set_at snapshot xid",
    "transitions": "at",
    "journal": "entry_id posted_at",
    "account_balances": "account_id",
}
"""Table or view -> columns that say when it was processed, or under which number."""

_PARTS = {
    "inbox": "tenant, source, event_id, outcome, reason",
    "provider_calls": "tenant, call_id, operation, amount_minor, event_id",
    "idempotency_keys": "operation, object_id, idempotency_key, event_id, outcome, reason",
}
"""Table -> columns that do not."""


async def content(admin: Connection) -> dict[str, Any]:
    """All that finance would see, without times of processing and surrogate keys; events in order of their key."""
    told_by = {name: f"to_jsonb(t) - string_to_array('{columns}', ' ')" for name, columns in _ROWS.items()}
    told_by |= {name: f"jsonb_build_array({columns})" for name, columns in _PARTS.items()}
    found: dict[str, Any] = {}
    for name, told in told_by.items():
        rows = await admin.fetch(f"SELECT {told} AS j FROM {name} AS t")  # noqa: S608 - our own names
        found[name] = sorted(orjson.dumps(row["j"], option=orjson.OPT_SORT_KEYS) for row in rows)
    events: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for message in await published(admin):
        dead = message["topic"].endswith(".dlq")  # a dead letter is known by when it died
        events[message["topic"] + " " + message["key"]].append(
            (message["type"], "" if dead else message["id"])
        )
    found["published"] = dict(events)
    return found
