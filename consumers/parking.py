"""Messages that wait: looked at again when what they wait for changes, or when their time comes; in order of their key.

A message that waits for a reference is given up after LONGEST_WAIT, one whose rule raises after MOST_TRIES; then it
is a dead letter, and the next of its key has its turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from consumers.aside import set_aside
from consumers.intake import Incoming, Record
from consumers.judge import BEHIND, Verdict, judge, judge_behind
from consumers.limits import foresee
from consumers.world import World
from db.queries import parking as sql
from db.rows import Wait
from schemas.outgoing import Cause
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumers.intake import Reader, Unreadable
    from consumers.report import Report
    from db.connection import Connection
    from db.writes import Writes
    from handlers.needs import Key

LONGEST_WAIT: Final = timedelta(hours=24)
"""For a reference that never comes."""
MOST_TRIES: Final = 8
"""Of a rule that raises."""
FIRST_DELAY_MS: Final = 200
"""Soon, for what is awaited may be on its way in a transaction that did not see us wait."""
RAISED_FACTOR: Final = 2
RAISED_LONGEST_MS: Final = 60_000
NAMED_FACTOR: Final = 4
NAMED_LONGEST_MS: Final = 600_000
"""A name that comes wakes who waits for it, so looking again is for safety only. Behind another, all the more."""
DUE_AT_ONCE: Final = 500
"""Messages that are due, in one look."""
ROWS_AT_ONCE: Final = 2_000
LEAST_LINE: Final = 10
"""A look reads the heads of its queues, ROWS_AT_ONCE together, but LEAST_LINE of each that is due."""


def wait_of(incoming: Incoming, verdict: Verdict) -> Wait:
    """A message's first wait."""
    return Wait(
        incoming.cause,
        incoming.key,
        verdict.reason or Reason.BEHIND_PARKED,
        verdict.detail or "",
        verdict.waits_for,
        NAMED_LONGEST_MS if verdict is BEHIND else FIRST_DELAY_MS,
    )


def delay_ms(verdict: Verdict, tries: int) -> int:
    """How long until the next look, after so many before this one."""
    if verdict.waits_for is None:
        return int(min(FIRST_DELAY_MS * RAISED_FACTOR ** min(tries, 20), RAISED_LONGEST_MS))
    return int(min(FIRST_DELAY_MS * NAMED_FACTOR ** min(tries + 1, 20), NAMED_LONGEST_MS))


class Parking:
    """The waiting messages of one topic."""

    def __init__(self, topic: str, reader: Reader) -> None:
        self.topic = topic
        self._reader = reader

    async def due(self, connection: Connection) -> list[int]:
        """The first messages of the queues in which one is due."""
        rows = await sql.due_queues(connection, topic=self.topic, most=DUE_AT_ONCE, only=None)
        return [row["parked_id"] for row in rows]

    async def retry(
        self,
        connection: Connection,
        writes: Writes,
        report: Report,
        *,
        wallets: Iterable[Key] = (),
        only: int | None = None,
        refusal: str | None = None,
    ) -> int:
        """Judge the queues that are due, each in order until a message must go on waiting. Returns how many left.

        With `only`, just that message is judged, and with `refusal` (what the database said) it is set aside instead.
        Raises UnforeseenError for other `wallets` that its entries take from.
        """
        due = await sql.due_queues(connection, topic=self.topic, most=DUE_AT_ONCE, only=only)
        if not due:
            return 0
        queues = await self._read(connection, due, alone=only is not None)
        waiters = chain.from_iterable((*queue.line, *queue.behind) for queue in queues)
        messages = [waiter.item for waiter in waiters if isinstance(waiter.item, Incoming)]
        look = Look(writes, await World.load(connection, messages, writes, wallets), report)
        held = await self._hold(connection, [queue.first.row for queue in queues])
        for queue in sorted(queues, key=Queue.place):  # as a batch is, so that a replay decides alike
            if queue.lane in held:
                look.at(queue, refusal)
        await foresee(connection, look.world)
        report.count_entries(writes.entries)
        await self._save(connection, look)
        return len(look.left)

    async def _read(self, connection: Connection, due: list[Any], *, alone: bool) -> list[Queue]:
        """The heads of these queues, and who is due farther behind; with `alone`, the first of each only."""
        longest = 1 if alone else max(ROWS_AT_ONCE // len(due), LEAST_LINE)
        tenants, keys = zip(*((row["tenant"], row["key"]) for row in due), strict=True)
        lengths = [longest if row["is_due"] else 1 for row in due]
        heads = await sql.heads(connection, topic=self.topic, tenants=tenants, keys=keys, lengths=lengths)
        lanes = groupby(heads, key=itemgetter("tenant", "key"))
        lines = {lane: [Waiter(row, self._reread(row)) for row in rows] for lane, rows in lanes}
        queues = {lane: Queue(lane, line) for lane, line in lines.items()}
        behind = [
            (row["tenant"], row["key"], parked_id)
            for row in due
            for parked_id in row["parked_ids"]
            if (queue := queues.get((row["tenant"], row["key"]))) and parked_id > queue.last["parked_id"]
        ]
        if behind and not alone:
            tenants, keys, parked_ids = zip(*behind, strict=True)
            columns = {"tenants": tenants, "keys": keys, "parked_ids": parked_ids}
            for row in await sql.members(connection, topic=self.topic, **columns):
                queues[row["tenant"], row["key"]].behind.append(Waiter(row, self._reread(row)))
        return list(queues.values())

    async def _hold(self, connection: Connection, firsts: list[Any]) -> set[tuple[str, str]]:
        """Lock the queues that are still as they were read; a wake-up may have been faster."""
        if not firsts:
            return set()
        columns = zip(*map(itemgetter("tenant", "key", "parked_id", "version"), firsts), strict=True)
        names = ("tenants", "keys", "parked_ids", "versions")
        rows = await sql.hold_queues(connection, topic=self.topic, **dict(zip(names, columns, strict=True)))
        return {(row["tenant"], row["key"]) for row in rows}

    def _reread(self, row: Any) -> Incoming | Unreadable:
        return self._reader.read(Record(self.topic, row["partition"], row["offset"], None, {}, row["body"]))

    async def _save(self, connection: Connection, look: Look) -> None:
        places = ("parked_ids", "tenants", "keys")
        waits = (*places, "reasons", "details", "waits", "delays_ms")
        if look.left:
            await sql.leave(connection, topic=self.topic, **_columns(places, map(_PLACE, look.left)))
        if look.postponed:
            await sql.postpone(connection, topic=self.topic, **_columns(waits, look.postponed))
        if look.resting:
            columns = _columns(places, map(_PLACE, look.resting))
            await sql.rest(connection, topic=self.topic, delay_ms=NAMED_LONGEST_MS, **columns)
        if look.ended:
            columns = _columns(("tenants", "keys", "waits"), look.ended)
            await sql.next_turn(connection, topic=self.topic, **columns)
        if look.renamed:
            await sql.look_behind(connection, topic=self.topic, **_columns(places, map(_PLACE, look.renamed)))


_PLACE: Final = itemgetter("parked_id", "tenant", "key")


def _columns(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return dict(zip(names, zip(*rows, strict=True), strict=True))


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
class Queue:
    """Messages of one key that wait: the first ones without a gap, and those farther behind that are due."""

    lane: tuple[str, str]
    line: list[Waiter]
    behind: list[Waiter] = field(default_factory=list)

    @property
    def first(self) -> Waiter:
        """Whose turn it is. What it waits for by its row, those behind have been asked for when they came."""
        return self.line[0]

    @property
    def last(self) -> Any:
        """The row at the end of the line."""
        return self.line[-1].row

    def place(self) -> tuple[int, int]:
        """Where the first stands in its topic: partition and offset."""
        return self.first.row["partition"], self.first.row["offset"]


@dataclass(slots=True)
class Look:
    """One look at waiting messages, within one transaction."""

    writes: Writes
    world: World
    report: Report
    left: list[Any] = field(default_factory=list)
    postponed: list[tuple[Any, ...]] = field(default_factory=list)
    resting: list[Any] = field(default_factory=list)
    """Behind one that stays, and due for nothing."""
    ended: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Queues of which all that was read has left, and what their first waited for."""
    renamed: list[Any] = field(default_factory=list)
    """The ends of lines whose queues wait for something new."""

    def at(self, queue: Queue, refusal: str | None) -> None:
        """One queue: its messages leave in order; behind one that stays, only what brings what that one waits for."""
        known = queue.first.row["waits_for"]
        awaited: list[str | None] = []
        for waiter in queue.line:
            if awaited:
                self._look_behind(waiter, awaited)
                continue
            verdict = self._judge(waiter, refusal)
            if verdict.outcome == "parked":
                self._stay(waiter.row, verdict, awaited)
            else:
                self._leave(waiter, verdict)
        if not awaited:
            self.ended.append((*queue.lane, known))
            return
        if awaited[0] not in {None, known}:
            self.renamed.append(queue.last)
        for waiter in queue.behind:
            self._look_behind(waiter, awaited)

    def _look_behind(self, waiter: Waiter, awaited: list[str | None]) -> None:
        verdict = self._judge_behind(waiter, awaited)
        if verdict is BEHIND:
            if waiter.row["is_due"]:
                self.resting.append(waiter.row)
        elif verdict.outcome == "parked":
            self._stay(waiter.row, verdict, awaited)
        else:
            self._leave(waiter, verdict)

    def _judge(self, waiter: Waiter, refusal: str | None) -> Verdict:
        if refusal is not None:
            return Verdict("dead", Reason.DATABASE_REFUSED, refusal)
        if not isinstance(waiter.item, Incoming):
            return Verdict("dead", waiter.item.reason, waiter.item.detail)
        verdict = judge(waiter.item, self.world, self.writes)
        if verdict.outcome == "parked" and waiter.is_hopeless(verdict):
            return Verdict("dead", verdict.reason, verdict.detail)
        return verdict

    def _judge_behind(self, waiter: Waiter, awaited: Iterable[str | None]) -> Verdict:
        """Behind several that stay, it may bring what any of them waits for."""
        if not isinstance(waiter.item, Incoming):
            return BEHIND
        for name in awaited:
            verdict = judge_behind(waiter.item, self.world, self.writes, name)
            if verdict is not BEHIND:
                return verdict
        return BEHIND

    def _stay(self, row: Any, verdict: Verdict, awaited: list[str | None]) -> None:
        if verdict.waits_for not in awaited:
            awaited.append(verdict.waits_for)
        if not row["is_due"] and (row["waits_for"], row["reason"]) == (verdict.waits_for, verdict.reason):
            return  # it was looked at for another's sake
        self.postponed.append(
            (
                *_PLACE(row),
                verdict.reason,
                verdict.detail,
                verdict.waits_for,
                delay_ms(verdict, row["tries"]),
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
