"""Throughput: recorded payments from Kafka, through the committed transaction, to the acknowledged downstream events."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from db.connection import connect
from db.queries import bench as sql
from ops.bench.crew import Crew, crew
from ops.bench.errors import BenchError
from ops.bench.workload import TOPIC, Workload, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from db.connection import Connection
    from ops.bench.site import Site

LOOK_EVERY_S: Final = 0.1
STALLED_AFTER_S: Final = 60


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured. `cpu_seconds` by process, in the timed part only."""

    events: int
    workers: int
    seconds: float
    events_per_second: float
    published: int
    redelivered: int
    batches: int
    mean_batch: float
    cpu_seconds: dict[str, float]


async def run_payments(
    site: Site, workload: Workload, events: int, workers: int, tell: Callable[[str], None]
) -> Run:
    """Everything is started, joined and connected, and the topic full, before the clock starts.

    Raises:
        BenchError: a process ended, or nothing moved for a minute.
    """
    connection = await connect(site.at.admin_url, application="counterfoil bench")
    try:
        with crew(workers, site.environment(), site.logs) as team:
            race = _Race(site, connection, team)
            tell("taking in the merchants' fee schedules")
            known = await publish(site.at.kafka, workload.fees())
            before = await race.finish(known)
            async with connection.transaction():
                await sql.hold_workers(connection)
                tell(f"publishing {events} payments")
                await publish(site.at.kafka, workload.payments(events))
                await race.line_up(workers)
                spent = race.cpu_seconds()
                started_at = await sql.clock(connection)
            tell("they run")
            after = await race.finish(known + events)
            spent = {name: total - spent[name] for name, total in race.cpu_seconds().items()}
            batches = await sql.batches(connection, since=started_at)
    finally:
        await connection.close()
    seconds = (after["moved_at"] - started_at).total_seconds()
    return Run(
        events=events,
        workers=workers,
        seconds=seconds,
        events_per_second=events / seconds,
        published=after["published"] - before["published"],
        redelivered=after["redelivered"] - before["redelivered"],
        batches=batches["batches"],
        mean_batch=batches["mean_size"],
        cpu_seconds=spent,
    )


class _Race:
    """The run as the database sees it; times are the server's, so that one clock stops what it started."""

    def __init__(self, site: Site, connection: Connection, team: Crew) -> None:
        self._site = site
        self._connection = connection
        self._team = team

    def cpu_seconds(self) -> dict[str, float]:
        """Of our processes, and of the servers when they are ours too."""
        return self._team.cpu_seconds() | self._site.cpu_seconds()

    async def line_up(self, workers: int) -> None:
        """Wait until every worker holds its first batch and the relay leads."""
        deadline = time.monotonic() + STALLED_AFTER_S
        while await sql.workers_held(self._connection) < workers or not await sql.relay_leads(self._connection):
            if time.monotonic() > deadline:
                raise BenchError(f"the workers are not ready after {STALLED_AFTER_S} s; see {self._team.logs}")
            await self._pause()

    async def finish(self, received: int) -> asyncpg.Record:
        """Wait until so many messages are taken in, and all that followed is acknowledged by Kafka."""
        moved, since = (0, 0), time.monotonic()
        while True:
            now: asyncpg.Record = await sql.progress(self._connection, topic=TOPIC)
            if now["received"] >= received and now["all_published"]:
                return now
            if (now["received"], now["published"]) != moved:
                moved, since = (now["received"], now["published"]), time.monotonic()
            elif time.monotonic() > since + STALLED_AFTER_S:
                raise BenchError(
                    f"nothing moves: {now['received']} of {received} messages are taken in, {now['published']} events "
                    f"published; see {self._team.logs}"
                )
            await self._pause()

    async def _pause(self) -> None:
        self._team.assert_alive()
        await asyncio.sleep(LOOK_EVERY_S)
