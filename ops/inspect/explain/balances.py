"""A balance, down to the entries that made it and the messages they follow from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.queries import explain as sql
from handlers.ledger.model import CHART, Code
from ops.inspect.balances import AccountBalance, balances
from ops.inspect.explain.entries import entry_node, load_lines
from ops.inspect.explain.messages import identity, load_messages, node_of
from ops.inspect.node import Node
from ops.inspect.words import amount

if TYPE_CHECKING:
    from db.connection import Connection


async def explain_balance(
    connection: Connection,
    code: str,
    *,
    tenant: str | None = None,
    owner: str | None = None,
    currency: str | None = None,
    last: int = 10,
) -> list[Node]:
    """Each account of that name, with the last entries that moved it, newest first."""
    accounts = await balances(connection, code, tenant=tenant, owner=owner, currency=currency)
    return [await _explained(connection, account, last) for account in accounts]


async def _explained(connection: Connection, account: AccountBalance, last: int) -> Node:
    tenant = account.tenant
    entries = await sql.last_entries_of_account(
        connection, tenant=tenant, account_id=account.account_id, most=last
    )
    lines = await load_lines(connection, tenant, entries)
    messages = await load_messages(connection, map(identity, entries))
    moved = tuple(entry_node(entry, lines, node_of(messages, identity(entry))) for entry in entries)
    return _balance_node(account, moved)


def _balance_node(account: AccountBalance, moved: tuple[Node, ...]) -> Node:
    def money(amount_minor: int) -> str:
        return amount(amount_minor, account.currency)

    about = f" {CHART[Code(account.code)].about}" if account.code in set(Code) else ""
    text = (
        f"{account.code} of {account.owner} ({account.tenant}): {money(account.balance_minor)}; debits "
        f"{money(account.debit_minor)}, credits {money(account.credit_minor)}, {account.lines} lines.{about}"
    )
    names = (
        "tenant",
        "account_id",
        "code",
        "owner",
        "currency",
        "type",
        "debit_minor",
        "credit_minor",
        "lines",
    )
    facts = {name: getattr(account, name) for name in (*names, "balance_minor")}
    shown = sum(
        child.kind == "line" and child.facts["account_id"] == account.account_id
        for entry in moved
        for child in entry.children
    )
    earlier = account.lines - shown
    rest = (Node("rest", f"and {earlier} earlier lines; see them with --last"),) if earlier > 0 else ()
    return Node("balance", text, facts, (*moved, *rest))
