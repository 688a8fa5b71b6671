"""How far everything has come, and what is still under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from db.connection import connect
from db.queries import demo as sql
from schemas.topics import INBOUND, TOPICS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import asyncpg

WATCHED: Final = ("checkout.events", "ledger.commands")
"""What comes from outside; the rest follows."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One look. `behind` counts the records in Kafka that are not taken in, of every inbound topic."""

    taken_in: int
    applied: int
    parked: int
    calls_open: int
    calls_unknown: int
    timers_due: int
    unpublished: int
    published: int
    behind: int

    def under_way(self) -> list[str]:
        """What is not settled, in words; nothing when all is."""
        counts = {
            "records in Kafka are not taken in": self.behind,
            "messages are parked": self.parked,
            "provider calls are open": self.calls_open,
            "timers are due": self.timers_due,
            "events are not published": self.unpublished,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]


class Lookout:
    """Looks at the database and at Kafka; a look that fails with a server can be tried again."""

    def __init__(self, kafka: str, database_url: str) -> None:
        self._database_url = database_url
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._partitions = [
            TopicPartition(topic, number) for topic in INBOUND for number in range(TOPICS[topic].partitions)
        ]

    async def look(self) -> Standing:
        """The database first, on one snapshot, then Kafka: what is settled by both looks had nothing left to follow.

        Raises:
            KafkaError: the broker is away.
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database is.
        """
        try:
            row, taken = await self._in_database()
        except BaseException:
            self._forget()
            raise
        ends = await self._consumer.end_offsets(self._partitions)
        behind = sum(end - taken.get((place.topic, place.partition), 0) for place, end in ends.items())
        return Standing(behind=behind, **row)

    async def _in_database(self) -> tuple[asyncpg.Record, dict[tuple[str, int], int]]:
        if self._connection is None:
            self._connection = await connect(self._database_url, application="counterfoil lookout")
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            row = await sql.standing(self._connection, topics=WATCHED)
            places = await sql.taken_in_up_to(self._connection)
        return row, {(place["topic"], place["partition"]): place["next_offset"] for place in places}

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()
        await self._consumer.stop()
