"""How a topic's records reach its engine: FastStream with the defaults that lose money turned off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from consumers.engine import Engine
from consumers.intake import Record
from schemas.topics import GROUP

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord
    from faststream.kafka import KafkaBroker

    from consumers.report import Observer

log = structlog.get_logger()

MAX_POLL_INTERVAL_MS: Final = 600_000
"""How long a batch may take, waits for an absent database included, before Kafka gives its partitions to another."""

EMPTY_POLL_MS: Final = 10
"""After a poll that found nothing FastStream sleeps as long again, and what comes meanwhile waits."""


def subscribe(
    broker: KafkaBroker,
    topic: str,
    database_url: str,
    observer: Observer,
    *,
    batch_size: int,
    failure: asyncio.Future[None],
    instance: str | None = None,
) -> Engine:
    """Attach an engine to a topic. Offsets are committed explicitly, partition by partition, after the transaction.

    `failure` gets what the engine should never raise; nothing is taken in after that, for FastStream goes on with the
    next batch, whose offsets would pass over this one. `instance` makes the group membership static, so that a quick
    restart moves no partitions.
    """
    engine = Engine(topic, database_url, observer)
    subscriber = broker.subscriber(
        topic,
        batch=True,
        group_id=f"{GROUP}.{topic}",
        group_instance_id=f"{topic}.{instance}" if instance else None,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        max_records=batch_size,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        fetch_max_wait_ms=100,
        batch_timeout_ms=EMPTY_POLL_MS,
        parser=_as_they_came,
        decoder=_as_it_came,
    )

    @subscriber
    async def take_in(message: KafkaMessage) -> None:
        if failure.done():
            return
        records: tuple[ConsumerRecord[bytes, bytes], ...] = message.raw_message
        try:
            await engine.handle([record_of(record) for record in records])
            await _commit(subscriber.consumer, records)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends the worker
            failure.set_exception(error)

    return engine


def record_of(record: ConsumerRecord[bytes, bytes]) -> Record:
    """The record without aiokafka; a tombstone has an empty body."""
    headers = {_text(name.encode()): _text(value or b"") for name, value in record.headers}
    return Record(record.topic, record.partition, record.offset, record.key, headers, record.value or b"")


def _text(raw: bytes) -> str:
    """Bytes as text that a database can keep: a header is not worth stopping a partition for."""
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


async def _commit(consumer: Any, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
    """Tell Kafka how far we are. Failing is normal in a rebalance: the next owner starts earlier, the inbox knows."""
    # A partition's records come in their order, so its last one is where we are.
    ends = {(record.topic, record.partition): record.offset + 1 for record in records}
    try:
        await consumer.commit({TopicPartition(*place): end for place, end in ends.items()})
    except (CommitFailedError, IllegalStateError, KafkaError) as error:
        log.info("offsets not committed", error=type(error).__name__)


async def _as_they_came(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """No parsing here: FastStream's own decodes every header, and a batch with one that is no UTF-8 would be lost."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _as_it_came(message: Any) -> Any:
    """No decoding here: the engine reads the raw records."""
    return message.body
