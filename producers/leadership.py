"""One leader at a time: whoever holds an advisory lock on its own connection leads until that connection ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal

import structlog

from db.connection import connect
from db.queries import delivery as sql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import asyncpg

log = structlog.get_logger()

Role = Literal["relay", "scheduler", "upkeep"]
_LOCKS: Final[dict[Role, int]] = {"relay": 1, "scheduler": 2, "upkeep": 4}
"""The chain's builder has 3 (chain.sql): it holds that for a transaction."""
TRY_EVERY_S: Final = 0.5


@asynccontextmanager
async def leading(
    database_url: str,
    role: Role,
    stop: asyncio.Event,
    stands_by: Callable[[], None] | None = None,
    *,
    by_key: bool = False,
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record] | None]:
    """Wait until this process leads, then lend the connection that holds the lock; None when told to stop first.

    `stands_by` is called while another leads: whoever waits for its turn is well. `by_key` as in db.connection.connect.
    """
    connection = await connect(database_url, application=f"counterfoil {role}", by_key=by_key)
    try:
        while not await sql.try_lead(connection, role=_LOCKS[role]):
            if stands_by is not None:
                stands_by()
            await pause(stop, TRY_EVERY_S)
            if stop.is_set():
                yield None
                return
        log.info("leading", role=role)
        yield connection
    finally:
        connection.terminate()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
