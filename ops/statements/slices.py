"""Keeps questions about the past quick: sums up a long account's lines, some hundred at a time, once and for good.

Runs beside the workers, from a timer or by hand; nobody waits for it, and without it every answer is the same, only
slower. A slice holds settled entries alone (`fence`), so that none can appear below it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.queries import books as sql
from ops.statements.fence import settled_entry_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    import asyncpg

    from db.connection import Connection

SLICE_LINES: Final = 250
"""Lines of a slice: what a question reads at most of a slice that its moment cuts through."""
LINES_A_DAY: Final = 8
"""From so many on a slice has a row for each day; with fewer, one for each month."""
LINES_AT_ONCE: Final = 20_000
"""Of an account within one transaction; no entry has more."""
STEP_LINES: Final = 100_000
"""Of all accounts within one transaction, which takes about a second."""


async def slice_accounts(connection: Connection, *, size: int = SLICE_LINES) -> int:
    """Slice every account that has more than `size` lines in no slice, as the application's role. Gives their number.

    Two at once take turns. A crash loses the transaction under way, and the next run goes on from there.

    Raises:
        UnsettledError: a transaction that may hold entries does not end.
    """
    return sum([step async for step in slicing(connection, size=size)])


async def slicing(connection: Connection, *, size: int = SLICE_LINES) -> AsyncIterator[int]:
    """The same step by step, each a transaction: how many slices it added."""
    settled = await settled_entry_id(connection)
    while accounts := await sql.long_accounts(connection, size=size):
        added = 0
        for some in _steps(accounts):
            async with connection.transaction():
                await sql.plan_for_slicing(connection)
                await sql.lock_slicing(connection)
                slices = await sql.slice_lines(
                    connection,
                    tenants=[row["tenant"] for row in some],
                    accounts=[row["account_id"] for row in some],
                    size=size,
                    per_day=LINES_A_DAY,
                    settled=settled,
                    most=LINES_AT_ONCE,
                )
            added += slices
            yield slices
        if not added:  # what is left of them is not settled yet
            break


def _steps(accounts: Sequence[asyncpg.Record]) -> Iterator[list[asyncpg.Record]]:
    """Accounts of one transaction each: as many as have STEP_LINES together."""
    some: list[asyncpg.Record] = []
    lines = 0
    for account in accounts:
        some.append(account)
        lines += min(account["lines"], LINES_AT_ONCE)
        if lines >= STEP_LINES:
            yield some
            some, lines = [], 0
    if some:
        yield some
