"""Keeps questions about the past quick: sums up a long account's lines, a thousand at a time, once and for good.

Runs beside the workers, from a timer or by hand; nobody waits for it, and without it every answer is the same, only
slower. A slice holds settled entries alone (`fence`), so that none can appear below it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.queries import books as sql
from ops.statements.fence import settled_entry_id

if TYPE_CHECKING:
    from db.connection import Connection

SLICE_LINES: Final = 1_000
"""Lines of a slice: what a question reads at most of a slice that its moment cuts through."""
ACCOUNTS_AT_ONCE: Final = 50
LINES_AT_ONCE: Final = 20 * SLICE_LINES
"""Accounts of one transaction, and lines of each: a million lines sort in memory."""


async def slice_accounts(connection: Connection, *, size: int = SLICE_LINES) -> int:
    """Slice every account that has more than `size` lines in no slice, as the application's role. Gives their number.

    Two at once take turns. A crash loses the transaction under way, and the next run goes on from there.

    Raises:
        UnsettledError: a transaction that may hold entries does not end.
    """
    settled = await settled_entry_id(connection)
    slices = 0
    while accounts := await sql.long_accounts(connection, size=size):
        added = 0
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE):
            some = accounts[start : start + ACCOUNTS_AT_ONCE]
            async with connection.transaction():
                await sql.lock_slicing(connection)
                added += await sql.slice_lines(
                    connection,
                    tenants=[row["tenant"] for row in some],
                    accounts=[row["account_id"] for row in some],
                    size=size,
                    settled=settled,
                    most=LINES_AT_ONCE,
                )
        if not added:  # what is left of them is not settled yet
            break
        slices += added
    return slices
