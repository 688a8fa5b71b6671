"""The group commit: whatever came while the last transaction was under way shares the next one.

    requests wait -> ONE transaction: raw rows, those that are new into the outbox -> COMMIT -> all are answered

A request is told that it is kept only after its COMMIT was answered. When that answer is lost, the provider sends the
webhook again, and the row that may be there makes it a repeat. One transaction at a time is measured to be enough: a
second would halve what they share.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

import asyncpg
import structlog

from db.connection import LOST_RACE, UNFIT, UNREACHABLE, connect
from db.outbox import as_lines
from db.queries import delivery
from db.queries import webhooks as sql
from producers.ingress.publishing import TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from db.connection import Connection
    from producers.ingress.publishing import Received

    Identity = tuple[UUID, bytes]
    Waiting = tuple[Received, asyncio.Future[bool]]

log = structlog.get_logger()

ROWS_AT_ONCE: Final = 1000
BYTES_AT_ONCE: Final = 8 * 2**20
MOST_TRIES: Final = 4
"""Of one transaction that loses a race."""
CONNECT_WITHIN_S: Final = 5
LOOK_EVERY_S: Final = 2
"""Without a webhook to keep, whether one could be."""
AFTER_TROUBLE_S: Final = 0.25


class NotKeptError(Exception):
    """It may not be durable, so the sender has to send it again."""


class StorageObserver(Protocol):
    """Who wants to know."""

    def committed(self, webhooks: int, repeated: int, seconds: float) -> None:
        """So many requests shared a transaction; so many of them were there already."""

    def alive(self) -> None:
        """Webhooks were kept, or could have been."""


class Storage:
    """Keeps webhooks in PostgreSQL. `run` beside the calls of `keep`."""

    def __init__(self, database_url: str, observer: StorageObserver, within_s: float) -> None:
        self._database_url = database_url
        self._observer = observer
        self._within_s = within_s
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue()

    async def keep(self, received: Received) -> bool:
        """Returns when it is durable, with its messages in the outbox: whether it was new.

        Raises:
            NotKeptError: not within the time, or the database is away or would not have it.
        """
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((received, kept))
        try:
            async with asyncio.timeout(self._within_s):
                return await kept
        except TimeoutError:
            raise NotKeptError("not within the time") from None

    async def run(self) -> None:
        """Keep what comes until cancelled; that a database is away is told to all who wait, and it is looked for."""
        while True:
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    connection = await connect(
                        self._database_url, application="counterfoil ingress", by_key=True
                    )
                try:
                    await self._serve(connection)
                finally:
                    connection.terminate()
            except (*UNREACHABLE, *UNFIT) as error:
                log.warning("ingress starts over", error=f"{type(error).__name__}: {error}")
                _fail(self._waiting_now(), error)
                await asyncio.sleep(AFTER_TROUBLE_S)

    async def _serve(self, connection: Connection) -> None:
        while True:
            batch = await self._next()
            if not batch:
                async with asyncio.timeout(self._within_s):
                    if await sql.in_touch(connection):
                        self._observer.alive()
                continue
            try:
                await self._write(connection, batch)
            except (*UNREACHABLE, *UNFIT) as error:
                _fail(batch, error)
                raise

    async def _next(self) -> list[Waiting]:
        """All that wait, within the limits; nothing after LOOK_EVERY_S without any."""
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                batch = [await self._queue.get()]
        except TimeoutError:
            return []
        size = len(batch[0][0].body)
        while not self._queue.empty() and len(batch) < ROWS_AT_ONCE and size < BYTES_AT_ONCE:
            one = self._queue.get_nowait()
            size += len(one[0].body)
            batch.append(one)
        return [one for one in batch if not one[1].done()]

    def _waiting_now(self) -> list[Waiting]:
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    async def _write(self, connection: Connection, batch: Sequence[Waiting]) -> None:
        """All of them, or each that the database would have. Raises what UNREACHABLE and UNFIT name."""
        started = perf_counter()
        try:
            async with asyncio.timeout(self._within_s):
                new = await _commit(connection, [received for received, _ in batch])
        except (*UNREACHABLE, *UNFIT):
            raise
        except asyncpg.PostgresError as error:
            # One of them cannot be kept; the others shall not suffer.
            if len(batch) == 1:
                log.exception("webhook cannot be kept", webhook_id=str(batch[0][0].webhook_id))
                _fail(batch, error)
                return
            middle = len(batch) // 2
            await self._write(connection, batch[:middle])
            await self._write(connection, batch[middle:])
            return
        repeated = 0
        for received, kept in batch:
            is_new = received.identity in new
            new.discard(received.identity)  # the second of two in one batch is a repeat
            repeated += not is_new
            if not kept.done():
                kept.set_result(is_new)
        self._observer.committed(len(batch), repeated, perf_counter() - started)
        self._observer.alive()


async def _commit(connection: Connection, batch: Sequence[Received]) -> set[Identity]:
    """One transaction, again when it loses a race. Returns which are new."""
    for _ in range(MOST_TRIES - 1):
        try:
            return await _transaction(connection, batch)
        except LOST_RACE as error:
            log.warning("webhooks are written again", error=type(error).__name__)
    return await _transaction(connection, batch)


async def _transaction(connection: Connection, batch: Sequence[Received]) -> set[Identity]:
    async with connection.transaction():
        rows = await sql.keep_webhooks(
            connection,
            tenants=[one.endpoint.tenant for one in batch],
            webhook_ids=[one.webhook_id for one in batch],
            digests=[one.digest for one in batch],
            providers=[one.endpoint.provider for one in batch],
            accounts=[one.endpoint.account for one in batch],
            received_ats=[one.received_at for one in batch],
            headers=[one.headers for one in batch],
            bodies=[one.body for one in batch],
            event_ids=["\n".join(one.event_ids) for one in batch],
            unreadables=[one.unreadable for one in batch],
        )
        new = {(row["webhook_id"], row["body_sha256"]) for row in rows}
        told = {one.identity: one for one in batch if one.identity in new}.values()
        keys = [key for one in told for key in one.keys]
        if keys:
            lines = as_lines(keys, [payload for one in told for payload in one.payloads])
            await delivery.add_to_outbox(
                connection, topic=TOPIC, events=len(keys), keys=lines[0], payloads=lines[1]
            )
    return new


def _fail(batch: Sequence[Waiting], error: Exception) -> None:
    for _, kept in batch:
        if not kept.done():
            kept.set_exception(NotKeptError(type(error).__name__))
            kept.exception()  # whoever asked may have gone
