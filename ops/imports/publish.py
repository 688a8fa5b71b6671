"""Sends an import's events to Kafka."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Final

from ops.imports.events import TOPIC
from producers.kafka import CONTENT_TYPE_HEADER, create_producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ops.imports.events import Outgoing

AT_ONCE: Final = 1000
"""Events that wait for Kafka's acknowledgement together."""


async def publish(kafka: str, messages: Iterable[Outgoing], acknowledged: Callable[[int], None]) -> int:
    """Send all, in order for each key; tells how many more are acknowledged. Returns how many were sent.

    Raises:
        KafkaError: the broker did not take them; sending the same file again is safe.
    """
    source = iter(messages)
    total = 0
    producer = create_producer(kafka)
    await producer.start()
    try:
        while chunk := list(islice(source, AT_ONCE)):
            await asyncio.gather(
                *[
                    await producer.send(
                        TOPIC, message.body, key=message.key.encode(), headers=[CONTENT_TYPE_HEADER]
                    )
                    for message in chunk
                ]
            )
            total += len(chunk)
            acknowledged(len(chunk))
    finally:
        await producer.stop()
    return total
