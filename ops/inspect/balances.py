"""Balances and trial balances: as they are materialized, and as their lines say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from db.queries import reports as sql
from handlers.ledger.model import DEBIT, AccountType

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from db.connection import Connection


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
    rows = await sql.trial_balance(connection, tenant=tenant, currency=currency)
    return [
        TrialBalance(*books, tuple(Balance(**_values(row, "accounts")) for row in codes))
        for books, codes in groupby(rows, key=lambda row: (row["tenant"], row["currency"]))
    ]


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


def _accounts(rows: Iterable[asyncpg.Record]) -> list[AccountBalance]:
    return [AccountBalance(**_values(row)) for row in rows]


def _values(row: asyncpg.Record, *without: str) -> dict[str, Any]:
    """A row's values for a balance; PostgreSQL sums to numeric, which comes as Decimal."""
    values = {name: value for name, value in row.items() if name not in without}
    return values | {
        "type": AccountType(row["type"]),
        **{name: int(row[name]) for name in ("debit_minor", "credit_minor", "lines")},
    }
