"""Card payments with a provider: all at once, then a few a second; from the command to succeeded and published.

Every process as in production: workers of all topics, relay, gateway, and the sandbox provider, which is called over
HTTP. Each payment is three transactions and one call: the command, the gateway's claim and report, the answer.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from db.connection import connect
from db.queries import bench as sql
from ops.bench.crew import LOOK_EVERY_S, STALLED_AFTER_S
from ops.bench.errors import BenchError
from ops.bench.percentiles import summary
from ops.bench.processor import Meter
from ops.bench.proof import DURABLE
from ops.bench.workload import TENANT, TOPIC, Workload, card_payment, publish
from ops.processes import COUNTERFOIL, SANDBOX, Processes
from producers.kafka import create_producer
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import asyncpg

    from ops.bench.processor import Use
    from ops.bench.site import Site

WARM_UP: Final = 100
AMOUNT_MINOR: Final = 2_500
SUCCEEDED: Final = "payment.succeeded.v1"
ARRIVALS: Final = "payment.events"
SATURATED: Final = 0.85
"""A process of ours has one thread that counts; from this share of a core on, it is what bounds the rate."""


@dataclass(frozen=True, slots=True)
class Orders:
    """So many `payments` all at once; then `rate` a second, for so many seconds."""

    payments: int
    rate: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured. `processor` is of the part at full speed; `latency_ms` from due to here, at `rate` a second.

    `cores` is how much of a core each process used at full speed.
    """

    payments: int
    workers: int
    seconds: float
    payments_per_second: float
    processor: Use
    cores: dict[str, float]
    bound_by: str
    rate: int
    latency_ms: dict[str, float]
    durability: dict[str, str]
    problems: list[str]


async def run_cards(site: Site, orders: Orders, workers: int, tell: Callable[[str], None]) -> Run:
    """All at once for the rate, then slowly for the latency.

    Raises:
        BenchError: nothing moved for a minute.
        RoleEndedError: a process ended.
    """
    tell(f"starting {workers} workers, a relay, a gateway and the sandbox provider")
    async with _crew(site, workers) as crew:
        await publish(site.at.kafka, Workload(merchants=1).fees())
        await crew.all_at_once("warm", WARM_UP)
        tell(f"{orders.payments:,} payments at once")
        meter = Meter({**crew.pids, **site.pids})
        seconds = await crew.all_at_once("fast", orders.payments)
        use = meter.read()
        tell(f"{orders.rate:,} a second for {orders.seconds} s")
        waits = await _latencies(site.at.kafka, orders)
        paid = WARM_UP + orders.payments + orders.rate * orders.seconds
        await crew.settled(paid)
        (row,) = await sql.paid(crew.connection, tenant=TENANT)
        durability = dict(await sql.durability(crew.connection))
    cores = {name: spent / seconds for name, spent in use.cpu_seconds.items()}
    problems = [
        f"{name} is {durability[name]}" for name, value in DURABLE.items() if durability[name] != value
    ]
    if row["captured_minor"] != paid * AMOUNT_MINOR:
        problems.append(f"{row['captured_minor']} was captured of {paid * AMOUNT_MINOR} minor units")
    return Run(
        payments=orders.payments,
        workers=workers,
        seconds=seconds,
        payments_per_second=orders.payments / seconds,
        processor=use,
        cores=cores,
        bound_by=_bound_by(cores),
        rate=orders.rate,
        latency_ms={name: value * 1000 for name, value in summary(waits).items()},
        durability=durability,
        problems=problems,
    )


def _bound_by(cores: dict[str, float]) -> str:
    """What has no reserve: the busiest of our processes when its one thread is, else the machine or waiting."""
    servers = {"postgres", "kafka", "bench"}
    name, share = max(
        ((name, share) for name, share in cores.items() if name not in servers), key=lambda found: found[1]
    )
    if share >= SATURATED:
        return f"{name}: {share:.2f} of its core"
    return f"no process of ours alone; the busiest is {name} with {share:.2f} of a core"


class _Crew:
    """The running processes by name."""

    def __init__(
        self,
        site: Site,
        connection: asyncpg.Connection[asyncpg.Record],
        processes: Processes,
        pids: dict[str, int],
    ) -> None:
        self.connection = connection
        self.pids = pids
        self._site = site
        self._processes = processes
        self._asked = 0

    async def all_at_once(self, name: str, payments: int) -> float:
        """Publish so many, and wait until all have succeeded and that is published. Seconds, by the server's clock."""
        started_at = await sql.clock(self.connection)
        events = [card_payment(f"{name}-{number}", AMOUNT_MINOR) for number in range(payments)]
        await publish(self._site.at.kafka, events)
        self._asked += payments
        ended_at = (await self.settled(self._asked))["moved_at"]
        return float((ended_at - started_at).total_seconds())

    async def settled(self, payments: int) -> asyncpg.Record:
        """Wait until so many have succeeded, and all that is to be published is."""
        moved, since = -1, time.monotonic()
        while True:
            paid = sum(row["payments"] for row in await sql.paid(self.connection, tenant=TENANT))
            now: asyncpg.Record = await sql.progress(self.connection, topic=TOPIC)
            if paid >= payments and now["all_published"]:
                return now
            if paid != moved:
                moved, since = paid, time.monotonic()
            elif time.monotonic() > since + STALLED_AFTER_S:
                raise BenchError(f"{paid} of {payments} payments succeeded; see {self._site.logs}")
            self._processes.check()
            await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _crew(site: Site, workers: int) -> AsyncIterator[_Crew]:
    connection = await connect(site.at.admin_url, application="counterfoil bench")
    settings = {"COUNTERFOIL_HTTP_PORT": "0", "COUNTERFOIL_SANDBOX_API_KEY": secrets.token_hex(16)}
    try:
        with Processes(site.logs, site.environment() | settings) as processes:
            port_file = site.logs / "sandbox.port"
            port_file.unlink(missing_ok=True)
            pids = {"sandbox": processes.start("sandbox", *SANDBOX, "--port-file", str(port_file))}
            port = await asyncio.to_thread(_port, port_file, processes)
            processes.environment["COUNTERFOIL_SANDBOX_URL"] = f"http://127.0.0.1:{port}"
            for number in range(1, workers + 1):
                name = f"worker-{number}"
                pids[name] = processes.start(name, *COUNTERFOIL, "worker")
            for role in ("relay", "gateway"):
                pids[role] = processes.start(role, *COUNTERFOIL, role)
            yield _Crew(site, connection, processes, pids)
    finally:
        await connection.close()


def _port(port_file: Path, processes: Processes) -> int:
    deadline = time.monotonic() + STALLED_AFTER_S
    while not port_file.exists():
        processes.check()
        if time.monotonic() > deadline:
            raise BenchError(f"the sandbox provider does not serve after {STALLED_AFTER_S} s")
        time.sleep(LOOK_EVERY_S)
    return int(port_file.read_text())


async def _latencies(kafka: str, orders: Orders) -> list[float]:
    """Seconds from when each was due to be published until its success was heard here; an open loop."""
    count = orders.rate * orders.seconds
    names = [f"slow-{number}" for number in range(count)]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    producer = create_producer(kafka)
    await consumer.start()
    await producer.start()
    try:
        partitions = [TopicPartition(ARRIVALS, number) for number in range(TOPICS[ARRIVALS].partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        listening = asyncio.create_task(_listen(consumer, frozenset(names)))
        start = time.time() + 0.1
        due = {name: start + number / orders.rate for number, name in enumerate(names)}
        for name, due_at in due.items():
            if (early_s := due_at - time.time()) > 0:
                await asyncio.sleep(early_s)
            event = card_payment(name, AMOUNT_MINOR)
            await producer.send(TOPIC, event.body, key=event.key)
        await producer.flush()
        came = await asyncio.wait_for(listening, STALLED_AFTER_S)
    except TimeoutError:
        raise BenchError(f"not all of {count} payments succeeded within {STALLED_AFTER_S} s") from None
    finally:
        await consumer.stop()
        await producer.stop()
    return [came[name] - due_at for name, due_at in due.items()]


async def _listen(consumer: AIOKafkaConsumer, names: frozenset[str]) -> dict[str, float]:
    came: dict[str, float] = {}
    while len(came) < len(names):
        told = orjson.loads((await consumer.getone()).value)
        order = told["data"].get("order_id")
        if told["type"] == SUCCEEDED and order in names:
            came.setdefault(order, time.time())
    return came
