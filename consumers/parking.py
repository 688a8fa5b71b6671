"""Messages that wait: looked at again when what they wait for changes, or when their time comes; in order of their key.

A message that waits for a reference is given up after LONGEST_WAIT, one whose rule raises after MOST_TRIES; then it
is a dead letter, and the next of its key has its turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from consumers.aside import set_aside
from consumers.intake import Incoming, Record
from consumers.judge import BEHIND, Verdict, judge, judge_behind
from consumers.world import World
from db.queries import parking as sql
from db.rows import Wait
from schemas.outgoing import Cause
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumers.intake import Reader, Unreadable
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

    def __init__(self, topic: str, reader: Reader) -> None:
        self.topic = topic
        self._reader = reader

    async def due(self, connection: Connection) -> list[int]:
        """The messages that are first in their queue and due."""
        rows = await sql.due_keys(connection, topic=self.topic, most=KEYS_AT_ONCE, only=None)
        return [row["parked_id"] for row in rows]

    async def retry(
        self,
        connection: Connection,
        writes: Writes,
        report: Report,
        *,
        only: int | None = None,
        refusal: str | None = None,
    ) -> int:
        """Judge the queues that are due, each in order until a message must go on waiting. Returns how many left.

        With `only`, just that message is judged, and with `refusal` (what the database said) it is set aside instead.
        """
        due = await sql.due_keys(connection, topic=self.topic, most=KEYS_AT_ONCE, only=only)
        if not due:
            return 0
        tenants, keys, _ = zip(*due, strict=True)
        rows = await sql.queues(connection, topic=self.topic, tenants=tenants, keys=keys)
        queues = [list(queue) for _, queue in groupby(rows, key=itemgetter("tenant", "key"))]
        if only is not None:
            queues = [queue[:1] for queue in queues if queue[0]["parked_id"] == only]
        waiting = [[Waiter(row, self._reread(row)) for row in queue] for queue in queues]
        messages = [waiter.item for queue in waiting for waiter in queue if isinstance(waiter.item, Incoming)]
        look = Look(writes, await World.load(connection, messages, writes), report)
        held = await self._hold(connection, [queue[0] for queue in queues])
        for queue in waiting:
            if queue[0].lane in held:
                look.at(queue, refusal)
        report.count_entries(writes.entries)
        await self._save(connection, look)
        return len(look.left)

    async def _hold(self, connection: Connection, firsts: list[Any]) -> set[tuple[str, str]]:
        """Lock the queues that are still as they were read; another worker or a wake-up may have been faster."""
        if not firsts:
            return set()
        columns = zip(*map(itemgetter("tenant", "key", "parked_id", "version"), firsts), strict=True)
        names = ("tenants", "keys", "parked_ids", "versions")
        rows = await sql.hold_queues(connection, topic=self.topic, **dict(zip(names, columns, strict=True)))
        return {(row["tenant"], row["key"]) for row in rows}

    def _reread(self, row: Any) -> Incoming | Unreadable:
        return self._reader.read(Record(self.topic, row["partition"], row["offset"], None, {}, row["body"]))

    async def _save(self, connection: Connection, look: Look) -> None:
        if look.left:
            parked_ids, tenants, keys = zip(
                *map(itemgetter("parked_id", "tenant", "key"), look.left), strict=True
            )
            await sql.leave(connection, topic=self.topic, parked_ids=parked_ids, tenants=tenants, keys=keys)
        if look.postponed:
            names = ("parked_ids", "tenants", "keys", "reasons", "details", "waits", "delays_ms")
            columns = dict(zip(names, zip(*look.postponed, strict=True), strict=True))
            await sql.postpone(connection, topic=self.topic, **columns)


@dataclass(frozen=True, slots=True)
class Waiter:
    """A waiting message: its row, and the message read anew, which a stricter schema may have made unreadable."""

    row: Any
    item: Incoming | Unreadable

    @property
    def lane(self) -> tuple[str, str]:
        """Whose queue it stands in."""
        return self.row["tenant"], self.row["key"]

    @property
    def cause(self) -> Cause:
        """The message as a cause."""
        if isinstance(self.item, Incoming):
            return self.item.cause
        return Cause(self.row["tenant"], self.row["source"], self.row["event_id"])

    def is_hopeless(self, verdict: Verdict) -> bool:
        """Whether it has waited, or was tried, long enough."""
        if verdict.reason is Reason.HANDLER_ERROR:
            return bool(self.row["tries"] >= MOST_TRIES)
        return bool(datetime.now(UTC) - self.row["parked_at"] > LONGEST_WAIT)


@dataclass(slots=True)
class Look:
    """One look at waiting messages, within one transaction."""

    writes: Writes
    world: World
    report: Report
    left: list[Any] = field(default_factory=list)
    postponed: list[tuple[Any, ...]] = field(default_factory=list)

    def at(self, queue: Iterable[Waiter], refusal: str | None) -> None:
        """One queue: its messages leave in order; behind one that stays, only what brings what that one waits for."""
        stays: Verdict | None = None
        for waiter in queue:
            if stays is not None:
                verdict = self._judge_behind(waiter, stays)
            elif refusal is not None:
                verdict = Verdict("dead", Reason.DATABASE_REFUSED, refusal)
            else:
                verdict = self._judge(waiter)
            if verdict is BEHIND:
                continue
            if verdict.outcome == "parked":
                stays = verdict
                self._postpone(waiter.row, verdict)
            else:
                self._leave(waiter, verdict)

    def _judge(self, waiter: Waiter) -> Verdict:
        if not isinstance(waiter.item, Incoming):
            return Verdict("dead", waiter.item.reason, waiter.item.detail)
        verdict = judge(waiter.item, self.world, self.writes)
        if verdict.outcome == "parked" and waiter.is_hopeless(verdict):
            return Verdict("dead", verdict.reason, verdict.detail)
        return verdict

    def _judge_behind(self, waiter: Waiter, stays: Verdict) -> Verdict:
        if not isinstance(waiter.item, Incoming):
            return BEHIND
        return judge_behind(waiter.item, self.world, self.writes, stays.waits_for)

    def _postpone(self, row: Any, verdict: Verdict) -> None:
        self.postponed.append(
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

    def _leave(self, waiter: Waiter, verdict: Verdict) -> None:
        row, record = waiter.row, waiter.item.record
        if verdict.outcome == "dead":
            reason, detail = verdict.reason or Reason.HANDLER_ERROR, verdict.detail or ""
            set_aside(self.writes, record, reason, detail, cause=waiter.cause)
        self.left.append(row)
        identity = (waiter.cause.tenant, waiter.cause.source, waiter.cause.event_id)
        self.writes.decided.append(verdict.row(record, identity, row["type"], row["key"], self.writes.now))
        self.report.outcomes[verdict.outcome] += 1
        self.report.outcomes["parked"] -= 1
