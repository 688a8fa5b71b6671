"""The outbox relay: what is committed is published, in order per key, at least once (law 4).

The outbox is read up to the id below which nothing can still be committed (`settled_batch_id`, docs/adr/0002), and the
cursor moves only after Kafka has acknowledged. A crash in between publishes the same events again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from zlib import crc32

import structlog
from aiokafka.errors import KafkaError

from db.connection import UNFIT, UNREACHABLE
from db.outbox import OUTBOX_CHANNEL
from db.queries import delivery as sql
from producers.kafka import create_producer
from producers.leadership import leading, pause
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder
    from aiokafka.structs import RecordMetadata

    Place = tuple[str, int]

log = structlog.get_logger()

BATCHES_AT_ONCE: Final = 16
LOOK_EVERY_S: Final = 0.25
"""Without a NOTIFY; one may get lost with a connection."""
AFTER_TROUBLE_S: Final = 0.5


class RelayObserver(Protocol):
    """Who wants to know."""

    def led(self, *, leading: bool) -> None:
        """This relay leads, or no longer does."""

    def published(self, counts: Counter[str], age_seconds: float) -> None:
        """Events per topic were acknowledged; the oldest of them had waited this long. Nothing to do is told, too."""


async def run_relay(kafka: str, database_url: str, observer: RelayObserver, stop: asyncio.Event) -> None:
    """Publish until told to stop; starts over after any trouble with Kafka or PostgreSQL."""
    while not stop.is_set():
        try:
            await _lead(kafka, database_url, observer, stop)
        except (*UNREACHABLE, *UNFIT, KafkaError) as error:
            log.warning("relay starts over", error=f"{type(error).__name__}: {error}")
            await pause(stop, AFTER_TROUBLE_S)
        finally:
            observer.led(leading=False)


async def _lead(kafka: str, database_url: str, observer: RelayObserver, stop: asyncio.Event) -> None:
    stands_by = partial(observer.led, leading=False)
    async with leading(database_url, "relay", stop, stands_by, by_key=True) as connection:
        if connection is None:
            return
        producer = create_producer(kafka)
        try:
            await producer.start()
            observer.led(leading=True)
            woken = asyncio.Event()
            await connection.add_listener(OUTBOX_CHANNEL, lambda *_: woken.set())
            cursor: int = await sql.relay_cursor(connection)
            while not stop.is_set():
                woken.clear()
                moved = await _publish_next(connection, producer, cursor, observer)
                if moved is None:
                    await _wait(woken, stop)
                else:
                    cursor = moved
        finally:
            await producer.stop()


async def _publish_next(
    connection: asyncpg.Connection[asyncpg.Record],
    producer: AIOKafkaProducer,
    cursor: int,
    observer: RelayObserver,
) -> int | None:
    """Publish the next batches whole; returns the new cursor, or None when there was nothing to publish."""
    up_to = await sql.settled_batch_id(connection)
    rows = await sql.unpublished(connection, after=cursor, up_to=up_to, most=BATCHES_AT_ONCE)
    if not rows:
        observer.published(Counter(), 0.0)
        return None
    counts = await _send(producer, rows)
    moved: int = rows[-1]["batch_id"]
    await sql.move_cursor(connection, batch_id=moved, published=counts.total())
    age = (datetime.now(UTC) - rows[0]["created_at"]).total_seconds()
    observer.published(counts, age)
    return moved


async def _send(producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> Counter[str]:
    """Build each partition's batches ourselves: a future for each batch, not for each event."""
    counts: Counter[str] = Counter()
    building: dict[Place, BatchBuilder] = {}
    acknowledged: list[asyncio.Future[RecordMetadata]] = []
    for row in rows:
        topic: str = row["topic"]
        partitions = TOPICS[topic].partitions
        keys = row["keys"].encode().split(b"\n")
        for key, payload in zip(keys, row["payloads"].split(b"\n"), strict=True):
            place = (topic, crc32(key) % partitions)
            batch = building.get(place)
            if batch is None:
                batch = building[place] = producer.create_batch()
            if batch.append(timestamp=None, key=key, value=payload) is None:
                acknowledged.append(await _hand_over(producer, batch, place))
                batch = building[place] = producer.create_batch()
                if batch.append(timestamp=None, key=key, value=payload) is None:
                    acknowledged.append(await producer.send(topic, payload, key=key, partition=place[1]))
        counts[topic] += row["events"]
    for place, batch in building.items():
        if batch.record_count():
            acknowledged.append(await _hand_over(producer, batch, place))
    await asyncio.gather(*acknowledged)
    return counts


async def _hand_over(
    producer: AIOKafkaProducer, batch: BatchBuilder, place: Place
) -> asyncio.Future[RecordMetadata]:
    """Close the batch: an open one would linger for more, and hold its partition's next one back."""
    topic, partition = place
    batch.close()
    accepted: asyncio.Future[RecordMetadata] = await producer.send_batch(batch, topic, partition=partition)
    return accepted


async def _wait(woken: asyncio.Event, stop: asyncio.Event) -> None:
    """Until something is in the outbox, it is time to look, or we are to stop."""
    waits = [asyncio.create_task(woken.wait()), asyncio.create_task(stop.wait())]
    _, pending = await asyncio.wait(waits, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()
