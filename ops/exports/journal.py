"""A tenant's journal as a stream of entries, for every format that is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.queries import exports as sql
from handlers.ledger.model import AccountType
from ops.exports.names import account_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    import asyncpg

    from db.connection import Connection
    from ops.statements.moments import Basis


class ExportError(Exception):
    """Nothing is exported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account that was used: since when, and what it held at the end, debits less credits."""

    name: str
    code: str
    owner: str
    currency: str
    opened_at: datetime
    held_minor: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A line of an entry: debits positive, credits negative, in minor units."""

    account: str
    signed_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry with its legs; `at` is the date that places it."""

    at: datetime
    entry_id: int
    rule: str
    object_type: str
    object_id: str
    source: str
    event_id: str
    effective_at: datetime
    posted_at: datetime
    legs: tuple[Leg, ...]


async def tenant_of(connection: Connection, tenant: str | None) -> str:
    """The tenant that was asked for, or the only one.

    Raises:
        ExportError: there is no such tenant, or there are several and none was named.
    """
    tenants = [row["tenant"] for row in await sql.tenants(connection)]
    if tenant in tenants:
        return str(tenant)
    if tenant is None and len(tenants) == 1:
        return str(tenants[0])
    known = ", ".join(tenants) or "nobody's"
    raise ExportError(
        f"there are no books of {tenant}: there are {known}" if tenant else f"whose books? There are {known}"
    )


async def open_accounts(
    connection: Connection, tenant: str, before: datetime, basis: Basis
) -> list[OpenAccount]:
    """The accounts that were used before a moment."""
    return [
        OpenAccount(
            account_name(AccountType(row["type"]), row["code"], row["owner"]),
            row["code"],
            row["owner"],
            row["currency"],
            row["opened_at"],
            row["held_minor"],
        )
        for row in await sql.opened_accounts(connection, tenant=tenant, before=before, basis=basis)
    ]


async def entries(
    connection: Connection, tenant: str, before: datetime, basis: Basis
) -> AsyncIterator[JournalEntry]:
    """All entries before a moment in order of their date, through a cursor of the caller's transaction."""
    lines: list[asyncpg.Record] = []
    async with sql.journal_cursor(connection, tenant=tenant, before=before, basis=basis) as rows:
        async for row in rows:
            if lines and row["entry_id"] != lines[0]["entry_id"]:
                yield _entry(lines)
                lines = []
            lines.append(row)
    if lines:
        yield _entry(lines)


def _entry(lines: list[asyncpg.Record]) -> JournalEntry:
    head = lines[0]
    return JournalEntry(
        at=head["at"],
        entry_id=head["entry_id"],
        rule=head["rule"],
        object_type=head["object_type"],
        object_id=head["object_id"],
        source=head["source"],
        event_id=head["event_id"],
        effective_at=head["effective_at"],
        posted_at=head["posted_at"],
        legs=tuple(
            Leg(
                account_name(AccountType(line["type"]), line["account"], line["owner"]),
                line["direction"] * line["amount_minor"],
                line["currency"],
            )
            for line in lines
        ),
    )
