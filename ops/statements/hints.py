"""Under a statement or sheet: the command that explains its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.inspect.hints import explain_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from ops.statements.moments import Basis
    from ops.statements.sheets import BalanceSheet, IncomeStatement
    from ops.statements.statement import Statement


def statement_hint(told: Statement) -> str:
    """What explains opening and closing."""
    account, period = told.account, told.period
    whose = {"tenant": account.tenant, "owner": account.owner, "currency": account.currency}
    dated = {"period": period.name, "zone": str(period.zone)}
    return explain_command("balance", account.code, **whose, **dated, basis=told.basis)


def balance_sheet_hint(
    sheet: BalanceSheet, zones: Mapping[str, ZoneInfo], as_of: str | None, basis: Basis
) -> str | None:
    """What explains its total of assets; nothing where each line is zero."""
    if not any(line.amount_minor for line in sheet.assets):
        return None
    whose = {"tenant": sheet.tenant, "currency": sheet.currency, "zone": zones[sheet.tenant].key}
    return explain_command("total", "assets", **whose, as_of=as_of, basis=basis)


def income_statement_hint(
    told: IncomeStatement, zones: Mapping[str, ZoneInfo], period: str, basis: Basis
) -> str | None:
    """What explains its result; nothing where each line is zero."""
    if not any(line.amount_minor for line in (*told.revenue, *told.expenses)):
        return None
    whose = {"tenant": told.tenant, "currency": told.currency, "zone": zones[told.tenant].key}
    return explain_command("total", "result", **whose, period=period, basis=basis)
