"""Sales written by hand, and the chain over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.verify import verify
from producers.chain.builder import seal
from tests.brokers import until

if TYPE_CHECKING:
    from ops.verify import Verdict
    from producers.chain.keys import Signer
    from tests.conftest import Connection


@dataclass(frozen=True)
class Sale:
    """What an entry says; its texts may be anything that PostgreSQL can keep."""

    tenant: str = "acme"
    rule: str = "sale"
    object_id: str = "o1"
    source: str = "/shops/a"
    event_id: str = "e1"
    owner: str = "m1"
    minor: int = 1999


async def write(connection: Connection, sale: Sale = Sale()) -> int:
    """Post a sale within the caller's transaction, or in one of its own; its entry's id."""
    async with connection.transaction():
        accounts = [
            await _account(connection, sale, code, kind)
            for code, kind in (("terminal_receivable", "asset"), ("merchant_payable", "liability"))
        ]
        entry_id: int = await connection.fetchval(
            "INSERT INTO entries (tenant, entry_id, rule, object_type, object_id, source, event_id, legs,"
            " effective_at, posted_at) VALUES ($1, nextval('entry_id_seq'), $2, 'payment', $3, $4, $5, 2,"
            " '1969-07-20T20:17:40.000001Z', clock_timestamp()) RETURNING entry_id",
            *(sale.tenant, sale.rule, sale.object_id, sale.source, sale.event_id),
        )
        await connection.execute(
            "INSERT INTO lines SELECT $1, $2, l.line, l.account_id, 3 - 2 * l.line, $3, 'EUR'"
            " FROM unnest($4::bigint[]) WITH ORDINALITY AS l (account_id, line)",
            *(sale.tenant, entry_id, sale.minor, accounts),
        )
        await connection.execute(
            "INSERT INTO balances AS b SELECT $1, l.account_id, 0, (2 - l.line) * $2, (l.line - 1) * $2, 1"
            " FROM unnest($3::bigint[]) WITH ORDINALITY AS l (account_id, line)"
            " ON CONFLICT (account_id, stripe, tenant) DO UPDATE SET lines = b.lines + 1,"
            " debit_minor = b.debit_minor + excluded.debit_minor,"
            " credit_minor = b.credit_minor + excluded.credit_minor",
            *(sale.tenant, sale.minor, accounts),
        )
    return entry_id


async def _account(connection: Connection, sale: Sale, code: str, kind: str) -> int:
    name = (sale.tenant, code, sale.owner)
    await connection.execute(
        "INSERT INTO accounts (tenant, code, owner, currency, type) VALUES ($1, $2, $3, 'EUR', $4)"
        " ON CONFLICT DO NOTHING",
        *(*name, kind),
    )
    found: int = await connection.fetchval(
        "SELECT account_id FROM accounts WHERE (tenant, code, owner) = ($1, $2, $3)", *name
    )
    return found


async def sealed_ids(connection: Connection) -> list[int]:
    """Entries in blocks, in the order of the chain."""
    rows = await connection.fetch("SELECT entry_ids FROM chain_blocks ORDER BY through_xid, tenant")
    return [entry_id for row in rows for entry_id in row["entry_ids"]]


async def seal_all(connection: Connection, signer: Signer | None = None, **more: Any) -> None:
    """Seal every entry, in one round when it may have that many: after whatever else runs on the server."""

    async def nothing_held_back() -> bool:
        return not await connection.fetchval(
            "SELECT exists(SELECT FROM entries WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))"
        )

    await until(nothing_held_back)
    while (await seal(connection, signer, **more))[0]:
        continue


async def verified(connection: Connection, **more: Any) -> Verdict:
    """What `verify` says now."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await verify(connection, **more)
