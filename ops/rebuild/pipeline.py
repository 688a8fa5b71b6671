"""The engine's own pipeline at a recorded `now`: what `consumers.engine` does in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import asyncpg

from consumers.batch import Batch
from consumers.intake import Reader
from consumers.limits import UnforeseenError, foresee
from consumers.parking import Parking
from consumers.report import Report
from consumers.world import World
from db.ledger import Ledger
from db.queries import rebuild as sql
from db.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from consumers.intake import Record
    from handlers.needs import Key

    Connection = asyncpg.Connection[asyncpg.Record]

T = TypeVar("T")


class Pipeline:
    """Takes batches into a scratch database, one after the other. `refused` says what its guards did not let in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._readers: dict[str, Reader] = {}
        self._ledger = Ledger(stripe=0)
        self.refused: list[str] = []

    async def take_in(self, topic: str, records: Sequence[Record], now: datetime) -> None:
        """Take in a batch that was decided at `now`.

        The order of partitions within it is not recorded: what came too early waits, and is looked at again at once.
        """
        try:
            await self._transaction(topic, records, now)
        except asyncpg.PostgresError as error:
            self._ledger = Ledger(stripe=0)
            if len(records) == 1:
                record = records[0]
                place = f"{record.topic}/{record.partition}/{record.offset}"
                self.refused.append(f"{place} is refused by the database: {error}")
                return
            for record in records:
                await self.take_in(topic, [record], now)
        for row in await sql.waiting_topics(self._connection):
            while await self._look_again(row["topic"], now):
                continue

    def _reader(self, topic: str) -> Reader:
        if topic not in self._readers:
            self._readers[topic] = Reader(topic)
        return self._readers[topic]

    async def _transaction(self, topic: str, records: Sequence[Record], now: datetime) -> None:
        items = [self._reader(topic).read(record) for record in records]

        async def work(wallets: set[Key]) -> None:
            batch = Batch(topic, items)
            batch.writes.now = now
            await batch.look_up(self._connection)
            world = await World.load(self._connection, batch.candidates(), batch.writes, wallets)
            batch.settle(world, None)
            await foresee(self._connection, world)
            await batch.writes.flush(self._connection, self._ledger)
            await batch.advance(self._connection)

        await self._commit(work)

    async def _look_again(self, topic: str, now: datetime) -> int:
        async def work(wallets: set[Key]) -> int:
            writes = Writes(topic, now)
            await sql.hasten_parked(self._connection, topic=topic)
            parking = Parking(topic, self._reader(topic))
            left = await parking.retry(self._connection, writes, Report(topic, 0), wallets=wallets)
            if left:
                await writes.flush(self._connection, self._ledger)
            return left

        return await self._commit(work)

    async def _commit(self, work: Callable[[set[Key]], Awaitable[T]]) -> T:
        """Do it in a transaction; again, with the wallets that it turns out to take from."""
        wallets: set[Key] = set()
        while True:
            try:
                async with self._connection.transaction():
                    done = await work(wallets)
            except UnforeseenError as error:
                wallets.update(error.wallets)
            else:
                self._ledger.committed()
                return done
