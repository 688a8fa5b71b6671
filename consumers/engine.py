"""The one pipeline that every topic's messages go through; the life of a message in docs/architecture.md is this file.

    read -> ONE transaction: lock intake, look up the inbox, load and lock the world, judge each in order, write in bulk
         -> COMMIT. The subscriber commits the offsets afterwards.

A batch that the database refuses is halved until the message that it refuses is alone; that one becomes a dead
letter. A server that is away is waited for: nothing is skipped, and Kafka keeps the rest (backpressure).
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import asyncpg
import structlog
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from consumers.batch import Batch
from consumers.intake import Reader
from consumers.limits import UnforeseenError, foresee
from consumers.parking import Parking
from consumers.report import Report
from consumers.world import World
from db.connection import LOST_RACE, RETRYABLE, UNFIT, UNREACHABLE, connect
from db.ledger import Ledger
from db.queries import engine as sql
from db.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tenacity import RetryCallState

    from consumers.intake import Incoming, Record, Unreadable
    from consumers.report import Observer
    from handlers.needs import Key

    Connection = asyncpg.Connection[asyncpg.Record]
    Item = Incoming | Unreadable
    Work = Callable[[Connection, set[Key]], Awaitable["T"]]

T = TypeVar("T")
log = structlog.get_logger()

TRIES_AT_ONCE: Final = 6
"""Tries of a transaction that lost a race, before its batch is halved."""
WAIT_AT_MOST_S: Final = 5
"""Between two attempts to reach a database that is away."""
LIMIT_GUARD: Final = "wallet_limits_hold"
"""The constraint of 0012_accounts.sql that has the last word on limits."""
MAX_DETAIL: Final = 500
"""Characters of an error that a dead letter tells."""


class Engine:
    """Takes in one topic over one connection; safe to run beside any number of others."""

    def __init__(self, topic: str, database_url: str, observer: Observer) -> None:
        self.topic = topic
        self._url = database_url
        self._observer = observer
        self._reader = Reader(topic)
        self._parking = Parking(topic, self._reader)
        self._connection: Connection | None = None
        self._ledger = Ledger(stripe=0)
        self._turn = asyncio.Lock()

    async def handle(self, records: Sequence[Record]) -> None:
        """Take in a batch. When this returns, every record of it is accounted for in a committed transaction."""
        items = [self._reader.read(record) for record in records]
        async with self._turn:
            await self._settle(items)

    async def retry_parked(self) -> int:
        """Look again at waiting messages that are due. Returns how many waited no longer."""
        async with self._turn:
            try:
                reports = [await self._persist(self._retry_parked)]
            except Exception:
                log.exception("parked messages cannot be handled together", topic=self.topic)
                due = await self._persist(lambda connection, _: self._parking.due(connection))
                reports = [await self._retry_alone(parked_id) for parked_id in due]
        left = [report for report in reports if report.size]
        for report in left:
            self._observer.committed(report)
        return sum(report.size for report in left)

    async def _retry_alone(self, parked_id: int) -> Report:
        """One parked message by itself; when the database refuses even that, it is set aside."""
        try:
            return await self._persist(partial(self._retry_parked, only=parked_id), alone=True)
        except LOST_RACE:
            return Report(self.topic, 0)  # it is still parked, and still due
        except Exception as error:
            log.exception("parked message cannot be handled", topic=self.topic)
            refusal = _told(error)
            return await self._persist(partial(self._retry_parked, only=parked_id, refusal=refusal))

    async def close(self) -> None:
        """Give up the connection, after the batch under way."""
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _settle(self, items: Sequence[Item]) -> None:
        """Commit the items, in order, in as few transactions as the database allows."""
        if len(items) == 1:
            self._observer.committed(await self._settle_alone(items))
            return
        try:
            report = await self._persist(partial(self._take_in, items=items))
        except Exception:  # noqa: BLE001 - whichever message it is that is refused, it will be found alone
            self._observer.retried(self.topic, "halved")
            middle = len(items) // 2
            await self._settle(items[:middle])
            await self._settle(items[middle:])
            return
        self._observer.committed(report)

    async def _settle_alone(self, items: Sequence[Item]) -> Report:
        """One message, which is set aside when the database refuses it; a lost race is no refusal."""
        refusal: str | None = None
        while True:
            try:
                return await self._persist(partial(self._take_in, items=items, refusal=refusal), alone=True)
            except LOST_RACE:
                continue
            except Exception as error:
                log.exception("message cannot be handled", topic=self.topic, offset=items[0].record.offset)
                if refusal is not None:
                    # Not even a dead letter: to go on would lose the message, so its partition stands still.
                    await asyncio.sleep(WAIT_AT_MOST_S)
                refusal = _told(error)

    async def _persist(self, work: Work[T], *, alone: bool = False) -> T:
        """Run a transaction's work until it is committed: again after a lost race, patiently in an outage.

        It is given the wallets to lock beside those that its messages name, which it finds out (UnforeseenError).
        For a message `alone`, a limit that only the database sees is a race: its wallet was opened meanwhile.
        """
        races = AsyncRetrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, RETRYABLE) or (alone and _is_limit(error))
            ),
            stop=stop_after_attempt(TRIES_AT_ONCE),
            wait=wait_random_exponential(multiplier=0.01, max=0.5),
            before_sleep=lambda _: self._observer.retried(self.topic, "race"),
            reraise=True,
        )
        outages = AsyncRetrying(
            retry=retry_if_exception_type((*UNREACHABLE, *UNFIT)),
            wait=wait_random_exponential(multiplier=0.1, max=WAIT_AT_MOST_S),
            before_sleep=self._lost,
        )
        wallets: set[Key] = set()
        # `once` and tenacity's objects refer to themselves and stay until a collection; the batch must not stay too.
        held = [work]

        async def once() -> T:
            connection = await self._connected()
            try:
                async with connection.transaction():
                    done = await held[0](connection, wallets)
            except UnforeseenError as error:
                wallets.update(error.wallets)
                self._observer.retried(self.topic, "wallets")
                return await once()
            except BaseException:
                self._ledger = Ledger(self._ledger.stripe)  # it may know accounts that were rolled back
                raise
            self._ledger.committed()
            return done

        async def through_races() -> T:
            return await races(once)

        try:
            return await outages(through_races)
        finally:
            held.clear()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._url, application=f"counterfoil worker {self.topic}", by_key=True
            )
            stripe = await sql.claim_stripe(self._connection)
            self._ledger = Ledger(0 if stripe is None else stripe)
        return self._connection

    def _lost(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("database away, trying again", topic=self.topic, error=f"{type(error).__name__}: {error}")
        self._observer.retried(self.topic, "database_away")
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()
        self._connection = None

    async def _take_in(
        self, connection: Connection, wallets: set[Key], *, items: Sequence[Item], refusal: str | None = None
    ) -> Report:
        """One transaction's worth. With `refusal`, the one message is set aside instead of judged."""
        started = time.perf_counter()
        batch = Batch(self.topic, items)
        await batch.look_up(connection)
        world = await World.load(connection, batch.candidates(), batch.writes, wallets)
        batch.settle(world, refusal)
        await foresee(connection, world)
        await batch.writes.flush(connection, self._ledger)
        await batch.advance(connection)
        batch.report.seconds = time.perf_counter() - started
        return batch.report

    async def _retry_parked(
        self,
        connection: Connection,
        wallets: set[Key],
        *,
        only: int | None = None,
        refusal: str | None = None,
    ) -> Report:
        started = time.perf_counter()
        writes = Writes(self.topic, datetime.now(UTC))
        report = Report(self.topic, 0)
        report.size = await self._parking.retry(
            connection, writes, report, wallets=wallets, only=only, refusal=refusal
        )
        if report.size:
            await writes.flush(connection, self._ledger)
        report.seconds = time.perf_counter() - started
        return report


def _is_limit(error: BaseException) -> bool:
    """Whether the guard of wallets has refused what no rule did."""
    return isinstance(error, asyncpg.CheckViolationError) and error.constraint_name == LIMIT_GUARD


def _told(error: Exception) -> str:
    """An error as a dead letter's detail."""
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:MAX_DETAIL]
