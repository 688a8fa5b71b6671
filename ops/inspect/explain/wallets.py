"""A wallet: its accounts in the order of spending, its limits, its holds, what moved it last; and a hold."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from db.queries import explain as sql
from db.queries import explain_totals as totals
from handlers.wallets.families import FAMILIES
from ops.inspect.explain.moved import moved_nodes
from ops.inspect.explain.objects import KINDS, uuid_of
from ops.inspect.explain.story import MOST, Story, commands_about
from ops.inspect.explain.teller import Teller
from ops.inspect.explain.trail import Trail
from ops.inspect.node import Node
from ops.inspect.words import amount, moment
from schemas.wallet import wallet_name

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection

SETTLED: Final = ("ledger.wallet_opened", "ledger.wallet_limit_set")
"""Commands that move no account and leave no step."""
MOST_ACCOUNTS: Final = 30
"""Accounts of a wallet that are told; a customer of many years has many grants."""


async def explain_wallet(
    connection: Connection,
    owner_id: str,
    currency: str,
    tenant: str | None = None,
    *,
    family: str | None = None,
    last: int = 10,
) -> list[Node]:
    """The owner's wallets in a currency, with the last entries that moved one of their accounts."""
    families = [family] if family is not None else list(FAMILIES)
    names = [wallet_name(one, owner_id, currency) for one in families]
    rows = await sql.wallets_named(connection, names=names, tenant=tenant)
    return [await _wallet(connection, row, last) for row in rows]


async def explain_hold(
    connection: Connection,
    name: str,
    tenant: str | None = None,
    *,
    wallet: str | None = None,
    last: int = MOST,
) -> list[Node]:
    """Holds by our id, or by the caller's, which is one's own within a wallet."""
    rows = await sql.holds_named(
        connection, name=name, object_id=uuid_of(name), tenant=tenant, wallet=wallet, most=last
    )
    return [await _hold(connection, row, last) for row in rows]


async def _hold(connection: Connection, hold: asyncpg.Record, last: int) -> Node:
    story = await Story.load(connection, hold["tenant"], [hold["object_id"]], most=last)
    kind = KINDS["hold"]
    gone = story.removed(hold["object_id"], hold["version"])
    return kind.node(hold, (*kind.details(hold), *gone, *await story.chapters(connection)))


async def _wallet(connection: Connection, wallet: asyncpg.Record, last: int) -> Node:
    tenant, name = wallet["tenant"], wallet["name"]
    accounts = await sql.wallet_accounts(connection, tenant=tenant, name=name)
    limits = await sql.wallet_limits(connection, tenant=tenant, name=name)
    holds = await sql.open_holds(connection, tenant=tenant, name=name, most=last)
    settled = await commands_about(connection, tenant, name, SETTLED, last)
    lines = await totals.newest_lines(
        connection,
        tenants=[tenant] * len(accounts),
        account_ids=[row["account_id"] for row in accounts],
        among=last,
        most=last,
        largest=False,
    )
    newest = {line["entry_id"]: line for line in lines}
    chosen = [newest[entry_id] for entry_id in sorted(newest, reverse=True)[:last]]
    moved = await moved_nodes(connection, chosen)
    entries = sorted(chain.from_iterable(moved.values()), key=_number, reverse=True)
    causes = [(tenant, row["source"], row["event_id"]) for row in settled]
    teller = Teller(await Trail.follow(connection, causes))
    about = tuple(teller.message(cause) for cause in causes)
    names = (
        "tenant",
        "name",
        "family",
        "owner_id",
        "currency",
        "version",
        "limits",
        "opened_at",
        "updated_at",
    )
    children = (
        *_account_nodes(wallet, accounts),
        *(_limit_node(row, wallet["currency"]) for row in limits[-last:]),
        *_hold_nodes(holds),
        *about,
        *entries,
    )
    return Node(
        "wallet", _wallet_text(wallet, accounts), {column: wallet[column] for column in names}, children
    )


def _number(node: Node) -> int:
    entry_id: int = node.facts["entry_id"]
    return entry_id


def _wallet_text(wallet: asyncpg.Record, accounts: list[asyncpg.Record]) -> str:
    posted, held = (sum(row[name] for row in accounts) for name in ("posted_minor", "held_minor"))
    return (
        f"wallet {wallet['name']} ({wallet['tenant']}): {amount(posted, wallet['currency'])} in {len(accounts):,} "
        f"accounts, of which {amount(held, wallet['currency'])} are held; open since {moment(wallet['opened_at'])}"
    )


def _account_nodes(wallet: asyncpg.Record, accounts: list[asyncpg.Record]) -> tuple[Node, ...]:
    """Those that hold something first of all; grants that are used up are counted."""
    live = [row for row in accounts if row["expires_at"] is None or row["posted_minor"] or row["held_minor"]]
    nodes = [_account_node(row, wallet["currency"]) for row in live[:MOST_ACCOUNTS]]
    if len(live) > len(nodes):
        nodes.append(Node("rest", f"and {len(live) - len(nodes):,} more accounts"))
    if len(accounts) > len(live):
        nodes.append(Node("rest", f"and {len(accounts) - len(live):,} grants that are used up or expired"))
    return tuple(nodes)


def _account_node(row: asyncpg.Record, currency: str) -> Node:
    held = f", {amount(row['held_minor'], currency)} held" if row["held_minor"] else ""
    overdraft = (
        f", may be overdrawn by {amount(row['overdraft_minor'], currency)}" if row["overdraft_minor"] else ""
    )
    until = f", until {moment(row['expires_at'])}" if row["expires_at"] is not None else ""
    text = (
        f"{row['account']} of {row['owner']}: {amount(row['posted_minor'], currency)}{held}{overdraft}{until} "
        f"(priority {row['priority']})"
    )
    return Node("account", text, dict(row))


def _limit_node(row: asyncpg.Record, currency: str) -> Node:
    why = f": {row['note']}" if row["note"] else ""
    text = (
        f"limit version {row['version']}, {moment(row['set_at'])}: {row['account']} may be overdrawn by "
        f"{amount(row['overdraft_minor'], currency)}, set by {row['set_by']}{why}"
    )
    return Node("limit", text, dict(row))


def _hold_nodes(holds: list[asyncpg.Record]) -> tuple[Node, ...]:
    kind = KINDS["hold"]
    hidden = holds[0]["there"] - len(holds) if holds else 0
    rest = (Node("rest", f"and {hidden:,} more holds; see them with --last"),) if hidden else ()
    return (*(kind.node(row, kind.details(row)) for row in holds), *rest)
