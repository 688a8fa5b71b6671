"""An account's statement: what it held, what moved it, what it held then. Every movement names its entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from db.queries import books as sql
from handlers.ledger.model import DEBIT, AccountType
from ops.statements.moments import Basis, Period

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    import asyncpg

    from db.connection import Connection

PAGE: Final = 50
"""Movements of a page, unless asked for another number."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the ledger."""

    tenant: str
    account_id: int
    code: str
    owner: str
    currency: str
    type: AccountType

    def grows(self, debit_minor: int, credit_minor: int) -> int:
        """What that turnover adds to the account, positive on the side on which its type grows."""
        grown = debit_minor - credit_minor
        return grown if self.type.normal_side == DEBIT else -grown


class Place(NamedTuple):
    """Where a page ends: the last movement's date, entry and line, and what the account held after it."""

    at: datetime
    entry_id: int
    line: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of the account. `at` is the date that places it; `balance_minor` what the account held after it.

    What happened in a period that was closed by then has an origin: when, and in which; others have none.
    """

    at: datetime
    entry_id: int
    line: int
    rule: str
    object_type: str
    object_id: str
    source: str
    event_id: str
    effective_at: datetime
    posted_at: datetime
    origin_effective_at: datetime | None
    origin_period: str | None
    debit_minor: int
    credit_minor: int
    balance_minor: int

    @property
    def place(self) -> Place:
        """Where a page that ends with this movement ends."""
        return Place(self.at, self.entry_id, self.line, self.balance_minor)


@dataclass(frozen=True, slots=True)
class Page:
    """Some movements in order of (date, entry, line); `next` is where to go on, None after the last of the period."""

    movements: tuple[Movement, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Statement:
    """An account's period: `opening + movements = closing`, all in minor units on the side on which it grows."""

    account: Account
    period: Period
    basis: Basis
    opening_minor: int
    debit_minor: int
    credit_minor: int
    lines: int
    """Turnover of the period, and of how many lines."""

    @property
    def closing_minor(self) -> int:
        """What the account held when the period ended."""
        return self.opening_minor + self.account.grows(self.debit_minor, self.credit_minor)

    @property
    def start(self) -> Place:
        """The place before the first movement."""
        return Place(self.period.since, 0, 0, self.opening_minor)


async def accounts(
    connection: Connection,
    *,
    code: str | None = None,
    owner: str | None = None,
    tenant: str | None = None,
    currency: str | None = None,
) -> list[Account]:
    """The accounts of a code, an owner, a tenant, a currency, or of all of these at once."""
    rows = await sql.accounts(connection, code=code, owner=owner, tenant=tenant, currency=currency)
    return [Account(**{**row, "type": AccountType(row["type"])}) for row in rows]


async def statement(connection: Connection, account: Account, period: Period, basis: Basis) -> Statement:
    """Opening, turnover and closing of a period, and the pages' plan: ask for these in the same transaction.

    On one snapshot (REPEATABLE READ) the pages add up to it, to the last minor unit.
    """
    await sql.plan_for_account(connection)
    opened = await _held(connection, account, period.since, basis)
    closed = await _held(connection, account, period.before, basis)
    return Statement(
        account,
        period,
        basis,
        opening_minor=account.grows(int(opened["debit_minor"]), int(opened["credit_minor"])),
        debit_minor=int(closed["debit_minor"] - opened["debit_minor"]),
        credit_minor=int(closed["credit_minor"] - opened["credit_minor"]),
        lines=int(closed["lines"] - opened["lines"]),
    )


async def page(
    connection: Connection, told: Statement, after: Place | None = None, *, most: int = PAGE
) -> Page:
    """The next `most` movements after a place; the first ones without it. Costs the same wherever it begins."""
    place = after or told.start
    rows = await sql.movements(
        connection,
        account_id=told.account.account_id,
        tenant=told.account.tenant,
        basis=told.basis,
        before=told.period.before,
        after_at=place.at,
        after_entry=place.entry_id,
        after_line=place.line,
        most=most + 1,
    )
    movements = []
    held = place.balance_minor
    for row in rows[:most]:
        movement = _movement(row, told.account, held)
        held = movement.balance_minor
        movements.append(movement)
    return Page(tuple(movements), movements[-1].place if len(rows) > most else None)


async def movements(
    connection: Connection, told: Statement, *, at_once: int = 1_000
) -> AsyncIterator[Movement]:
    """All movements of the period, page by page, in the memory of one page."""
    here = await page(connection, told, most=at_once)
    while True:
        for movement in here.movements:
            yield movement
        if here.next is None:
            return
        here = await page(connection, told, here.next, most=at_once)


async def _held(connection: Connection, account: Account, before: datetime, basis: Basis) -> asyncpg.Record:
    found: asyncpg.Record = await sql.balance_before(
        connection, account_id=account.account_id, before=before, basis=basis
    )
    return found


def _movement(row: asyncpg.Record, account: Account, held_minor: int) -> Movement:
    debit, credit = (row["amount_minor"], 0) if row["direction"] == 1 else (0, row["amount_minor"])
    return Movement(
        at=row["at"],
        entry_id=row["entry_id"],
        line=row["line"],
        rule=row["rule"],
        object_type=row["object_type"],
        object_id=row["object_id"],
        source=row["source"],
        event_id=row["event_id"],
        effective_at=row["effective_at"],
        posted_at=row["posted_at"],
        origin_effective_at=row["origin_effective_at"],
        origin_period=row["origin_period"],
        debit_minor=debit,
        credit_minor=credit,
        balance_minor=held_minor + account.grows(debit, credit),
    )
