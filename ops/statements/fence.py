"""Up to which entry the ledger is complete: a plain `entry_id > last` cursor would lose entries that commit late."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

from db.queries import books as sql

if TYPE_CHECKING:
    from db.connection import Connection

PATIENCE_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.01


class UnsettledError(Exception):
    """A transaction that may hold entries does not end; the message says which, and what to do."""


async def settled_entry_id(connection: Connection, *, patience_s: float = PATIENCE_S) -> int:
    """The number up to which every entry is committed or will never be. Call it outside of a transaction.

    Reads the last number given out, then takes a transaction id, then waits until every transaction with a lower one
    has ended. A writer locks what its entry is about before it takes the entry's number, so it has such an id.
    What the next statement reads on the primary is complete. Only running transactions are compared, never ids from
    a table: those of a restored database mean nothing.

    Raises:
        UnsettledError: that takes longer than `patience_s`.
    """
    if connection.is_in_transaction():
        raise RuntimeError("a transaction would wait for itself")
    last: int = await sql.last_entry_id(connection)
    own: int = await sql.own_xid(connection)
    deadline = monotonic() + patience_s
    while (oldest := await sql.oldest_xid(connection)) < own:
        if monotonic() > deadline:
            raise UnsettledError(
                f"transaction {oldest} has been writing for {patience_s:g} s and more: end it (pg_stat_activity,"
                " pg_prepared_xacts), then try again"
            )
        await asyncio.sleep(LOOK_AGAIN_S)
    return last
