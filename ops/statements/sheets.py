"""Balance sheet and income statement of a tenant's books in one currency, from the trial balance alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from db.queries import books as sql
from handlers.ledger.model import DEBIT, AccountType
from ops.statements.calendars import each_before
from ops.statements.moments import Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

    from db.connection import Connection
    from ops.statements.calendars import Ends
    from ops.statements.moments import Basis

RESULT: Final = "result"
"""The name of the line of a balance sheet that says what was earned and not yet moved to an equity account."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the accounts of a code come to, in minor units, positive on the side on which their type grows."""

    code: str
    type: AccountType
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BalanceSheet:
    """What a tenant has and owes. It ties: assets = liabilities + equity + result, because every entry balances."""

    tenant: str
    currency: str
    assets: tuple[Line, ...]
    liabilities: tuple[Line, ...]
    equity: tuple[Line, ...]
    result_minor: int
    """Revenue less expenses since the books began."""

    @property
    def assets_minor(self) -> int:
        """All assets."""
        return _sum(self.assets)

    @property
    def liabilities_minor(self) -> int:
        """All liabilities."""
        return _sum(self.liabilities)

    @property
    def equity_minor(self) -> int:
        """All equity, without the result."""
        return _sum(self.equity)

    @property
    def claims_minor(self) -> int:
        """Liabilities, equity and result: whose the assets are."""
        return self.liabilities_minor + self.equity_minor + self.result_minor

    @property
    def off_by_minor(self) -> int:
        """Assets less claims: zero, or the books are broken."""
        return self.assets_minor - self.claims_minor


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """What a tenant earned and spent within a period."""

    tenant: str
    currency: str
    revenue: tuple[Line, ...]
    expenses: tuple[Line, ...]

    @property
    def revenue_minor(self) -> int:
        """All revenue."""
        return _sum(self.revenue)

    @property
    def expenses_minor(self) -> int:
        """All expenses."""
        return _sum(self.expenses)

    @property
    def result_minor(self) -> int:
        """Revenue less expenses: by so much the balance sheet's result grew within the period."""
        return self.revenue_minor - self.expenses_minor


async def balance_sheets(
    connection: Connection,
    before: Ends,
    basis: Basis,
    *,
    tenant: str | None = None,
    currency: str | None = None,
) -> list[BalanceSheet]:
    """A balance sheet for each tenant and currency, of what `basis` dates before a moment."""
    rows = await turnover(connection, before, basis, tenant=tenant, currency=currency)
    sheets = []
    for (whose, unit), codes in groupby(rows, key=_books):
        lines = [_line(row, int(row["debit_minor"]), int(row["credit_minor"])) for row in codes]
        sheets.append(
            BalanceSheet(
                whose,
                unit,
                assets=_of(lines, AccountType.ASSET),
                liabilities=_of(lines, AccountType.LIABILITY),
                equity=_of(lines, AccountType.EQUITY),
                result_minor=_sum(_of(lines, AccountType.REVENUE)) - _sum(_of(lines, AccountType.EXPENSE)),
            )
        )
    return sheets


async def income_statements(
    connection: Connection,
    period: Period | Mapping[str, Period],
    basis: Basis,
    *,
    tenant: str | None = None,
    currency: str | None = None,
) -> list[IncomeStatement]:
    """An income statement for each tenant and currency with entries until the period's end.

    `period` is one for all or each tenant's own: a month begins at each one's midnight. Within one transaction on one
    snapshot (REPEATABLE READ) both ends are of the same books.
    """
    since: Ends
    before: Ends
    if isinstance(period, Period):
        since, before = period.since, period.before
    else:
        since = {whose: one.since for whose, one in period.items()}
        before = {whose: one.before for whose, one in period.items()}
    named = {"tenant": tenant, "currency": currency}
    opened = {
        (*_books(row), row["code"]): (int(row["debit_minor"]), int(row["credit_minor"]))
        for row in await turnover(connection, since, basis, **named)
    }
    statements = []
    for (whose, unit), codes in groupby(await turnover(connection, before, basis, **named), key=_books):
        lines = []
        for row in codes:
            debit, credit = opened.get((whose, unit, row["code"]), (0, 0))
            lines.append(_line(row, int(row["debit_minor"]) - debit, int(row["credit_minor"]) - credit))
        revenue, expenses = _of(lines, AccountType.REVENUE), _of(lines, AccountType.EXPENSE)
        statements.append(IncomeStatement(whose, unit, revenue, expenses))
    return statements


async def turnover(
    connection: Connection,
    before: Ends,
    basis: Basis,
    *,
    tenant: str | None = None,
    currency: str | None = None,
) -> list[asyncpg.Record]:
    """Debits and credits of each account code before a moment, from closings and slices.

    By tenant, currency, and code in the order of a trial balance.
    """
    ends = await each_before(connection, before, tenant)
    async with connection.transaction():
        await sql.plan_for_lookups(connection)
        rows: list[asyncpg.Record] = await sql.turnover(
            connection, tenants=list(ends), ends=list(ends.values()), basis=basis, currency=currency
        )
    return rows


def _books(row: asyncpg.Record) -> tuple[str, str]:
    return row["tenant"], row["currency"]


def _line(row: asyncpg.Record, debit_minor: int, credit_minor: int) -> Line:
    kind = AccountType(row["type"])
    grown = debit_minor - credit_minor
    return Line(row["code"], kind, grown if kind.normal_side == DEBIT else -grown)


def _of(lines: list[Line], kind: AccountType) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.type is kind)


def _sum(lines: tuple[Line, ...]) -> int:
    return sum(line.amount_minor for line in lines)
