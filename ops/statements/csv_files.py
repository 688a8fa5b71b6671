"""Statements and sheets as CSV (RFC 4180, UTF-8): amounts in minor units and in major ones, never rounded."""

from __future__ import annotations

import csv
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from ops.statements.sheets import RESULT
from schemas.currencies import is_currency, to_major

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from ops.statements.sheets import BalanceSheet, IncomeStatement
    from ops.statements.statement import Movement, Statement

STATEMENT_COLUMNS: Final = (
    "tenant",
    "account",
    "owner",
    "currency",
    "kind",
    "at",
    "entry_id",
    "line",
    "rule",
    "object_type",
    "object_id",
    "source",
    "event_id",
    "effective_at",
    "posted_at",
    "origin_period",
    "origin_effective_at",
    "debit_minor",
    "credit_minor",
    "balance_minor",
    "balance",
)
"""`kind` is opening, movement or closing; `balance` is `balance_minor` in major units; times are UTC."""
SHEET_COLUMNS: Final = ("tenant", "currency", "section", "code", "amount_minor", "amount")


class StatementCsv:
    """Writes statements, one below the other, as their movements come."""

    def __init__(self, to: TextIO) -> None:
        self._rows = csv.DictWriter(to, STATEMENT_COLUMNS, lineterminator="\r\n")
        self._rows.writeheader()

    async def write(self, told: Statement, movements: AsyncIterable[Movement]) -> None:
        """An account's opening, movements and closing."""
        account = told.account
        whose = {
            "tenant": account.tenant,
            "account": account.code,
            "owner": account.owner,
            "currency": account.currency,
        }

        def row(kind: str, balance_minor: int, **rest: Any) -> dict[str, Any]:
            held = {
                "balance_minor": balance_minor,
                "balance": major(balance_minor, account.currency),
            }
            return whose | {"kind": kind} | rest | held

        self._rows.writerow(row("opening", told.opening_minor, at=told.period.since.isoformat()))
        async for moved in movements:
            fields = asdict(moved)
            times = {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
            self._rows.writerow(row(**(fields | times), kind="movement"))
        turnover = {"debit_minor": told.debit_minor, "credit_minor": told.credit_minor}
        self._rows.writerow(row("closing", told.closing_minor, at=told.period.before.isoformat(), **turnover))


def write_balance_sheets(to: TextIO, sheets: Iterable[BalanceSheet]) -> None:
    """A row for each code, and one for the result."""
    rows = csv.writer(to, lineterminator="\r\n")
    rows.writerow(SHEET_COLUMNS)
    for sheet in sheets:
        for section in ("assets", "liabilities", "equity"):
            for line in getattr(sheet, section):
                _sheet_row(rows, sheet, section, line.code, line.amount_minor)
        _sheet_row(rows, sheet, "equity", RESULT, sheet.result_minor)


def write_income_statements(to: TextIO, statements: Iterable[IncomeStatement]) -> None:
    """A row for each code."""
    rows = csv.writer(to, lineterminator="\r\n")
    rows.writerow(SHEET_COLUMNS)
    for told in statements:
        for section in ("revenue", "expenses"):
            for line in getattr(told, section):
                _sheet_row(rows, told, section, line.code, line.amount_minor)


def major(amount_minor: int, currency: str) -> str:
    """In major units with all its decimals and no separators, or nothing for a currency that ISO 4217 does not list."""
    return f"{to_major(amount_minor, currency):f}" if is_currency(currency) else ""


def _sheet_row(
    rows: Any, of: BalanceSheet | IncomeStatement, section: str, code: str, amount_minor: int
) -> None:
    rows.writerow((of.tenant, of.currency, section, code, amount_minor, major(amount_minor, of.currency)))
