"""Takes the balances of closed periods: what every account held when the period ended, once and for good.

Nobody waits for it. A closed period does not change, so its balances are the same whenever they are taken; the
slices of long accounts (ops/statements/slices.py) make it quick.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

from db.queries import books
from db.queries import periods as sql

if TYPE_CHECKING:
    from db.connection import Connection

_COLUMNS: Final = ("tenant", "number", "account_id", "debit_minor", "credit_minor", "lines")


@dataclass(frozen=True, slots=True)
class Closing:
    """What was taken at a closing: how many accounts, and how many lines they had."""

    tenant: str
    period: str
    accounts: int
    lines: int


async def take_closings(connection: Connection) -> list[Closing]:
    """Take the balances of every closing that holds and has none, as the application's role.

    Each is a transaction on one snapshot, in which the closing stands: what a reopening lets in afterwards is not in
    it. A crash loses only the one under way; two at once may both begin, and one of them is told that it is done.
    """
    taken = []
    while due := await sql.closings_to_take(connection):
        for row in due:
            with suppress(asyncpg.UniqueViolationError):  # somebody else took it meanwhile
                closing = await _take(connection, row["tenant"], row["number"])
                if closing is not None:
                    taken.append(closing)
    return taken


async def _take(connection: Connection, tenant: str, number: int) -> Closing | None:
    """The closing's balances; None when somebody else took them, or it was undone."""
    async with connection.transaction(isolation="repeatable_read"):
        due = [
            row
            for row in await sql.closings_to_take(connection)
            if (row["tenant"], row["number"]) == (tenant, number)
        ]
        if not due:
            return None
        period, closed_before = due[0]["period"], due[0]["closed_before"]
        await books.plan_for_lookups(connection)
        rows = await books.balances_before(
            connection,
            account_id=None,
            code=None,
            tenant=tenant,
            owner=None,
            currency=None,
            before=closed_before,
            basis="effective",
        )
        held = [row for row in rows if row["lines"]]
        lines = sum(int(row["lines"]) for row in held)
        await sql.add_closing(
            connection,
            tenant=tenant,
            number=number,
            period=period,
            closed_before=closed_before,
            accounts=len(held),
            lines=lines,
        )
        await connection.copy_records_to_table(
            "closing_balances",
            records=[
                (
                    tenant,
                    number,
                    row["account_id"],
                    int(row["debit_minor"]),
                    int(row["credit_minor"]),
                    int(row["lines"]),
                )
                for row in held
            ],
            columns=_COLUMNS,
        )
    return Closing(tenant, period, len(held), lines)
