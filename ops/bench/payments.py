"""Throughput: recorded payments from Kafka, through the commit, to the acknowledged downstream events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from db.queries import bench as sql
from ops.bench.crew import crew
from ops.bench.workload import RECORDED, TOPIC, Workload, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ops.bench.crew import Crew
    from ops.bench.processor import Use
    from ops.bench.site import Site
    from ops.bench.workload import Event


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


@dataclass(frozen=True, slots=True)
class Runs:
    """The same processes and servers, first `cold`, just started, then `warm`. Nothing is cold without a warm-up."""

    cold: Run | None
    warm: Run


async def run_payments(
    site: Site, workload: Workload, events: int, workers: int, tell: Callable[[str], None], *, warm_up: int
) -> Runs:
    """Everything is started, joined and connected; first `warm_up` payments, then `events` more, each part timed.

    Raises:
        BenchError: nothing moved for a minute.
        RoleEndedError: a process ended.
    """
    tell(f"starting {workers} workers and a relay")
    async with crew(site, workers, workload) as team:
        payments = workload.payments(warm_up + events)
        cold = None
        if warm_up:
            cold = await _run(team, workload, islice(payments, warm_up), tell)
            await team.connection.execute("CHECKPOINT")  # so that the WAL goes on in files that are there
        return Runs(cold, await _run(team, workload, payments, tell))


async def _run(team: Crew, workload: Workload, payments: Iterable[Event], tell: Callable[[str], None]) -> Run:
    """The topic is full before the clock starts.

    A lock on the table that every batch locks first is the starting line: until it is released, each worker stands
    there with its first batch. The clock runs from then until the relay's cursor has passed the last event.
    """
    before = await sql.progress(team.connection, topic=TOPIC)
    async with team.connection.transaction():
        await sql.hold_workers(team.connection)
        tell("publishing payments")
        events = await publish(team.kafka, payments)
        await team.lined_up()
        meter = team.meter()
        started_at = await sql.clock(team.connection)
    tell(f"off they go, {events:,}")
    after = await team.finished(before["received"] + events)
    use = meter.read()
    batches = await sql.batches(
        team.connection, tenant=workload.tenant, type=RECORDED, after=before["batch_id"]
    )
    seconds = (after["moved_at"] - started_at).total_seconds()
    return Run(
        events=events,
        workers=team.workers,
        seconds=seconds,
        events_per_second=events / seconds,
        published=after["published"] - before["published"],
        redelivered=after["redelivered"] - before["redelivered"],
        batches=batches["batches"],
        mean_batch=batches["mean_size"],
        processor=use,
    )
