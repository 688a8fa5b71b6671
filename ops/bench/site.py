"""Where a benchmark runs: an embedded stack of its own, made anew each time, or external servers still empty."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from db.connection import connect
from db.migrate import migrate
from db.queries import bench as sql
from ops.bench.errors import BenchError
from ops.bench.workload import TOPIC
from ops.embedded import Stack
from ops.endpoints import Places, places
from producers.kafka import create_topics
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ops.settings import Settings

FOLDER: Final = "bench"
"""Within the settings' folder; the demo's and a developer's own data stay as they are."""


@dataclass(frozen=True, slots=True)
class Site:
    """Empty servers with tables and topics. `pids` are the servers' root processes when they are ours."""

    at: Places
    logs: Path
    pids: Mapping[str, int]

    def environment(self) -> dict[str, str]:
        """What our processes need to find them."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.at.kafka,
            "DATABASE_URL": self.at.database_url,
            "DATABASE_ADMIN_URL": self.at.admin_url,
            "DATABASE_READ_URL": self.at.read_url,
        }


@contextmanager
def site(settings: Settings, tell: Callable[[str], None]) -> Iterator[Site]:
    """Servers for one benchmark.

    Raises:
        BenchError: the external servers were used before; what a benchmark writes could never be deleted there.
        EmbeddedStackError: the embedded stack does not come up.
    """
    folder = settings.counterfoil_folder / FOLDER
    if settings.external:
        at = places(settings)
        asyncio.run(_prepare(at))
        yield Site(at, folder / "logs", {})
        return
    stack = Stack(folder, owned=True)
    stack.reset()
    stack.up(tell)
    with stack:
        ends = stack.endpoints()
        at = Places(ends.kafka_bootstrap, ends.database_url, ends.admin_url, ends.read_url)
        asyncio.run(_prepare(at))
        yield Site(at, folder / "logs", {str(name): pid for name, pid in stack.pids().items()})


async def _prepare(at: Places) -> None:
    migrate(at.admin_url)
    await create_topics(at.kafka)
    connection = await connect(at.admin_url, application="counterfoil bench")
    try:
        if await sql.is_used(connection):
            raise BenchError(
                "the database holds messages: a benchmark takes an empty one, for its rows stay forever"
            )
    finally:
        await connection.close()
    if await _has_records(at.kafka):
        raise BenchError(
            f"{TOPIC} holds messages: a benchmark takes an empty Kafka, for it would take those in too"
        )


async def _has_records(kafka: str) -> bool:
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        partitions = [TopicPartition(TOPIC, number) for number in range(TOPICS[TOPIC].partitions)]
        return any((await consumer.end_offsets(partitions)).values())
