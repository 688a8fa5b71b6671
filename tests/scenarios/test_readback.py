"""Kafka against the outbox: an event that was never committed, and a committed one that is missing, are both named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from ops.demo.readback import read_back
from producers.client import Client
from producers.kafka import create_producer
from tests.shop import fees, sale

if TYPE_CHECKING:
    from ops.demo.stage import Stage

pytestmark = pytest.mark.slow

TOPIC = "ledger.entries"
PASSED_OVER = "INSERT INTO outbox_batches VALUES (0, $1, 1, 'acme:p', $2, now())"
"""Below the relay's cursor, so it is never published."""


async def test_what_is_only_in_kafka_or_only_in_the_outbox_is_named(stage: Stage) -> None:
    async with Client(stage.at.kafka) as client:
        for body in (
            fees("readback-fees", merchant="readback"),
            sale("readback", "order-readback", merchant="readback"),
        ):
            await client.publish(body)
    await stage.play([], deadline_s=60)
    before = await read_back(stage.at.kafka, stage.at.database_url)
    assert before.verdict.ok
    assert before.events[TOPIC] > 0

    producer = create_producer(stage.at.kafka)
    await producer.start()
    await producer.send_and_wait(TOPIC, orjson.dumps({"id": "forged"}), key=b"acme:p")
    await producer.stop()
    admin = await asyncpg.connect(stage.at.admin_url)
    await admin.execute(PASSED_OVER, TOPIC, '{"id": "forgotten"}')
    await admin.close()

    after = await read_back(stage.at.kafka, stage.at.database_url)
    assert not after.verdict.ok
    assert after.verdict.offenders == [
        f"{TOPIC}: event forged of nobody from nowhere is in Kafka and was never committed",
        f"{TOPIC}: event forgotten of nobody from nowhere was committed and is not in Kafka",
    ]
