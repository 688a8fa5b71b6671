"""Throughput: recorded payments from Kafka, through the commit, to the acknowledged downstream events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.queries import bench as sql
from ops.bench.crew import crew
from ops.bench.workload import RECORDED, Workload, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.bench.processor import Use
    from ops.bench.site import Site


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, all of it in the timed part only."""

    events: int
    workers: int
    seconds: float
    events_per_second: float
    published: int
    redelivered: int
    batches: int
    mean_batch: float
    processor: Use


async def run_payments(
    site: Site, workload: Workload, events: int, workers: int, tell: Callable[[str], None]
) -> Run:
    """Everything is started, joined and connected, and the topic full, before the clock starts.

    A lock on the table that every batch locks first is the starting line: until it is released, each worker stands
    there with its first batch. The clock runs from then until the relay's cursor has passed the last event.

    Raises:
        BenchError: nothing moved for a minute.
        RoleEndedError: a process ended.
    """
    tell(f"starting {workers} workers and a relay")
    async with crew(site, workers, workload) as team:
        before = await team.finished(workload.merchants)
        async with team.connection.transaction():
            await sql.hold_workers(team.connection)
            tell(f"publishing {events:,} payments")
            await publish(site.at.kafka, workload.payments(events))
            await team.lined_up(workers)
            meter = team.meter()
            started_at = await sql.clock(team.connection)
        tell("off they go")
        after = await team.finished(workload.merchants + events)
        use = meter.read()
        batches = await sql.batches(team.connection, tenant=workload.tenant, type=RECORDED)
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
        processor=use,
    )
