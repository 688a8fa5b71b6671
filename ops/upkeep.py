"""Keeps the books quick to ask: slices long accounts and takes the balances of closed periods, by itself.

One leads, others stand by. Each step is a transaction of about a second, and is followed by a pause as long as itself,
so that upkeep never has more than half of one connection's time. Without it every answer is the same, only slower.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from db.connection import LOST_RACE, UNFIT, UNREACHABLE
from db.queries import books
from db.queries import periods as sql
from ops.periods.closings import taking
from ops.statements.fence import UnsettledError
from ops.statements.slices import SLICE_LINES, slicing
from producers.leadership import leading, pause

if TYPE_CHECKING:
    import asyncio

    from db.connection import Connection

log = structlog.get_logger()

DUTY: Final = "upkeep"
AFTER_TROUBLE_S: Final = 1.0
STEP_WITHIN_S: Final = 60.0
"""How long a step may take, the wait for entries to settle and the pause after it included."""


class UpkeepObserver(Protocol):
    """Who wants to know."""

    def attends(self, duty: str, within_s: float) -> None:
        """The duty got on, or stands by; it says so again within so many seconds."""

    def kept(self, slices: int, closings: int) -> None:
        """A step added so many slices, or took so many closings."""

    def upkeep_done(self, seconds: float, unsliced_lines: int, untaken_closings: int) -> None:
        """A round is over; so many lines of long accounts are in no slice, so many closings have no balances."""


async def run_upkeep(
    database_url: str, every_s: float, observer: UpkeepObserver, stop: asyncio.Event
) -> None:
    """A round every `every_s` seconds until told to stop; starts over after any trouble with PostgreSQL."""

    def attends() -> None:
        observer.attends(DUTY, STEP_WITHIN_S)

    while not stop.is_set():
        attends()
        try:
            async with leading(database_url, "upkeep", stop, attends) as connection:
                if connection is None:
                    return
                while not stop.is_set():
                    await keep_books(connection, observer, stop)
                    observer.attends(DUTY, every_s + STEP_WITHIN_S)
                    await pause(stop, every_s)
        except (*UNREACHABLE, *UNFIT, *LOST_RACE, UnsettledError) as error:
            log.warning("upkeep starts over", error=f"{type(error).__name__}: {error}")
            await pause(stop, AFTER_TROUBLE_S)


async def keep_books(connection: Connection, observer: UpkeepObserver, stop: asyncio.Event) -> None:
    """One round: closings first, which people wait for, then slices; ends early when told to stop.

    Raises:
        UnsettledError: a transaction that may hold entries does not end.
    """
    began = stepped = time.monotonic()
    async for closing in taking(connection):
        log.info("closing taken", tenant=closing.tenant, period=closing.period, accounts=closing.accounts)
        observer.kept(slices=0, closings=1)
        stepped = await _rest(observer, stop, stepped)
        if stop.is_set():
            return
    async for slices in slicing(connection):
        observer.kept(slices=slices, closings=0)
        stepped = await _rest(observer, stop, stepped)
        if stop.is_set():
            return
    unsliced = sum(row["lines"] for row in await books.long_accounts(connection, size=SLICE_LINES))
    observer.upkeep_done(time.monotonic() - began, unsliced, len(await sql.closings_to_take(connection)))


async def _rest(observer: UpkeepObserver, stop: asyncio.Event, since: float) -> float:
    """Pause for as long as the step took; when the next one begins."""
    took = time.monotonic() - since
    observer.attends(DUTY, took + STEP_WITHIN_S)
    await pause(stop, took)
    return time.monotonic()
