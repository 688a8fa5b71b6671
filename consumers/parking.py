"""Messages that wait: looked at again when what they wait for changes, or when their time comes; in order of their key.

A message that waits for a reference is given up after LONGEST_WAIT, one whose rule raises after MOST_TRIES; then it
is a dead letter, and the next of its key has its turn.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from consumers.aside import set_aside
from consumers.intake import Incoming, Reader, Record
from consumers.judge import Verdict, judge
from consumers.world import World
from db.queries import parking as sql
from db.rows import InboxRow, Wait
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumers.report import Report
    from db.connection import Connection
    from db.writes import Writes

LONGEST_WAIT: Final = timedelta(hours=24)
"""For a reference that never comes."""
MOST_TRIES: Final = 8
"""Of a rule that raises."""
FIRST_DELAY_MS: Final = 200
LONGEST_DELAY_MS: Final = 60_000
KEYS_AT_ONCE: Final = 200

BEHIND: Final = Verdict("parked", Reason.BEHIND_PARKED, "an earlier message of the same key waits")


def wait_of(incoming: Incoming, verdict: Verdict) -> Wait:
    """A message's first wait."""
    return Wait(
        incoming.cause,
        incoming.key,
        verdict.reason or Reason.BEHIND_PARKED,
        verdict.detail or "",
        verdict.waits_for,
        0 if verdict is BEHIND else FIRST_DELAY_MS,
    )


class Parking:
    """The waiting messages of one topic."""

    def __init__(self, topic: str) -> None:
        self.topic = topic

    async def retry(
        self,
        connection: Connection,
        writes: Writes,
        reader: Reader,
        report: Report,
        *,
        most: int = KEYS_AT_ONCE,
        refusal: str | None = None,
    ) -> int:
        """Judge the queues that are due, each in order until a message must go on waiting. Returns how many left.

        With `refusal` (what the database said), the first message is set aside instead.
        """
        due = await sql.due_keys(connection, topic=self.topic, most=most)
        if not due:
            return 0
        rows = await sql.queues(
            connection,
            topic=self.topic,
            tenants=[row["tenant"] for row in due],
            keys=[row["key"] for row in due],
        )
        waiting = [(row, _reread(reader, self.topic, row)) for row in rows]
        world = await World.load(connection, [incoming for _, incoming in waiting], writes)
        left: list[Any] = []
        postponed: list[tuple[Any, ...]] = []
        for _, queue in groupby(waiting, key=lambda pair: (pair[0]["tenant"], pair[0]["key"])):
            self._retry_queue(queue, world, writes, report, left, postponed, refusal)
        report.count_entries(writes.entries)
        await self._save(connection, left, postponed)
        return len(left)

    def _retry_queue(
        self,
        queue: Iterable[tuple[Any, Incoming]],
        world: World,
        writes: Writes,
        report: Report,
        left: list[Any],
        postponed: list[tuple[Any, ...]],
        refusal: str | None,
    ) -> None:
        for row, incoming in queue:
            if refusal is not None and not left:
                verdict = Verdict("dead", Reason.DATABASE_REFUSED, refusal)
            else:
                verdict = judge(incoming, world, writes)
                if verdict.outcome == "parked" and _hopeless(row, verdict):
                    verdict = Verdict("dead", verdict.reason, verdict.detail)
            if verdict.outcome == "dead":
                reason, detail = verdict.reason or Reason.HANDLER_ERROR, verdict.detail or ""
                set_aside(writes, incoming.record, reason, detail, cause=incoming.cause)
            if verdict.outcome == "parked":
                postponed.append(
                    (
                        row["parked_id"],
                        row["tenant"],
                        row["key"],
                        verdict.reason,
                        verdict.detail,
                        verdict.waits_for,
                        min(FIRST_DELAY_MS * 2 ** min(row["tries"], 20), LONGEST_DELAY_MS),
                    )
                )
                return
            left.append(row)
            writes.decided.append(_decided(incoming, verdict, writes.now))
            report.outcomes[verdict.outcome] += 1
            report.outcomes["parked"] -= 1

    async def _save(self, connection: Connection, left: list[Any], postponed: list[tuple[Any, ...]]) -> None:
        if left:
            await sql.leave(
                connection,
                topic=self.topic,
                parked_ids=[row["parked_id"] for row in left],
                tenants=[row["tenant"] for row in left],
                keys=[row["key"] for row in left],
            )
        if postponed:
            names = ("parked_ids", "tenants", "keys", "reasons", "details", "waits", "delays_ms")
            columns = dict(zip(names, zip(*postponed, strict=True), strict=True))
            await sql.postpone(connection, topic=self.topic, **columns)


def _hopeless(row: Any, verdict: Verdict) -> bool:
    if verdict.reason is Reason.HANDLER_ERROR:
        return bool(row["tries"] >= MOST_TRIES)
    return bool(datetime.now(UTC) - row["parked_at"] > LONGEST_WAIT)


def _reread(reader: Reader, topic: str, row: Any) -> Incoming:
    """The message as it came. It could be read when it was parked; a schema only changes compatibly."""
    record = Record(topic, row["partition"], row["offset"], None, {}, row["body"])
    incoming = reader.read(record)
    if not isinstance(incoming, Incoming):
        msg = f"parked event {row['event_id']} can no longer be read: {incoming.detail}"
        raise TypeError(msg)
    return incoming


def _decided(incoming: Incoming, verdict: Verdict, now: datetime) -> InboxRow:
    record = incoming.record
    return InboxRow(
        incoming.cause,
        incoming.message.type,
        incoming.key,
        record.topic,
        record.partition,
        record.offset,
        now,
        record.body,
        verdict.outcome,
        verdict.reason,
        verdict.detail,
    )
