"""Latency at a fixed rate, from the moment at which an event was due to be published to its downstream event's arrival.

The publisher is an open loop: it does not wait for answers, and an event that it sends late counts from when it was
due, so that a stall is felt by all the events it delayed (no coordinated omission). Both ends are in this process and
read one clock.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from db.outbox import OUTBOX_CHANNEL
from db.queries import bench as sql
from ops.bench.commits import Began, commit_times
from ops.bench.crew import LOOK_EVERY_S, crew
from ops.bench.errors import BenchError
from ops.bench.percentiles import percentile, summary
from ops.bench.workload import RECORDED, TENANT, TOPIC, Workload, payment_id
from producers.kafka import create_producer
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    import asyncpg

    from ops.bench.commits import Notified
    from ops.bench.processor import Use
    from ops.bench.site import Site
    from ops.bench.workload import Event

WARM_UP_S: Final = 5
ARRIVALS: Final = "payment.events"
LISTEN_MS: Final = 200
"""At most between two looks; what comes is given at once."""
PATIENCE_S: Final = 30
"""For the last events to arrive."""
STAGES: Final = {
    "publish": "due -> acknowledged by Kafka",
    "consume": "-> a worker's transaction begins: fetch, the batch before it, decode",
    "transaction": "-> committed",
    "relay": "-> handed to the relay's producer: wake-up, read",
    "deliver": "-> here: linger, Kafka, fetch",
}


@dataclass(slots=True)
class Marks:
    """When what happened to one event, in seconds of the system's clock."""

    due: float
    published: float = 0.0
    taken_in: float = 0.0
    committed: float = 0.0
    relayed: float = 0.0
    arrived: float = 0.0

    def stages_ms(self) -> tuple[float, ...]:
        """What each of STAGES took. Clocks of two processes and of milliseconds' resolution differ: none is below 0."""
        times = (self.due, self.published, self.taken_in, self.committed, self.relayed, self.arrived)
        return tuple(max(0.0, after - before) * 1000 for before, after in pairwise(times))

    def total_ms(self) -> float:
        """From due to arrived."""
        return (self.arrived - self.due) * 1000


@dataclass(frozen=True, slots=True)
class Latencies:
    """Milliseconds. `slowest_ms` is what each stage took on average for the slowest 1%; `bound_by` is the longest."""

    rate: int
    seconds: int
    warm_up_seconds: int
    workers: int
    events: int
    mean_batch: float
    latency_ms: dict[str, float]
    stages_ms: dict[str, dict[str, float]]
    slowest_ms: dict[str, float]
    bound_by: str
    processor: Use


async def run_latency(
    site: Site, workload: Workload, rate: int, seconds: int, workers: int, tell: Callable[[str], None]
) -> Latencies:
    """Publish at this rate, measure what is due after the warm-up.

    Raises:
        BenchError: an event did not arrive.
        RoleEndedError: a process ended.
    """
    tell(f"starting {workers} workers and a relay")
    async with crew(site, workers, workload) as team, _Arrivals(site.at.kafka) as arrivals:
        commits: defaultdict[int, list[float]] = defaultdict(list)
        await team.connection.add_listener(
            OUTBOX_CHANNEL, lambda _, pid, __, ___: commits[pid].append(time.time())
        )
        tell(f"publishing {rate:,} payments a second for {WARM_UP_S} + {seconds} s")
        meter = team.meter()
        marks = await _publish_at_rate(
            site.at.kafka, list(workload.payments(rate * (WARM_UP_S + seconds))), rate
        )
        await arrivals.complete(marks)
        use = meter.read()
        taken_in = await sql.taken_in(team.connection, tenant=TENANT, type=RECORDED)
        batches = await sql.batches(team.connection, tenant=TENANT, type=RECORDED, after=0)
    _mark_transactions(marks, taken_in, commits)
    measured = marks[rate * WARM_UP_S :]
    totals = [mark.total_ms() for mark in measured]
    slow = percentile(totals, 99)
    slowest = [mark.stages_ms() for mark in measured if mark.total_ms() >= slow]
    means = [sum(times) / len(times) for times in zip(*slowest, strict=True)]
    slowest_ms = dict(zip(STAGES, means, strict=True))
    columns = zip(*(mark.stages_ms() for mark in measured), strict=True)
    return Latencies(
        rate=rate,
        seconds=seconds,
        warm_up_seconds=WARM_UP_S,
        workers=workers,
        events=len(measured),
        mean_batch=batches["mean_size"],
        latency_ms=summary(totals),
        stages_ms={name: summary(times) for name, times in zip(STAGES, columns, strict=True)},
        slowest_ms=slowest_ms,
        bound_by=max(slowest_ms, key=slowest_ms.__getitem__),
        processor=use,
    )


async def _publish_at_rate(kafka: str, events: Sequence[Event], rate: int) -> list[Marks]:
    """Send each event when it is due, or as soon after as can be."""
    producer = create_producer(kafka)
    await producer.start()
    try:
        start = time.time() + 0.1
        marks = [Marks(start + number / rate) for number in range(len(events))]
        for mark, event in zip(marks, events, strict=True):
            early_s = mark.due - time.time()
            if early_s > 0:
                await asyncio.sleep(early_s)
            accepted = await producer.send(TOPIC, event.body, key=event.key)
            accepted.add_done_callback(partial(_stamp, mark))
        await producer.flush()
    finally:
        await producer.stop()
    return marks


def _stamp(mark: Marks, _: object) -> None:
    mark.published = time.time()


class _Arrivals:
    """Listens to the downstream topic from its present end on."""

    def __init__(self, kafka: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
        self._came: dict[str, tuple[float, float]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        partitions = [TopicPartition(ARRIVALS, number) for number in range(TOPICS[ARRIVALS].partitions)]
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*partitions)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.cancel()
        await self._consumer.stop()

    async def complete(self, marks: Sequence[Marks]) -> None:
        """Wait until the downstream events of all have come, and mark when."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self._came) < len(marks):
            if time.monotonic() > deadline:
                raise BenchError(
                    f"{len(marks) - len(self._came)} of {len(marks)} downstream events did not arrive"
                )
            await asyncio.sleep(LOOK_EVERY_S)
        for number, mark in enumerate(marks):
            mark.arrived, mark.relayed = self._came[payment_id(number)]

    async def _listen(self) -> None:
        while True:
            found = await self._consumer.getmany(timeout_ms=LISTEN_MS)
            now = time.time()
            for records in found.values():
                for record in records:
                    self._came.setdefault(
                        orjson.loads(record.value)["causation"], (now, record.timestamp / 1000)
                    )


def _mark_transactions(marks: Sequence[Marks], taken_in: Sequence[asyncpg.Record], commits: Notified) -> None:
    """Mark when each event's transaction began, by the inbox, and when it was committed."""
    batches: dict[int, Began] = {}
    for row in taken_in:
        batch = batches.setdefault(row["batch_id"], Began(row["received_at"].timestamp(), set()))
        batch.partitions.add(row["partition"])
    committed = commit_times(batches, commits)
    number_of = {payment_id(number): number for number in range(len(marks))}
    for row in taken_in:
        mark = marks[number_of[row["event_id"]]]
        mark.taken_in = batches[row["batch_id"]].at
        mark.committed = committed[row["batch_id"]]
