"""Takes the balances of closed periods: what every account held when the period ended, once and for good.

Nobody waits for it. A closed period does not change, so its balances are the same whenever they are taken; the
closing before it and the slices of long accounts (ops/statements/slices.py) make it quick.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from db.queries import books
from db.queries import periods as sql
from ops.statements.fence import settled_entry_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Closing:
    """What was taken at a closing: how many accounts, and how many lines they had."""

    tenant: str
    period: str
    accounts: int
    lines: int


async def take_closings(connection: Connection) -> list[Closing]:
    """Take the balances of every closing that holds and has none, as the application's role.

    Raises:
        UnsettledError: a transaction that may hold entries does not end.
    """
    return [closing async for closing in taking(connection)]


async def taking(connection: Connection) -> AsyncIterator[Closing]:
    """The same one after the other, the oldest of a tenant first.

    Each is one statement in which the closing stands: what a reopening lets in afterwards is not in it. A crash
    loses only the one under way; two at once may both begin, and one of them is told that it is done.
    """
    due = await sql.closings_to_take(connection)
    if not due:
        return
    settled = await settled_entry_id(connection)
    for row in due:
        taken = None
        with suppress(asyncpg.UniqueViolationError):  # somebody else took it meanwhile
            async with connection.transaction():
                await books.plan_for_lookups(connection)
                taken = await sql.take_closing(
                    connection, tenant=row["tenant"], number=row["number"], settled=settled
                )
        if taken is not None:
            yield Closing(row["tenant"], taken["period"], taken["accounts"], taken["lines"])
