"""What the tests ask of a stack, and how they wait."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.embedded import Endpoints

TOPIC = "remembered"


async def remember(endpoints: Endpoints, text: str) -> None:
    """Write the text to PostgreSQL and to Kafka."""
    connection = await asyncpg.connect(endpoints.admin_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS remembered (text text)")
    await connection.execute("INSERT INTO remembered VALUES ($1)", text)
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=endpoints.kafka_bootstrap)
    await admin.start()
    if TOPIC not in await admin.list_topics():
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=endpoints.kafka_bootstrap, acks="all") as producer:
        await producer.send_and_wait(TOPIC, text.encode())


async def remembered(endpoints: Endpoints) -> list[str]:
    """The texts that PostgreSQL holds, and in the same order Kafka."""
    connection = await asyncpg.connect(endpoints.admin_url)
    rows = [row["text"] for row in await connection.fetch("SELECT text FROM remembered ORDER BY ctid")]
    await connection.close()
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=endpoints.kafka_bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        messages = [await asyncio.wait_for(consumer.getone(), 20) for _ in rows]
    assert [message.value.decode() for message in messages] == rows
    return rows


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Return when the condition holds; fail when it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
