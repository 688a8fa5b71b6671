"""Balances and trial balances: as they are materialized, as their lines say, and as they were at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from db.queries import books
from db.queries import reports as sql
from handlers.ledger.model import DEBIT, AccountType
from ops.statements.calendars import each_before
from ops.statements.sheets import turnover

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from db.connection import Connection
    from ops.statements.calendars import Ends
    from ops.statements.moments import Basis


@dataclass(frozen=True, slots=True)
class Balance:
    """Debits and credits in minor units of `currency`, of one account, or of all accounts of a code."""

    tenant: str
    code: str
    currency: str
    type: AccountType
    debit_minor: int
    credit_minor: int
    lines: int

    @property
    def balance_minor(self) -> int:
        """What the account holds: positive on the side on which accounts of its type grow."""
        grown = self.debit_minor - self.credit_minor
        return grown if self.type.normal_side == DEBIT else -grown


@dataclass(frozen=True, slots=True)
class AccountBalance(Balance):
    """The balance of one account."""

    account_id: int
    owner: str


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts of a tenant's books in one currency; balanced when debits equal credits (law 1)."""

    tenant: str
    currency: str
    codes: tuple[Balance, ...]

    @property
    def debit_minor(self) -> int:
        """All debits."""
        return sum(code.debit_minor for code in self.codes)

    @property
    def credit_minor(self) -> int:
        """All credits."""
        return sum(code.credit_minor for code in self.codes)

    @property
    def off_by_minor(self) -> int:
        """Debits less credits: zero, or something is very wrong."""
        return self.debit_minor - self.credit_minor


async def trial_balances(
    connection: Connection, tenant: str | None = None, currency: str | None = None
) -> list[TrialBalance]:
    """A trial balance for each tenant and currency, in that order."""
    return _trial_balances(await sql.trial_balance(connection, tenant=tenant, currency=currency))


async def trial_balances_before(
    connection: Connection,
    before: Ends,
    basis: Basis,
    *,
    tenant: str | None = None,
    currency: str | None = None,
) -> list[TrialBalance]:
    """The same from what `basis` dates before a moment: from closings and slices, and the lines that none holds."""
    return _trial_balances(await turnover(connection, before, basis, tenant=tenant, currency=currency))


async def balances(
    connection: Connection,
    code: str,
    *,
    tenant: str | None = None,
    owner: str | None = None,
    currency: str | None = None,
    from_lines: bool = False,
) -> list[AccountBalance]:
    """The accounts of a code and what they hold: as materialized, or summed up from their lines."""
    ask = sql.balances_from_lines if from_lines else sql.balances
    return _accounts(await ask(connection, code=code, tenant=tenant, owner=owner, currency=currency))


async def balances_before(
    connection: Connection,
    code: str,
    before: Ends,
    basis: Basis,
    *,
    tenant: str | None = None,
    owner: str | None = None,
    currency: str | None = None,
) -> list[AccountBalance]:
    """The accounts of a code and what they held before a moment, likewise."""
    ends = await each_before(connection, before, tenant)
    async with connection.transaction():
        await books.plan_for_lookups(connection)
        rows = await books.balances_before(
            connection,
            tenants=list(ends),
            ends=list(ends.values()),
            basis=basis,
            code=code,
            owner=owner,
            currency=currency,
        )
    return _accounts(rows)


def _trial_balances(rows: Iterable[asyncpg.Record]) -> list[TrialBalance]:
    return [
        TrialBalance(*books_of, tuple(_balance(row) for row in codes))
        for books_of, codes in groupby(rows, key=lambda row: (row["tenant"], row["currency"]))
    ]


def _balance(row: asyncpg.Record) -> Balance:
    return Balance(**_values(row, "accounts"))


def _accounts(rows: Iterable[asyncpg.Record]) -> list[AccountBalance]:
    return [AccountBalance(**_values(row)) for row in rows]


def _values(row: asyncpg.Record, *without: str) -> dict[str, Any]:
    """A row's values for a balance; PostgreSQL sums to numeric, which comes as Decimal."""
    values = {name: value for name, value in row.items() if name not in without}
    return values | {
        "type": AccountType(row["type"]),
        **{name: int(row[name]) for name in ("debit_minor", "credit_minor", "lines")},
    }
