"""The scheduler: timers due by their tenant's clock become messages, at least once, with one id."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from aiokafka.errors import KafkaError

from db.connection import UNFIT, UNREACHABLE
from db.queries import delivery as sql
from producers.kafka import create_producer
from producers.leadership import leading, pause
from schemas.outgoing import Cause, encode, partition_key

if TYPE_CHECKING:
    import asyncpg
    from aiokafka import AIOKafkaProducer

log = structlog.get_logger()

TOPIC: Final = "timer.events"
TIMER_DUE: Final = "timer.due.v1"
SOURCE: Final = "/counterfoil/timers"
TIMERS_AT_ONCE: Final = 1000
LOOK_EVERY_S: Final = 0.2
AFTER_TROUBLE_S: Final = 0.5


class SchedulerObserver(Protocol):
    """Who wants to know."""

    def fired(self, timers: int) -> None:
        """So many timers are in Kafka; zero is told, too."""

    def stands_by(self) -> None:
        """Another one leads; this one is well."""


async def run_scheduler(
    kafka: str, database_url: str, observer: SchedulerObserver, stop: asyncio.Event
) -> None:
    """Publish due timers until told to stop; starts over after any trouble with Kafka or PostgreSQL."""
    while not stop.is_set():
        try:
            async with leading(database_url, "scheduler", stop, observer.stands_by) as connection:
                if connection is not None:
                    await _lead(kafka, connection, observer, stop)
        except (*UNREACHABLE, *UNFIT, KafkaError) as error:
            log.warning("scheduler starts over", error=f"{type(error).__name__}: {error}")
            await pause(stop, AFTER_TROUBLE_S)


async def _lead(
    kafka: str,
    connection: asyncpg.Connection[asyncpg.Record],
    observer: SchedulerObserver,
    stop: asyncio.Event,
) -> None:
    producer = create_producer(kafka)
    try:
        await producer.start()
        while not stop.is_set():
            fired = await fire_due(connection, producer)
            observer.fired(fired)
            if fired < TIMERS_AT_ONCE:
                await pause(stop, LOOK_EVERY_S)
    finally:
        await producer.stop()


async def fire_due(connection: asyncpg.Connection[asyncpg.Record], producer: AIOKafkaProducer) -> int:
    """Publish the timers that are due now, oldest first, then mark them; returns how many."""
    rows = await sql.due_timers(connection, most=TIMERS_AT_ONCE)
    if not rows:
        return 0
    sent = []
    for row in rows:
        data = {
            name: row[name] for name in ("timer_id", "kind", "payment_id", "order_id", "object_id", "due_at")
        }
        cause = Cause(row["tenant"], SOURCE, str(row["timer_id"]), row["causation"])
        payload = encode(cause, TIMER_DUE, 0, row["order_id"], row["now_at"], data)
        sent.append(
            await producer.send(TOPIC, payload, key=partition_key(row["tenant"], row["order_id"]).encode())
        )
    await asyncio.gather(*sent)
    await sql.timers_published(
        connection, tenants=[row["tenant"] for row in rows], timer_ids=[row["timer_id"] for row in rows]
    )
    return len(rows)
