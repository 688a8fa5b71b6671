"""A balance, now or as of a moment, down to the lines that made it and the messages they follow from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from db.queries import books
from db.queries import explain_totals as sql
from handlers.ledger.model import CHART, DEBIT, AccountType, Code
from ops.inspect.balances import AccountBalance, balances_before
from ops.inspect.explain.moved import line_nodes, moved_nodes
from ops.inspect.node import Node
from ops.inspect.words import amount
from ops.statements.calendars import Ends, each_before
from ops.statements.moments import Basis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from db.connection import Connection

MOST_ACCOUNTS: Final = 10
"""Accounts of a code, the largest."""
START_OF_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)
AMONG: Final = 10_000
"""The newest lines of an account among which the largest are looked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """Of which time lines are told: from `since` up to but without `before`, dated by `basis`. `name` for people.

    Each bound is one for all, or each tenant's own, in whose zone a day ends.
    """

    since: Ends
    before: Ends
    basis: Basis
    name: str

    async def bounds(
        self, connection: Connection, tenant: str | None = None
    ) -> tuple[Mapping[str, datetime], Mapping[str, datetime]]:
        """Tenant -> where its time begins, and where it ends."""
        since = await each_before(connection, self.since, tenant)
        return since, await each_before(connection, self.before, tenant)


@dataclass(frozen=True, slots=True)
class Shown:
    """How much is told of each account: so many lines; the newest, or the largest of the newest AMONG."""

    last: int = 10
    accounts: int = MOST_ACCOUNTS
    largest: bool = False
    brief: bool = False
    """A sentence for each line, without its entry and messages."""


@dataclass(frozen=True, slots=True)
class Held:
    """The largest accounts of a code in one currency, and what all of them hold together."""

    accounts: tuple[AccountBalance, ...]
    there: int
    balance_minor: int
    lines: int


async def explain_balance(
    connection: Connection,
    code: str,
    *,
    tenant: str | None = None,
    owner: str | None = None,
    currency: str | None = None,
    span: Span | None = None,
    shown: Shown | None = None,
) -> list[Node]:
    """Each account of that name, largest first, with the last lines that moved it.

    Where a code has several accounts in a currency, below what they hold together.
    """
    asked = {"tenant": tenant, "owner": owner, "currency": currency}
    how = shown or Shown()
    opened: dict[int, AccountBalance] = {}
    if span is None:
        held = held_of(
            await sql.largest_accounts(connection, types=None, code=code, most=how.accounts, **asked)
        )
    else:
        held = await _held_before(connection, code, span, how.accounts, asked)
        if span.since != START_OF_TIME:
            rows = await balances_before(connection, code, span.since, span.basis, **asked)
            opened = {account.account_id: account for account in rows}
    accounts = [account for group in held for account in group.accounts]
    nodes = await account_nodes(connection, accounts, span, how, opened)
    return [_group_node(group, nodes, span) for group in held]


async def account_nodes(
    connection: Connection,
    accounts: Sequence[AccountBalance],
    span: Span | None,
    shown: Shown,
    opened: Mapping[int, AccountBalance] | None = None,
) -> dict[int, Node]:
    """Account id -> its balance with the lines that made it; the same queries for all of them.

    `opened` is what they held when the span began, where that is told.
    """
    if not accounts:
        return {}
    named = {
        "tenants": [account.tenant for account in accounts],
        "account_ids": [account.account_id for account in accounts],
    }
    bounded = {"among": AMONG if shown.largest else shown.last, "most": shown.last, "largest": shown.largest}
    by_lines: dict[int, asyncpg.Record] = {}
    if span is None:
        lines = await sql.newest_lines(connection, **named, **bounded)
        rows = await sql.held_by_lines(connection, **named)
        by_lines = {row["account_id"]: row for row in rows}
    else:
        since, before = await span.bounds(connection)
        dates = {
            "sinces": [since[account.tenant] for account in accounts],
            "ends": [before[account.tenant] for account in accounts],
            "basis": span.basis,
        }
        async with connection.transaction():
            await books.plan_for_lookups(connection)
            lines = await sql.lines_between(connection, **named, **bounded, **dates)
    moved = line_nodes(lines) if shown.brief else await moved_nodes(connection, lines)
    told: dict[int, int] = {}
    for line in lines:
        told[line["moved_account_id"]] = told.get(line["moved_account_id"], 0) + 1
    return {
        account.account_id: _balance_node(
            account,
            moved.get(account.account_id, ()),
            told.get(account.account_id, 0),
            _opening(account, opened or {}) or _differs(account, by_lines.get(account.account_id)),
            span,
        )
        for account in accounts
    }


def held_of(rows: Sequence[asyncpg.Record]) -> list[Held]:
    """Rows of largest_accounts, by tenant, currency and code."""
    groups = []
    for _, group in groupby(rows, key=lambda row: (row["tenant"], row["currency"], row["code"])):
        some = list(group)
        grown = grows(some[0]["type"], int(some[0]["all_debit_minor"]), int(some[0]["all_credit_minor"]))
        accounts = tuple(map(_account, some))
        groups.append(Held(accounts, some[0]["accounts"], grown, int(some[0]["all_lines"])))
    return groups


def grows(kind: str, debit_minor: int, credit_minor: int) -> int:
    """What a turnover adds to accounts of a type, positive on the side on which they grow."""
    grown = debit_minor - credit_minor
    return grown if AccountType(kind).normal_side == DEBIT else -grown


async def _held_before(
    connection: Connection, code: str, span: Span, most: int, asked: dict[str, Any]
) -> list[Held]:
    """What the accounts of a code held at the end of a span, from the slices of long accounts."""
    accounts = await balances_before(connection, code, span.before, span.basis, **asked)
    groups = []
    by_currency = sorted(accounts, key=lambda one: (one.tenant, one.currency))
    for _, group in groupby(by_currency, key=lambda one: (one.tenant, one.currency)):
        largest = sorted(group, key=lambda one: (-abs(one.balance_minor), one.account_id))
        total = sum(one.balance_minor for one in largest)
        groups.append(Held(tuple(largest[:most]), len(largest), total, sum(one.lines for one in largest)))
    return groups


def _account(row: asyncpg.Record) -> AccountBalance:
    values: dict[str, Any] = {
        name: row[name] for name in ("tenant", "code", "currency", "account_id", "owner")
    }
    values |= {name: int(row[name]) for name in ("debit_minor", "credit_minor", "lines")}
    return AccountBalance(type=AccountType(row["type"]), **values)


def _group_node(held: Held, nodes: dict[int, Node], span: Span | None) -> Node:
    """One account by itself; several below their total."""
    first = held.accounts[0]
    children = tuple(nodes[account.account_id] for account in held.accounts)
    if held.there == 1:
        return children[0]
    rest = held.balance_minor - sum(account.balance_minor for account in held.accounts)
    hidden = held.there - len(held.accounts)
    more = f"and {hidden:,} more accounts that hold {amount(rest, first.currency)} together; see them with --accounts"
    holding = amount(held.balance_minor, first.currency)
    text = (
        f"{first.code} of {first.tenant} in {first.currency}{_when(span)}: {holding} in {held.there:,} accounts, "
        f"{held.lines:,} lines; the largest first.{_about(first.code)}"
    )
    facts = {
        "tenant": first.tenant,
        "code": first.code,
        "currency": first.currency,
        "balance_minor": held.balance_minor,
        "accounts": held.there,
        "lines": held.lines,
    }
    return Node("total", text, facts, (*children, *((Node("rest", more),) if hidden else ())))


def _balance_node(
    account: AccountBalance,
    moved: tuple[Node, ...],
    told: int,
    notes: tuple[Node, ...],
    span: Span | None,
) -> Node:
    def money(amount_minor: int) -> str:
        return amount(amount_minor, account.currency)

    text = (
        f"{account.code} of {account.owner} ({account.tenant}){_when(span)}: {money(account.balance_minor)}; debits "
        f"{money(account.debit_minor)}, credits {money(account.credit_minor)}, {account.lines} lines."
        f"{_about(account.code)}"
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
    before = sum(note.facts["lines"] for note in notes if note.kind == "opening")
    earlier = account.lines - before - told
    rest = (Node("rest", f"and {earlier} earlier lines; see them with --last"),) if earlier > 0 else ()
    return Node("balance", text, facts, (*notes, *moved, *rest))


def _opening(account: AccountBalance, opened: Mapping[int, AccountBalance]) -> tuple[Node, ...]:
    """What it held when the span began, and by how much that has changed."""
    before = opened.get(account.account_id)
    if before is None:
        return ()
    grown = amount(account.balance_minor - before.balance_minor, account.currency)
    text = (
        f"opening {amount(before.balance_minor, account.currency)}; {account.lines - before.lines:,} lines of the "
        f"period changed it by {grown}"
    )
    facts = {"opening_minor": before.balance_minor, "lines": before.lines}
    return (Node("opening", text, facts),)


def _differs(account: AccountBalance, by_lines: asyncpg.Record | None) -> tuple[Node, ...]:
    """That the balance is not the sum of its lines: somebody changed it, or took lines away."""
    kept = (account.debit_minor, account.credit_minor, account.lines)
    if by_lines is None:
        return ()
    summed = (by_lines["debit_minor"], by_lines["credit_minor"], by_lines["lines"])
    if kept == summed:
        return ()
    debits, credits_ = (amount(minor, account.currency) for minor in summed[:2])
    text = f"BUT ITS LINES SAY: debits {debits}, credits {credits_}, {summed[2]} lines, which breaks law 2"
    return (Node("missing", text, {"from_lines": dict(by_lines)}),)


def _when(span: Span | None) -> str:
    return f", {span.name}" if span is not None else ""


def _about(code: str) -> str:
    return f" {CHART[Code(code)].about}" if code in set(Code) else ""
