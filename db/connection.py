"""Connections: one dialect of asyncpg for the whole system, and which errors mean what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts from here, in microseconds."""
MICROSECOND: Final = timedelta(microseconds=1)

LOOKUP_BY_KEY: Final = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""The engine and the relay only look up by key, and in its order. Plans made while a table was still small must not
become scans of a large one, nor a bitmap whose rows have to be sorted again."""

LOST_RACE: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,  # a migration changed a column; the next try prepares anew
    asyncpg.OutdatedSchemaCacheError,
)
"""Another transaction was faster, whatever this one wanted to write."""

RETRYABLE: Final = (
    *LOST_RACE,
    asyncpg.UniqueViolationError,  # somebody else wrote the same key first; the next try sees it
    asyncpg.ObjectNotInPrerequisiteStateError,  # the books were closed meanwhile; the next try books accordingly
)
"""The whole transaction may be tried again at once."""

UNREACHABLE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a connection that died under two operations at once
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)
"""The server is away or full: connect again, try the whole transaction. Safe also during COMMIT (law 3)."""

UNFIT: Final = (
    asyncpg.SyntaxOrAccessError,  # a table, a column or a right that a migration has still to bring
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidTransactionStateError,  # read only: a standby that is not promoted yet; or it took too long
    asyncpg.OperatorInterventionError,  # a shutdown, a cancelled statement
    asyncpg.PostgresSystemError,
    asyncpg.InternalClientError,
)
"""The server is there, but not as it must be, whatever a message says: people mend it, and meanwhile we wait."""


async def connect(url: str, *, application: str, by_key: bool = False) -> asyncpg.Connection[asyncpg.Record]:
    """A connection that reads and writes jsonb as Python values. `by_key` forbids plans that scan."""
    settings = {"application_name": application, **(LOOKUP_BY_KEY if by_key else {})}
    connection = await asyncpg.connect(url, server_settings=settings, timeout=10)
    await prepare(connection)
    return connection


async def create_pool(url: str, *, application: str, size: int) -> Pool:
    """A pool of such connections."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=prepare,
        timeout=10,
        server_settings={"application_name": application},
    )


async def prepare(connection: Any) -> None:
    """Teach a new connection our types, and a quicker way to write a time."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", format="tuple", encoder=_written, decoder=_time
    )
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


def _written(time: datetime) -> tuple[int]:
    """A time as PostgreSQL stores it. A batch writes its own, in UTC, thousands of times, for 0.5 us each [measured].

    In UTC alone equal means the same moment: elsewhere 02:30 equals the 02:30 an hour later, when clocks go back.
    """
    return _remembered(time) if time.tzinfo is UTC else _micros(time)


def _micros(time: datetime) -> tuple[int]:
    return ((time - EPOCH) // MICROSECOND,)


_remembered: Final = lru_cache(maxsize=1024)(_micros)


def _time(micros: tuple[int]) -> datetime:
    return EPOCH + timedelta(microseconds=micros[0])
