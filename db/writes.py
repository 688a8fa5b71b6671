"""Everything that a batch writes, gathered in memory and written in bulk: one statement or COPY for each table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from db.ledger import Entry
from db.numbering import number_entries
from db.outbox import Pages
from db.queries import engine, parking
from db.rows import DeadLetter, InboxRow
from db.tables import TABLE_OF, TABLES
from handlers.needs import Reference
from handlers.payments.model import Payment
from handlers.periods.late import placed
from schemas.ledger import ENTRY_POSTED, EntryPosted
from schemas.outgoing import encode, partition_key
from schemas.topics import TOPIC_OF_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from db.connection import Connection
    from db.ledger import Ledger
    from db.rows import UsedKey, Wait
    from handlers.decision import Audit, Call, Decision, Timer
    from handlers.needs import Key, Kind
    from handlers.periods.model import Bounds
    from schemas.outgoing import Cause

CALLS_CHANNEL = "calls"
"""The NOTIFY channel that wakes the gateways."""


@dataclass(slots=True)
class Writes:
    """What one transaction writes. Add to it in the order of the messages, then `flush`.

    `stored` are the aggregates that have a row by now. `anyone_waits` is False when no message was parked anywhere;
    one that is parked meanwhile looks again by itself.
    """

    topic: str
    now: datetime
    inbox: list[InboxRow] = field(default_factory=list)
    decided: list[InboxRow] = field(default_factory=list)
    conflicts: list[InboxRow] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    used_keys: list[UsedKey] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    anyone_waits: bool = True
    stored: set[tuple[Kind, Key]] = field(default_factory=set)
    _states: dict[Kind, dict[Key, Any]] = field(default_factory=dict)
    _histories: dict[Kind, list[Any]] = field(default_factory=dict)
    _transitions: list[tuple[Any, ...]] = field(default_factory=list)
    _timers: list[tuple[Cause, Timer]] = field(default_factory=list)
    _calls: list[tuple[Cause, Call, datetime]] = field(default_factory=list)
    _audit: list[tuple[Cause, Audit, datetime]] = field(default_factory=list)
    _outbox: defaultdict[str, Pages] = field(default_factory=lambda: defaultdict(Pages))

    def apply(self, cause: Cause, decision: Decision, now: datetime, bounds: Bounds | None = None) -> None:
        """Everything that follows from one decision; `bounds` are those of the tenant's books."""
        tenant = cause.tenant
        for state in decision.states:
            table = TABLE_OF[type(state)]
            if table.history:
                self._histories.setdefault(table.kind, []).append(state)
            else:
                self._states.setdefault(table.kind, {})[table.key_of(state)] = state
        for step in decision.transitions:
            self._transitions.append(
                (
                    tenant,
                    step.object_type,
                    step.object_id,
                    step.version,
                    step.from_state,
                    step.event,
                    step.to_state,
                    step.reason,
                    cause.source,
                    cause.event_id,
                    now,
                )
            )
        for number, event in enumerate(decision.events):
            payload = encode(cause, event.type, number, event.object_id, now, event.data)
            self.publish(TOPIC_OF_TYPE[event.type], partition_key(tenant, event.object_id), payload)
        if decision.postings:
            self.entries += _entries(cause, decision, now, bounds)
        if decision.timers:
            self._timers += [(cause, timer) for timer in decision.timers]
        if decision.calls:
            self._calls += [(cause, call, now) for call in decision.calls]
        if decision.audit:
            self._audit += [(cause, done, now) for done in decision.audit]

    def publish(self, topic: str, key: str, payload: bytes) -> None:
        """An event for the outbox."""
        self._outbox[topic].add(key, payload)

    async def flush(self, connection: Connection, ledger: Ledger) -> int:
        """Write it all within the caller's transaction, which holds all its locks by now. Returns the batch's id."""
        ids = await engine.reserve_ids(connection, entries=len(self.entries))
        batch_id: int = ids["batch_id"]
        if self.entries:
            await ledger.write(connection, self.entries, ids["entry_ids"])
            self._tell_entries(ids["entry_ids"])
            number_entries(self._states, self._histories, ids["entry_ids"])
        await self._write_states(connection)
        await self._write_delivery(connection, batch_id)
        await self._write_intake(connection, batch_id)
        return batch_id

    def _tell_entries(self, entry_ids: Sequence[int]) -> None:
        number, last_cause = 0, None
        for entry, entry_id in zip(self.entries, entry_ids, strict=True):
            posting, cause = entry.posting, entry.cause
            number, last_cause = (number + 1 if cause is last_cause else 0), cause
            told = EntryPosted(
                entry_id,
                posting.rule,
                posting.object_type,
                posting.object_id,
                posting.effective_at,
                entry.posted_at,
                posting.legs,
                entry.origin,
                posting.references,
            )
            payload = encode(cause, ENTRY_POSTED, number, posting.object_id, entry.posted_at, told)
            key = partition_key(cause.tenant, posting.object_id)
            self.publish(TOPIC_OF_TYPE[ENTRY_POSTED], key, payload)

    async def _write_states(self, connection: Connection) -> None:
        for kind, table in TABLES.items():
            states = self._states.get(kind)
            if states:
                new = {key: state for key, state in states.items() if (kind, key) not in self.stored}
                old = [state for key, state in states.items() if (kind, key) in self.stored]
                if new:
                    # In the order of their key: two engines that open the same ones must not wait for each other.
                    await table.insert(
                        connection, [new[key] for key in sorted(new, key=lambda key: str(key[1]))]
                    )
                if old:
                    await table.update(connection, old)
            rows = self._histories.get(kind)
            if rows:
                await table.insert(connection, rows)
        if self._transitions:
            columns = (
                "tenant",
                "object_type",
                "object_id",
                "version",
                "from_state",
                "event",
                "to_state",
                "reason",
                "source",
                "event_id",
                "at",
            )
            await connection.copy_records_to_table("transitions", records=self._transitions, columns=columns)
        if self._audit:
            await self._write_audit(connection)
        if self.anyone_waits and (self._states or self._histories):
            changed = chain(*(states.values() for states in self._states.values()), *self._histories.values())
            names = {name_of("booked", (one.cause.tenant, one.posting.object_id)) for one in self.entries}
            names.update(name for state in changed for name in names_of(state))
            await parking.wake(connection, names=names)

    async def _write_audit(self, connection: Connection) -> None:
        await connection.copy_records_to_table(
            "audit_log",
            records=[
                (cause.tenant, at, done.actor, done.action, done.object_type, done.object_id, done.detail)
                for cause, done, at in self._audit
            ],
            columns=("tenant", "at", "actor", "action", "object_type", "object_id", "detail"),
        )

    async def _write_delivery(self, connection: Connection, batch_id: int) -> None:
        if self._timers:
            rows = [
                (c.tenant, t.timer_id, t.kind, t.due_at, t.payment_id, t.order_id, t.object_id, c.event_id)
                for c, t in self._timers
            ]
            names = (
                "tenants",
                "timer_ids",
                "kinds",
                "due_ats",
                "payment_ids",
                "order_ids",
                "object_ids",
                "causations",
            )
            await engine.add_timers(connection, **_columns(names, rows))
        if self._calls:
            await self._write_calls(connection)
        if self._outbox:
            await connection.copy_records_to_table(
                "outbox_batches",
                records=[
                    (batch_id, topic, part, *row, self.now)
                    for topic, pages in self._outbox.items()
                    for part, row in enumerate(pages.rows(), 1)
                ],
                columns=("batch_id", "topic", "part", "events", "keys", "payloads", "created_at"),
            )

    async def _write_calls(self, connection: Connection) -> None:
        columns = (
            "tenant",
            "call_id",
            "payment_id",
            "order_id",
            "provider",
            "operation",
            "amount_minor",
            "currency",
            "method_type",
            "token",
            "provider_reference",
            "capture",
            "final",
            "object_id",
            "object_reference",
            "evidence",
            "source",
            "event_id",
            "status",
            "due_at",
            "created_at",
        )
        rows = [
            (
                cause.tenant,
                call.call_id,
                call.payment_id,
                call.order_id,
                call.provider,
                call.operation,
                call.amount_minor,
                call.currency,
                call.method_type,
                call.token,
                call.provider_reference,
                call.capture,
                call.final,
                call.object_id,
                call.object_reference,
                call.evidence,
                cause.source,
                cause.event_id,
                "requested",
                self.now,
                now,
            )
            for cause, call, now in self._calls
        ]
        await connection.copy_records_to_table("provider_calls", records=rows, columns=columns)

    async def _write_intake(self, connection: Connection, batch_id: int) -> None:
        if self.inbox:
            await connection.copy_records_to_table(
                "inbox",
                records=((*row, batch_id) for row in self.inbox),
                columns=(*InboxRow._fields, "batch_id"),
            )
        if self.decided:
            names = ("tenants", "sources", "event_ids", "outcomes", "reasons", "details", "batch_ids")
            rows = [(*row.identity, *row.decision, batch_id) for row in self.decided]
            await parking.decide(connection, **_columns(names, rows))
        if self.conflicts:
            await connection.copy_records_to_table(
                "inbox_conflicts",
                records=[
                    (*row.identity, row.topic, row.partition, row.offset, row.received_at, row.body)
                    for row in self.conflicts
                ],
                columns=(
                    "tenant",
                    "source",
                    "event_id",
                    "topic",
                    "partition",
                    "offset",
                    "received_at",
                    "body",
                ),
            )
        if self.dead_letters:
            columns = tuple(DeadLetter.__slots__)
            await connection.copy_records_to_table(
                "dead_letters",
                records=[tuple(getattr(letter, name) for name in columns) for letter in self.dead_letters],
                columns=columns,
            )
        if self.waits:
            await self._park(connection)
        if self.used_keys:
            await self._save_used_keys(connection)

    async def _park(self, connection: Connection) -> None:
        names = ("tenants", "keys", "sources", "event_ids", "reasons", "details", "waits", "delays_ms")
        rows = [
            (
                w.cause.tenant,
                w.key,
                w.cause.source,
                w.cause.event_id,
                w.reason,
                w.detail,
                w.waits_for,
                w.delay_ms,
            )
            for w in self.waits
        ]
        await parking.park(connection, topic=self.topic, **_columns(names, rows))

    async def _save_used_keys(self, connection: Connection) -> None:
        """The last use of each key; two in one batch are one row."""
        names = (
            "tenants",
            "operations",
            "objects",
            "keys",
            "fingerprints",
            "sources",
            "event_ids",
            "outcomes",
            "reasons",
            "expires",
        )
        last = {
            (use.cause.tenant, use.operation, use.object_id, use.idempotency_key): use
            for use in self.used_keys
        }
        rows = [
            (
                *key,
                use.fingerprint,
                use.cause.source,
                use.cause.event_id,
                use.outcome,
                use.reason,
                use.expires_at,
            )
            for key, use in sorted(last.items(), key=lambda item: item[0])
        ]
        await engine.save_idempotency_keys(connection, **_columns(names, rows))


def _entries(cause: Cause, decision: Decision, now: datetime, bounds: Bounds | None) -> list[Entry]:
    if bounds is None:
        return [Entry(cause, posting, now) for posting in decision.postings]
    booked = (placed(posting, bounds) for posting in decision.postings)
    return [Entry(cause, posting, now, origin) for posting, origin in booked]


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Rows as the named array parameters of a bulk statement."""
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def name_of(kind: str, key: Any) -> str:
    """The name under which messages wait for an aggregate."""
    if isinstance(key, Reference):
        return f"reference:{key.tenant}/{key.provider}/{key.reference}"
    tenant, name = key
    return f"{kind}:{tenant}/{name}"


def names_of(state: Any) -> list[str]:
    """All names under which messages may wait for a state."""
    table = TABLE_OF[type(state)]
    names = [name_of(table.kind, table.key_of(state))]
    if isinstance(state, Payment) and state.provider_reference is not None:
        names.append(
            name_of(table.kind, Reference(state.tenant, state.provider or "", state.provider_reference))
        )
    return names
