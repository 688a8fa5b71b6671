"""The totals of sheets: which codes make them, which accounts those, and which entries moved them; largest first."""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final

from db.queries import books
from db.queries import explain_totals as sql
from handlers.ledger.model import CHART, AccountType, Code
from ops.inspect.explain.balances import Shown, account_nodes, held_of
from ops.inspect.node import Node
from ops.inspect.words import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.connection import Connection
    from ops.inspect.explain.balances import Held, Span


class Total(StrEnum):
    """A total of the balance sheet or the income statement."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSES = "expenses"
    RESULT = "result"
    CLAIMS = "claims"


MADE_OF: Final[Mapping[Total, Mapping[AccountType, int]]] = {
    Total.ASSETS: {AccountType.ASSET: 1},
    Total.LIABILITIES: {AccountType.LIABILITY: 1},
    Total.EQUITY: {AccountType.EQUITY: 1},
    Total.REVENUE: {AccountType.REVENUE: 1},
    Total.EXPENSES: {AccountType.EXPENSE: 1},
    Total.RESULT: {AccountType.REVENUE: 1, AccountType.EXPENSE: -1},
    Total.CLAIMS: {
        AccountType.LIABILITY: 1,
        AccountType.EQUITY: 1,
        AccountType.REVENUE: 1,
        AccountType.EXPENSE: -1,
    },
}
"""Total -> the types of accounts that it adds up, or takes off with -1. Claims: liabilities, equity and result."""


async def explain_total(
    connection: Connection,
    total: Total,
    *,
    tenant: str | None = None,
    currency: str | None = None,
    span: Span | None = None,
    shown: Shown | None = None,
) -> list[Node]:
    """A total for each tenant and currency. With a span, of the lines of that time."""
    how = shown or Shown(last=3, accounts=3, largest=True, brief=True)
    types = MADE_OF[total]
    asked = {"types": list(types), "currency": currency, "most": how.accounts}
    if span is None:
        rows = await sql.largest_accounts(connection, code=None, owner=None, tenant=tenant, **asked)
    else:
        since, before = await span.bounds(connection, tenant)
        dates = {"tenants": list(before), "sinces": [since[whose] for whose in before], "basis": span.basis}
        async with connection.transaction():
            await books.plan_for_lookups(connection)
            rows = await sql.largest_accounts_between(
                connection, ends=list(before.values()), **dates, **asked
            )
    held = [one for one in held_of(rows) if one.lines]
    accounts = await account_nodes(connection, [one for group in held for one in group.accounts], span, how)
    nodes = []
    for (whose, unit), group in groupby(held, key=_books):
        codes = sorted(group, key=lambda one: -abs(one.balance_minor))
        sum_minor = sum(types[one.accounts[0].type] * one.balance_minor for one in codes)
        children = tuple(_code_node(one, types, accounts) for one in codes)
        when = f", {span.name}" if span is not None else ""
        text = f"{total} of {whose} in {unit}{when}: {amount(sum_minor, unit)}"
        facts = {"total": total, "tenant": whose, "currency": unit, "amount_minor": sum_minor}
        nodes.append(Node("total", text, facts, children))
    return nodes


def _books(held: Held) -> tuple[str, str]:
    return held.accounts[0].tenant, held.accounts[0].currency


def _code_node(held: Held, types: Mapping[AccountType, int], accounts: dict[int, Node]) -> Node:
    first = held.accounts[0]
    sign = "less " if types[first.type] < 0 else ""
    about = f" {CHART[Code(first.code)].about}" if first.code in set(Code) else ""
    there = "1 account" if held.there == 1 else f"{held.there:,} accounts"
    text = f"{sign}{amount(held.balance_minor, first.currency)} {first.code} ({first.type}), {there}.{about}"
    hidden = held.there - len(held.accounts)
    rest = held.balance_minor - sum(one.balance_minor for one in held.accounts)
    more = f"and {hidden:,} more accounts that hold {amount(rest, first.currency)} together; see them with --accounts"
    children = tuple(accounts[one.account_id] for one in held.accounts)
    facts = {
        "code": first.code,
        "type": first.type,
        "balance_minor": held.balance_minor,
        "accounts": held.there,
    }
    return Node("code", text, facts, (*children, *((Node("rest", more),) if hidden else ())))
