"""Where the time of one event goes: one engine, then the relay, in this process, watched from outside."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

import consumers.batch
import db.writes
from consumers.batch import Batch
from consumers.engine import Engine
from consumers.intake import Reader, Record
from consumers.world import World
from db.connection import connect
from db.ledger import Ledger
from db.queries import bench as sql
from db.queries import delivery, engine, parking
from db.tables import FEE_SCHEDULES, PAYMENTS
from db.writes import Writes
from ops.bench.errors import BenchError
from ops.bench.processor import Meter
from ops.bench.tracer import Spent, Tracer
from ops.bench.workload import TOPIC, Event, Workload, choose_partition
from ops.roles import suit_memory_to_batches
from producers.relay import run_relay
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.report import Report
    from ops.bench.site import Site

US: Final = 1e6
_NAMES: Final = {
    getattr(queries, name).sql: f"statement {name}"
    for queries in (engine, parking, delivery)
    for name in queries.available_queries
    if name.removesuffix("_cursor") not in {*queries.available_queries} - {name}
} | {
    statement: f"statement {table.name}, {what}"
    for table in (PAYMENTS, FEE_SCHEDULES)
    for what, statement in (
        ("select for update", table.select),
        ("update", table.change),
    )
}


def _statement(_: Any, query: str, *__: Any, **___: Any) -> str:
    """A statement's name in db/queries, or what it begins with: BEGIN, COMMIT."""
    return _NAMES.get(query) or query.split(maxsplit=1)[0].rstrip(";")


def _copy(_: Any, table: str, **__: Any) -> str:
    return f"COPY {table}"


_STATEMENTS: Final = (
    (asyncpg.Connection, "execute", _statement),
    (asyncpg.Connection, "fetch", _statement),
    (asyncpg.Connection, "fetchrow", _statement),
    (asyncpg.Connection, "fetchval", _statement),
    (asyncpg.Connection, "copy_records_to_table", _copy),
)
_ENGINE: Final = (
    *_STATEMENTS,
    (Reader, "read", "decode and validate"),
    (Batch, "look_up", "look up: keys"),
    (World, "load", "load: values"),
    (Batch, "settle", "settle: outcomes, inbox rows"),
    (consumers.batch, "judge", "decide"),
    (Writes, "apply", "gather writes"),
    (db.writes, "encode", "encode events"),
    (Writes, "flush", "flush: rows, entry events"),
    (Ledger, "write", "ledger: rows, sums"),
    (Batch, "advance", "advance: counts"),
)
_RELAY: Final = (
    *_STATEMENTS,
    (BatchBuilder, "append", "build Kafka batches"),
    (AIOKafkaProducer, "send_batch", "hand batches over"),
)
_REST: Final = {"engine": "transaction, retries (rest)", "relay": "keys, acknowledgements (rest)"}


@dataclass(frozen=True, slots=True)
class Step:
    """One span, in microseconds an event. What is not Python was waited for: PostgreSQL, its disk, or Kafka."""

    name: str
    calls: int
    wall_us: float
    python_us: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The steps add up to the whole time of an event while it is watched. `unwatched_us` is what it takes else."""

    events: int
    batch_size: int
    unwatched_us: float | None
    """None for the relay: it empties the outbox only once."""
    server_us: float | None
    """PostgreSQL's processor time for an event, watched or not; None when the server is not ours."""
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Profile:
    """The whole way of an event; `guards` are the database's own functions, in microseconds an event."""

    engine: Breakdown
    relay: Breakdown
    guards: dict[str, float]


async def profile(site: Site, workload: Workload, events: int, batch_size: int) -> Profile:
    """The first tenth warms up; of the rest, every second batch is watched.

    Raises:
        BenchError: something was not applied.
    """
    suit_memory_to_batches()  # as every role does
    connection = await connect(site.at.admin_url, application="counterfoil bench")
    try:
        if site.pids:
            await sql.time_functions(connection)
        engine_part = await _profile_engine(site, workload, events, batch_size)
        relay_part = await _profile_relay(site, events, batch_size)
        rows = await sql.function_times(connection) if site.pids else []
    finally:
        await connection.close()
    guards = {row["name"]: row["self_ms"] * 1000 / events for row in rows}
    return Profile(engine_part, relay_part, guards)


async def _profile_engine(site: Site, workload: Workload, events: int, batch_size: int) -> Breakdown:
    watcher = _EngineWatcher()
    engine = Engine(TOPIC, site.at.database_url, watcher)
    records = _records(chain(workload.fees(), workload.payments(events)))
    tracer = Tracer()
    handle = tracer.wrap(engine.handle, _REST["engine"])
    try:
        await engine.handle(list(islice(records, workload.merchants)))
        for _ in range(0, events // 10, batch_size):
            await engine.handle(list(islice(records, batch_size)))
        meter = Meter(site.pids)
        watched = unwatched = 0
        unwatched_s = 0.0
        while batch := list(islice(records, batch_size)):
            if watched <= unwatched:
                watched += len(batch)
                with tracer.watching(*_ENGINE):
                    await handle(batch)
            else:
                unwatched += len(batch)
                began = time.perf_counter()
                await engine.handle(batch)
                unwatched_s += time.perf_counter() - began
        server_s = meter.read().cpu_seconds.get("postgres")
    finally:
        await engine.close()
    if watcher.outcomes["applied"] != events + workload.merchants:
        raise BenchError(f"not everything was applied: {dict(watcher.outcomes)}")
    return Breakdown(
        events=watched,
        batch_size=batch_size,
        unwatched_us=unwatched_s / unwatched * US if unwatched else None,
        server_us=None if server_s is None else server_s / (watched + unwatched) * US,
        steps=_steps(tracer.spans, watched),
    )


async def _profile_relay(site: Site, events: int, batch_size: int) -> Breakdown:
    """Publishes what the engine left in the outbox, all of it watched."""
    watcher = _RelayWatcher(site)
    tracer = Tracer()
    with tracer.watching(*_RELAY):
        await run_relay(site.at.kafka, site.at.database_url, watcher, watcher.stop)
    rest = Spent(1, watcher.wall_s, watcher.cpu_s)
    for span in tracer.spans.values():
        rest.wall_s -= span.wall_s
        rest.cpu_s -= span.cpu_s
    tracer.spans[_REST["relay"]] = rest
    return Breakdown(
        events=events,
        batch_size=batch_size,
        unwatched_us=None,
        server_us=None if watcher.server_s is None else watcher.server_s / events * US,
        steps=_steps(tracer.spans, events),
    )


def _steps(spans: dict[str, Spent], events: int) -> list[Step]:
    """The longest first."""
    steps = (
        Step(name, spent.calls, spent.wall_s / events * US, spent.cpu_s / events * US)
        for name, spent in spans.items()
        if spent.calls
    )
    return sorted(steps, key=lambda step: -step.wall_us)


def _records(events: Iterable[Event]) -> Iterator[Record]:
    """The events as Kafka would deliver them."""
    partitions = list(range(TOPICS[TOPIC].partitions))
    offsets = Counter[int]()
    for event in events:
        partition = choose_partition(event.key, partitions, partitions)
        yield Record(TOPIC, partition, offsets[partition], event.key, {}, event.body)
        offsets[partition] += 1


class _EngineWatcher:
    """Counts what became of the messages."""

    def __init__(self) -> None:
        self.outcomes = Counter[str]()

    def committed(self, report: Report) -> None:
        """One more transaction."""
        self.outcomes.update(report.outcomes)

    def retried(self, topic: str, reason: str) -> None:
        """Nobody is there to race with."""
        raise BenchError(f"{topic}: {reason}")

    def lagging(self, topic: str, partition: int, records: int) -> None:
        """No consumer, no lag."""

    def alive(self) -> None:
        """It is."""


class _RelayWatcher:
    """Times the relay from when it leads until nothing is left to publish; then it tells it to stop."""

    def __init__(self, site: Site) -> None:
        self.stop = asyncio.Event()
        self.wall_s = self.cpu_s = 0.0
        self.server_s: float | None = None
        self._meter = Meter(site.pids)

    def led(self, *, leading: bool) -> None:
        """The clock runs from here."""
        if leading:
            self.wall_s, self.cpu_s = -time.perf_counter(), -time.process_time()

    def published(self, counts: Counter[str], age_seconds: float) -> None:  # noqa: ARG002 - the relay says it
        """Nothing was published: that was all."""
        if not counts and not self.stop.is_set():
            self.wall_s += time.perf_counter()
            self.cpu_s += time.process_time()
            self.server_s = self._meter.read().cpu_seconds.get("postgres")
            self.stop.set()
