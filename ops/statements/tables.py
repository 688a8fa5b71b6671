"""Statements and sheets on the screen, with a bar beside a number where its share says more than its digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from ops.inspect.words import amount, printable
from ops.statements.moments import local
from schemas.currencies import format_amount, is_currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from ops.statements.sheets import BalanceSheet, IncomeStatement, Line
    from ops.statements.statement import Movement, Statement

BAR_WIDTH = 24


def statement_table(told: Statement, movements: Sequence[Movement], *, first: bool, last: bool) -> Table:
    """One page: the opening above the first movement, the closing below the last."""
    account = told.account
    table = Table(
        title=Text(
            printable(
                f"{account.code} of {account.owner} ({account.tenant}) in {account.currency},"
                f" {told.period.name} by {told.basis} date"
            )
        ),
        title_justify="left",
    )
    for name in ("date", "entry", "what", "for"):
        table.add_column(name)
    for name in ("debit", "credit", "balance"):
        table.add_column(name, justify="right")

    def plain(amount_minor: int) -> str:
        return plain_amount(amount_minor, account.currency)

    if first:
        table.add_row(
            local(told.period.since, told.period.zone), "", "opening", "", "", "", plain(told.opening_minor)
        )
    for moved in movements:
        table.add_row(
            local(moved.at, told.period.zone),
            str(moved.entry_id),
            Text(what(moved)),
            Text(printable(f"{moved.object_type} {moved.object_id}")),
            plain(moved.debit_minor) if moved.debit_minor else "",
            plain(moved.credit_minor) if moved.credit_minor else "",
            plain(moved.balance_minor),
        )
    if last:
        table.add_section()
        turnover = (plain(told.debit_minor), plain(told.credit_minor))
        name = f"closing, {told.lines:,} movements"
        end = local(told.period.before, told.period.zone)
        table.add_row(end, "", name, "", *turnover, plain(told.closing_minor))
    return table


def what(moved: Movement) -> str:
    """The posting rule, and where it comes from when that was closed: 'card_captured, late from 2026-10'."""
    return f"{moved.rule}, late from {moved.origin_period}" if moved.origin_period else moved.rule


def balance_sheet_table(sheet: BalanceSheet, title: str) -> Table:
    """Assets, then whose they are."""
    largest = max(abs(sheet.assets_minor), abs(sheet.claims_minor))
    table = _table(f"Balance sheet of {sheet.tenant} in {sheet.currency}, {title}")
    _section(table, "assets", sheet.assets, sheet.currency, largest)
    _total(table, "total assets", sheet.assets_minor, sheet.currency)
    _section(table, "liabilities", sheet.liabilities, sheet.currency, largest)
    _section(table, "equity", sheet.equity, sheet.currency, largest)
    _row(table, "result to date", sheet.result_minor, sheet.currency, largest)
    table.add_section()
    _total(table, "liabilities, equity and result", sheet.claims_minor, sheet.currency)
    if sheet.off_by_minor:
        table.add_row(f"OFF BY {amount(sheet.off_by_minor, sheet.currency)}", "", "", style="bold red")
    return table


def income_statement_table(told: IncomeStatement, title: str) -> Table:
    """Revenue, expenses, and what is left."""
    largest = max(abs(told.revenue_minor), abs(told.expenses_minor))
    table = _table(f"Income statement of {told.tenant} in {told.currency}, {title}")
    _section(table, "revenue", told.revenue, told.currency, largest)
    _section(table, "expenses", told.expenses, told.currency, largest)
    _total(table, "result", told.result_minor, told.currency)
    return table


def plain_amount(amount_minor: int, currency: str) -> str:
    """An amount under a heading that names its currency: '1,999.00'."""
    return format_amount(amount_minor, currency) if is_currency(currency) else f"{amount_minor} minor units"


def _table(title: str) -> Table:
    table = Table(title=Text(printable(title)), title_justify="left")
    table.add_column("")
    table.add_column("amount", justify="right")
    table.add_column("share", width=BAR_WIDTH)
    return table


def _section(table: Table, name: str, lines: Iterable[Line], currency: str, largest: int) -> None:
    table.add_row(name, "", "", style="bold")
    for line in lines:
        _row(table, f"  {line.code}", line.amount_minor, currency, largest)
    table.add_section()


def _row(table: Table, name: str, amount_minor: int, currency: str, largest: int) -> None:
    bar: RenderableType = Bar(largest, 0, amount_minor, width=BAR_WIDTH) if amount_minor > 0 else ""
    table.add_row(name, plain_amount(amount_minor, currency), bar)


def _total(table: Table, name: str, amount_minor: int, currency: str) -> None:
    table.add_row(name, plain_amount(amount_minor, currency), "", style="bold")
    table.add_section()
