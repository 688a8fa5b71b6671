"""What the tests ask of Kafka: publish, read what came, and look at a group's offsets."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from producers.kafka import create_producer
from schemas.topics import GROUP, TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from aiokafka import ConsumerRecord

Place = tuple[str, int]


def places(*topics: str) -> list[TopicPartition]:
    """All partitions of topics."""
    return [TopicPartition(topic, number) for topic in topics for number in range(TOPICS[topic].partitions)]


async def publish(kafka: str, topic: str, messages: Iterable[tuple[str, bytes]]) -> None:
    """Publish keys and bodies, and wait until all are acknowledged."""
    async with create_producer(kafka) as producer:
        sent = [await producer.send(topic, body, key=key.encode()) for key, body in messages]
        await asyncio.gather(*sent)


async def ends(kafka: str, *topics: str) -> dict[TopicPartition, int]:
    """Where the topics end now."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(places(*topics))
        return found


async def records(
    kafka: str, since: dict[TopicPartition, int]
) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
    """What was written after `since`, partition by partition."""
    found: dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]] = {place: [] for place in since}
    until = await ends(kafka, *{place.topic for place in since})
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        consumer.assign(list(since))
        for place, offset in since.items():
            consumer.seek(place, offset)
        missing = sum(until[place] - offset for place, offset in since.items())
        while missing:
            for place, batch in (await consumer.getmany(timeout_ms=1000)).items():
                found[place] += batch
                missing -= len(batch)
    return found


async def committed(kafka: str, topic: str) -> dict[int, int]:
    """Partition -> the offset that the workers' group has committed."""
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, group_id=f"{GROUP}.{topic}", enable_auto_commit=False
    ) as consumer:
        return {place.partition: await consumer.committed(place) or 0 for place in places(topic)}


async def skip_to_the_end(kafka: str, *topics: str) -> None:
    """The workers' groups have read everything that other tests wrote. No worker may be running."""
    for topic in topics:
        async with AIOKafkaConsumer(
            bootstrap_servers=kafka, group_id=f"{GROUP}.{topic}", enable_auto_commit=False
        ) as consumer:
            consumer.assign(places(topic))
            await consumer.commit(await consumer.end_offsets(places(topic)))


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 120) -> None:
    """Return when the condition holds; TimeoutError when it does not within the time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.02)


def collect_lost_connections() -> None:
    """Let it be noticed here that aiokafka forgets connections whose broker died while they were made."""
    gc.collect()


@asynccontextmanager
async def stopping(role: Awaitable[None], stop: asyncio.Event) -> AsyncIterator[asyncio.Task[None]]:
    """A role that runs beside the test, and is told to stop at its end."""
    task = asyncio.ensure_future(role)
    assert isinstance(task, asyncio.Task)
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(120):
            await task
