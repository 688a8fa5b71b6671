"""The one way in which we write to Kafka: acknowledged by all replicas, idempotent, in order per key."""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.topics import TOPICS

MAX_REQUEST_BYTES: Final = 4 * 2**20
"""A dead letter holds a whole message in base64."""
COMPRESSION: Final = "snappy"
"""On the wire and in Kafka's log: a quarter of the bytes, for half the broker's time (docs/adr/0013)."""
CONTENT_TYPE_HEADER: Final = ("content-type", b"application/cloudevents+json")


def create_producer(kafka: str, *, compression: str | None = COMPRESSION) -> AIOKafkaProducer:
    """A producer, not started. `compression` is one of Kafka's codecs, None for none."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        compression_type=compression,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=MAX_REQUEST_BYTES,
        request_timeout_ms=30_000,
    )


async def create_topics(kafka: str, *, replication: int = 1) -> list[str]:
    """Create what the registry names and Kafka lacks; returns the names created.

    Raises:
        KafkaError: the broker refused.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        missing = [topic for name, topic in TOPICS.items() if name not in set(await admin.list_topics())]
        if not missing:
            return []
        answer = await admin.create_topics(
            [
                NewTopic(
                    topic.name,
                    topic.partitions,
                    replication,
                    topic_configs={
                        "retention.ms": str(topic.retention_ms),
                        "max.message.bytes": str(MAX_REQUEST_BYTES),
                    },
                )
                for topic in missing
            ]
        )
        for name, code, detail in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"{name}: {detail}")
    finally:
        await admin.close()
    return [topic.name for topic in missing]
