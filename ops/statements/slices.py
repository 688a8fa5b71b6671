"""Keeps questions about the past quick: sums up a long account's lines, a thousand at a time, once and for good.

Runs beside the workers, from a timer or by hand; nobody waits for it, and without it every answer is the same, only
slower. A slice holds settled entries alone (`fence`), so that none can appear below it later.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Sliced:
    """What one run added."""

    slices: int
    accounts: int


async def slice_accounts(connection: Connection, *, size: int = SLICE_LINES) -> Sliced:
    """Slice every account that has more than `size` lines in no slice, as the application's role.

    Two at once take turns. A crash loses the transaction under way, and the next run goes on from there.

    Raises:
        UnsettledError: a transaction that may hold entries does not end.
    """
    settled = await settled_entry_id(connection)
    slices = 0
    touched: set[int] = set()
    while accounts := await sql.long_accounts(connection, size=size):
        added = 0
        for some in (
            accounts[at : at + ACCOUNTS_AT_ONCE] for at in range(0, len(accounts), ACCOUNTS_AT_ONCE)
        ):
            async with connection.transaction():
                await sql.lock_slicing(connection)
                done = await sql.slice(
                    connection,
                    tenants=[row["tenant"] for row in some],
                    accounts=[row["account_id"] for row in some],
                    size=size,
                    settled=settled,
                    most=LINES_AT_ONCE,
                )
            added += done["slices"]
            if done["slices"]:
                touched.update(row["account_id"] for row in some)
        slices += added
        if not added:  # what is left of them is not settled yet
            break
    return Sliced(slices, len(touched))
