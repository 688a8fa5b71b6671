"""Servers for one run: an embedded stack of its own, made anew, or external servers that are still empty."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from db.connection import connect
from db.migrate import migrate
from db.queries import demo as sql
from ops.embedded import Stack
from ops.endpoints import Places, places
from producers.kafka import create_topics
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ops.settings import Settings

CHECKED_TOPIC: Final = "checkout.events"


class SiteInUseError(Exception):
    """The external servers hold messages: what a run writes could never be deleted there."""


@contextmanager
def site(
    settings: Settings, folder: Path, tell: Callable[[str], None], *, keep: bool = False
) -> Iterator[Places]:
    """Servers with tables and topics. The embedded stack in `folder` begins empty, and ends with the block.

    External servers must be empty, unless `keep` says that what they hold shall stay and be counted too.

    Raises:
        SiteInUseError: they are not.
        EmbeddedStackError: the embedded stack does not come up.
    """
    if settings.external:
        at = places(settings)
        asyncio.run(_prepare(at, keep=keep))
        yield at
        return
    stack = Stack(folder, owned=True)
    stack.reset()
    stack.up(tell)
    with stack:
        ends = stack.endpoints()
        at = Places(ends.kafka_bootstrap, ends.database_url, ends.admin_url, ends.read_url)
        asyncio.run(_prepare(at, keep=False))
        yield at


def environment(at: Places) -> dict[str, str]:
    """What our processes need to find the servers."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": at.kafka,
        "DATABASE_URL": at.database_url,
        "DATABASE_ADMIN_URL": at.admin_url,
        "DATABASE_READ_URL": at.read_url,
        "COUNTERFOIL_HTTP_PORT": "0",
    }


async def _prepare(at: Places, *, keep: bool) -> None:
    migrate(at.admin_url)
    await create_topics(at.kafka)
    if keep:
        return
    connection = await connect(at.database_url, application="counterfoil site")
    try:
        used = await sql.is_used(connection)
    finally:
        await connection.close()
    if used:
        raise SiteInUseError("the database holds messages")
    async with AIOKafkaConsumer(bootstrap_servers=at.kafka) as consumer:
        partitions = [
            TopicPartition(CHECKED_TOPIC, number) for number in range(TOPICS[CHECKED_TOPIC].partitions)
        ]
        if any((await consumer.end_offsets(partitions)).values()):
            raise SiteInUseError(f"{CHECKED_TOPIC} holds messages, which workers would take in too")
