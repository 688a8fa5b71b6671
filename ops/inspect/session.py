"""One short conversation with the database for a command, and what to tell when it cannot be had."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from db.connection import UNREACHABLE, connect
from ops.endpoints import places
from ops.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Connection = asyncpg.Connection[asyncpg.Record]

T = TypeVar("T")


class DatabaseTroubleError(Exception):
    """The database cannot be asked; the message says why and what to do."""


def read(work: Callable[[Connection], Awaitable[T]]) -> T:
    """What `work` finds out, as the readers' role, on one snapshot.

    Raises:
        DatabaseTroubleError: the database is away, or has no tables yet.
    """

    async def on_one_snapshot(connection: Connection) -> T:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await work(connection)

    return _talk(places(Settings()).read_url, on_one_snapshot)


def write(work: Callable[[Connection, str], Awaitable[T]]) -> T:
    """What `work` does as the application's role, in transactions of its own; it is told Kafka's address.

    Raises:
        DatabaseTroubleError: the database is away, or has no tables yet.
    """
    at = places(Settings())
    return _talk(at.database_url, lambda connection: work(connection, at.kafka))


def _talk(url: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def talk() -> T:
        connection = await connect(url, application="counterfoil inspect")
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(talk())
    except asyncpg.UndefinedTableError as error:
        raise DatabaseTroubleError(f"{error}: run `counterfoil migrate` first") from error
    except UNREACHABLE as error:
        raise DatabaseTroubleError(f"the database cannot be asked: {error}") from error
