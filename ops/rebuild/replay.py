"""The replay: every message that had an effect, through the real rules, in the order and at the times of decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from consumers.intake import Record
from consumers.judge import KEY_LIFETIME
from db.connection import connect
from db.queries import engine
from db.queries import rebuild as sql
from ops.rebuild.compare import Part, compare
from ops.rebuild.parts import COMPARED, PUBLISHED
from ops.rebuild.pipeline import Pipeline
from ops.rebuild.scratch import scratch_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]
    Progress = Callable[[int, int], None]

ROWS_AT_ONCE: Final = 2000


class ReplayTroubleError(Exception):
    """No replay can be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was replayed, and each part of the comparison. `database` is the scratch one when it was kept."""

    messages: int
    batches: int
    parts: list[Part]
    database: str | None

    @property
    def ok(self) -> bool:
        """Whether what is there is what follows from the messages."""
        return not any(part.broken for part in self.parts)


async def replay(
    database_url: str, admin_url: str, *, keep: bool = False, progress: Progress | None = None
) -> Outcome:
    """Rebuild from the inbox into a scratch database, and compare with the live one as of one snapshot.

    Nothing live is locked or changed, and work may go on. Takes about as long as the messages took.
    """
    live = await connect(database_url, application="counterfoil replay")
    try:
        async with (
            live.transaction(isolation="repeatable_read", readonly=True),
            scratch_database(database_url, admin_url, keep=keep) as scratch,
        ):
            rebuilt = await connect(scratch.url, application="counterfoil replay", by_key=True)
            try:
                messages, batches, refused = await _rebuild(live, rebuilt, progress)
            finally:
                await rebuilt.close()
            parts = [*_refusals(refused), *await _compare(live, scratch.url)]
        return Outcome(messages, batches, parts, scratch.name if keep else None)
    finally:
        await live.close()


async def _rebuild(
    live: Connection, rebuilt: Connection, progress: Progress | None
) -> tuple[int, int, list[str]]:
    total = await sql.count_decided(live)
    clocks: dict[int, dict[str, datetime]] = {}
    for row in await sql.test_clock_times(live, topics=PUBLISHED):
        clocks.setdefault(row["batch_id"], {})[row["tenant"]] = row["now_at"]
    await _take_keys(live, rebuilt)
    pipeline = Pipeline(rebuilt)
    messages = batches = 0
    async for rows in _batches(live):
        times = clocks.get(rows[0]["batch_id"])
        if times:
            await sql.set_test_clock(rebuilt, tenants=list(times), times=list(times.values()))
        await pipeline.take_in(rows[0]["topic"], [_record(row) for row in rows], rows[0]["decided_at"])
        messages, batches = messages + len(rows), batches + 1
        if progress is not None:
            progress(messages, total)
    return messages, batches, pipeline.refused


async def _batches(live: Connection) -> AsyncIterator[list[Any]]:
    """The messages of one decided batch at a time."""
    batch: list[Any] = []
    async for row in live.cursor(sql.decided_messages.sql, KEY_LIFETIME, prefetch=ROWS_AT_ONCE):
        if batch and row["batch_id"] != batch[0]["batch_id"]:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _record(row: Any) -> Record:
    return Record(row["topic"], row["partition"], row["offset"], None, {}, row["body"])


async def _take_keys(live: Connection, rebuilt: Connection) -> None:
    """Command keys of messages that were never decided, for they are not replayed."""
    rows = await sql.keys_of_undecided(live)
    if not rows:
        return
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
    columns = zip(*(tuple(row) for row in rows), strict=True)
    await engine.save_idempotency_keys(rebuilt, **dict(zip(names, columns, strict=True)))


async def _compare(live: Connection, url: str) -> list[Part]:
    # Not the connection that wrote: these statements read whole tables.
    rebuilt = await connect(url, application="counterfoil replay")
    try:
        async with rebuilt.transaction(isolation="repeatable_read", readonly=True):
            return [await compare(live, rebuilt, compared) for compared in COMPARED]
    finally:
        await rebuilt.close()


def _refusals(refused: list[str]) -> list[Part]:
    if not refused:
        return []
    part = Part("messages that a guard refuses")
    for told in refused:
        part.differs(told)
    return [part]
