"""One batch on its way through one transaction: what is known of its messages, and what becomes of each, in order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from consumers.aside import set_aside
from consumers.intake import Incoming, Unreadable, same_event
from consumers.judge import Verdict, judge, judge_behind, reject
from consumers.parking import wait_of
from consumers.report import Report
from db.queries import engine as sql
from db.writes import Writes
from handlers.decision import Rejection
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.intake import Record
    from consumers.world import World
    from db.connection import Connection
    from db.rows import InboxRow

    Item = Incoming | Unreadable

Place = tuple[str, int]
"""(topic, partition)."""
BY_PLACE: Final = attrgetter("record.partition", "record.offset")


class Batch:
    """The messages of one transaction. Use: `look_up`, load the world for `candidates`, `settle`, flush, `advance`."""

    def __init__(self, topic: str, items: Sequence[Item]) -> None:
        # Partitions have no order among each other, and what was decided must be told from the inbox: so by place.
        self.items = sorted(items, key=BY_PLACE)
        self.writes = Writes(topic, datetime.now(UTC))
        self.report = Report(topic, len(items))
        records = (item.record for item in self.items)
        self._ends: dict[Place, int] = {(one.topic, one.partition): one.offset + 1 for one in records}
        self._starts: dict[Place, int] = {}
        self._seen: dict[tuple[str, str, str], bytes] = {}
        self._waiting: dict[tuple[str, str], str | None] = {}
        self._kept: set[tuple[str, int, int, bytes]] = set()
        self._counts: dict[Place, Counter[str]] = {place: Counter() for place in self._ends}

    async def look_up(self, connection: Connection) -> None:
        """Lock the partitions' intake; find what came before, and which keys have messages that wait."""
        places = sorted(self._ends)
        topics, partitions = zip(*places, strict=True)
        rows = await sql.lock_intake(connection, topics=topics, partitions=partitions)
        if len(rows) < len(places):
            await sql.start_intake(connection, topics=topics, partitions=partitions)
            rows = await sql.lock_intake(connection, topics=topics, partitions=partitions)
        self._starts = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        readable = [item for item in self.items if isinstance(item, Incoming)]
        if readable:
            await self._look_up_messages(connection, readable)
        again = [item for item in self.items if self._came_before(item.record) and self._is_odd(item)]
        if again:
            await self._look_up_kept(connection, again)

    async def _look_up_messages(self, connection: Connection, readable: list[Incoming]) -> None:
        tenants, sources, event_ids = zip(*(item.identity for item in readable), strict=True)
        for row in await sql.seen(connection, tenants=tenants, sources=sources, event_ids=event_ids):
            identity = (row["tenant"], row["source"], row["event_id"])
            self._seen[identity] = row["body"]
        self.writes.anyone_waits = await sql.anyone_waits(connection)
        if not self.writes.anyone_waits:
            return
        tenants, keys = zip(*{(item.cause.tenant, item.key) for item in readable}, strict=True)
        waiting = await sql.waiting_keys(connection, tenants=tenants, keys=keys, topic=self.writes.topic)
        self._waiting = {(row["tenant"], row["key"]): row["waits_for"] for row in waiting}

    async def _look_up_kept(self, connection: Connection, again: list[Item]) -> None:
        """A redelivery finds its record kept; where a topic was made anew, another record has its place."""
        kept = await sql.dead_letters_at(
            connection,
            topic=self.writes.topic,
            partitions=[item.record.partition for item in again],
            offsets=[item.record.offset for item in again],
        )
        readable = [item for item in again if isinstance(item, Incoming)]
        if readable:
            tenants, sources, event_ids = zip(*(item.identity for item in readable), strict=True)
            kept += await sql.conflicts(connection, tenants=tenants, sources=sources, event_ids=event_ids)
        self._kept = {(row["topic"], row["partition"], row["offset"], row["body"]) for row in kept}

    def candidates(self) -> list[Incoming]:
        """The messages that may have to be judged: read, and not known from before."""
        return [item for item in self.items if isinstance(item, Incoming) and item.identity not in self._seen]

    def settle(self, world: World, refusal: str | None) -> None:
        """Decide what becomes of every item, in order. With `refusal`, the one item is set aside, not judged."""
        for item in self.items:
            if isinstance(item, Unreadable):
                self._settle_unreadable(item)
                continue
            before = self._seen.get(item.identity)
            if before is not None:
                self._settle_again(item, before, refusal)
            else:
                self._settle_new(item, world, refusal)
        self.report.count_entries(self.writes.entries)

    async def advance(self, connection: Connection) -> None:
        """Move the partitions on, in the same transaction as everything else."""
        places = sorted(self._ends)
        counts = [self._counts[place] for place in places]
        topics, partitions = zip(*places, strict=True)
        await sql.advance_intake(
            connection,
            topics=topics,
            partitions=partitions,
            next_offsets=[self._ends[place] for place in places],
            received=[count["received"] for count in counts],
            duplicate=[count["duplicate"] for count in counts],
            redelivered=[count["redelivered"] for count in counts],
        )

    def _settle_unreadable(self, item: Unreadable) -> None:
        record = item.record
        if self._is_kept(record):
            self._count(record, "redelivered")
            return
        set_aside(self.writes, record, item.reason, item.detail, masked=item.masked)
        self._count(record, "dead")

    def _settle_again(self, item: Incoming, before: bytes, refusal: str | None) -> None:
        """The same event id again: Kafka's redelivery, the sender's duplicate, or another event under a used id."""
        record = item.record
        if same_event(before, record.body):
            self._count(record, "redelivered" if self._came_before(record) else "duplicate")
        elif self._is_kept(record):
            self._count(record, "redelivered")
        elif refusal is not None:
            set_aside(self.writes, record, Reason.DATABASE_REFUSED, refusal)
            self._count(record, "dead")
        else:
            self.writes.conflicts.append(self._row(item, Verdict("rejected")))
            detail = f"event {item.cause.event_id} of {item.cause.source} came before with another body"
            reject(item, Rejection(Reason.EVENT_ID_REUSED, detail), self.writes, self.writes.now)
            self._count(record, "rejected")

    def _settle_new(self, item: Incoming, world: World, refusal: str | None) -> None:
        lane = (item.cause.tenant, item.key)
        if refusal is not None:
            set_aside(self.writes, item.record, Reason.DATABASE_REFUSED, refusal, cause=item.cause)
            verdict = Verdict("dead", Reason.DATABASE_REFUSED, refusal)
        elif lane in self._waiting:
            verdict = judge_behind(item, world, self.writes, self._waiting[lane])
        else:
            verdict = judge(item, world, self.writes)
        if verdict.outcome == "parked":
            self._waiting.setdefault(lane, verdict.waits_for)
            self.writes.waits.append(wait_of(item, verdict))
        self.writes.inbox.append(self._row(item, verdict))
        self._seen[item.identity] = item.record.body
        self._count(item.record, verdict.outcome)

    def _row(self, item: Incoming, verdict: Verdict) -> InboxRow:
        return verdict.row(item.record, item.identity, item.message.type, item.key, self.writes.now)

    def _is_odd(self, item: Item) -> bool:
        """Whether the item cannot be told by its event's id from one that came before."""
        if isinstance(item, Unreadable):
            return True
        before = self._seen.get(item.identity)
        return before is not None and not same_event(before, item.record.body)

    def _is_kept(self, record: Record) -> bool:
        """Whether this very record was set aside or refused before."""
        return (record.topic, record.partition, record.offset, record.body) in self._kept

    def _came_before(self, record: Record) -> bool:
        return record.offset < self._starts[record.topic, record.partition]

    def _count(self, record: Record, outcome: str) -> None:
        """Received is counted once for each record, whatever Kafka repeats; duplicates have no row of their own."""
        counts = self._counts[record.topic, record.partition]
        if outcome == "redelivered":
            counts["redelivered"] += 1
            self.report.redelivered += 1
            return
        counts["received"] += 1
        if outcome == "duplicate" and not self._has_row(record):
            counts["duplicate"] += 1
        self.report.received += 1
        self.report.outcomes[outcome] += 1

    def _has_row(self, record: Record) -> bool:
        """A repeated command is a duplicate with an inbox row of its own, a repeated event is not."""
        rows = self.writes.inbox
        return bool(rows) and (rows[-1].partition, rows[-1].offset) == (record.partition, record.offset)
