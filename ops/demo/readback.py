"""Kafka against the outbox: whether what was committed was published, and nothing else (law 4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from db.connection import connect
from db.queries import demo as sql
from ops.checks import Verdict
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka import ConsumerRecord

NAMED_AT_MOST: Final = 20
RELAYED: Final = (
    *(topic.name for topic in TOPICS.values() if topic.direction in {"out", "dead"}),
    "provider.results",
    "webhook.events",
)
"""Topics that the relay alone writes to."""


@dataclass(frozen=True, slots=True)
class Readback:
    """What the topics hold: events by topic, each counted once, and how many were there more than once."""

    events: Counter[str]
    repeated: int
    verdict: Verdict


Identity = tuple[str, str, str, str]
"""Topic, tenant, source and id: a provider tells each of its endpoints under the same id."""


def _identity(topic: str, body: bytes | str) -> Identity:
    event = orjson.loads(body)
    return topic, event.get("tenant", "nobody"), event.get("source", "nowhere"), event["id"]


def _named(event: Identity) -> str:
    topic, tenant, source, event_id = event
    return f"{topic}: event {event_id} of {tenant} from {source}"


async def read_back(kafka: str, database_url: str) -> Readback:
    """Compare the events in Kafka with those in the outbox."""
    committed = await _committed(database_url)
    found: Counter[Identity] = Counter()
    async for record in records_of(kafka, RELAYED):
        found[_identity(record.topic, record.value or b"")] += 1
    missing, foreign = committed.keys() - found.keys(), found.keys() - committed.keys()
    offenders = [
        *(f"{_named(event)} was committed and is not in Kafka" for event in missing),
        *(f"{_named(event)} is in Kafka and was never committed" for event in foreign),
        *(f"{_named(event)} was committed {times} times" for event, times in committed.items() if times > 1),
    ]
    verdict = Verdict(
        law=4,
        title="What was committed is in Kafka, and nothing else",
        ok=not offenders,
        checked=len(found),
        offenders=sorted(offenders)[:NAMED_AT_MOST],
        broken=len(offenders),
    )
    return Readback(Counter(topic for topic, *_ in found), found.total() - len(found), verdict)


async def records_of(kafka: str, topics: Iterable[str]) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Everything that the topics hold now, in the order of each partition.

    Raises:
        KafkaError: the broker is away.
    """
    partitions = [
        TopicPartition(topic, number) for topic in topics for number in range(TOPICS[topic].partitions)
    ]
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign(partitions)
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        left = {place for place in partitions if ends[place] > first[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                for record in records:
                    if record.offset < ends[place]:
                        yield record
                if records and records[-1].offset + 1 >= ends[place]:
                    left.discard(place)


async def _committed(database_url: str) -> Counter[Identity]:
    ids: Counter[Identity] = Counter()
    connection: Any = await connect(database_url, application="counterfoil readback")
    try:
        async with connection.transaction(), sql.committed_events_cursor(connection) as batches:
            async for batch in batches:
                ids.update(_identity(batch["topic"], event) for event in batch["payloads"].split("\n"))
    finally:
        await connection.close()
    return ids
