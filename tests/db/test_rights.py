"""Who may do what, as a table: whoever changes a right changes it here, and says why in the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from ops.checks.guards import HISTORY

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

# What the application may do beyond reading. Columns are those that may be updated.
APPLICATION = {
    "account_marks": "INSERT UPDATE",
    "account_slices": "INSERT",
    "account_sums": "INSERT UPDATE",
    "accounts": "INSERT",
    "audit_log": "INSERT",
    "balances": "INSERT UPDATE",
    "chain_blocks": "INSERT",
    "closing_balances": "INSERT",
    "clocks": "INSERT UPDATE",
    "dead_letters": "INSERT replayed_at",
    "dispute_evidence": "INSERT",
    "disputes": "INSERT UPDATE",
    "entries": "INSERT",
    "entry_links": "INSERT",
    "entry_reversals": "INSERT UPDATE",
    "entry_origins": "INSERT",
    "entry_references": "INSERT",
    "fee_schedules": "INSERT",
    "holds": "INSERT UPDATE",
    "idempotency_keys": "INSERT event_id expires_at fingerprint outcome reason source",
    "inbox": "INSERT batch_id detail outcome reason",
    "inbox_conflicts": "INSERT",
    "intake": "INSERT UPDATE",
    "journal_batches": "INSERT",
    "journal_lines": "INSERT",
    "journals": "INSERT UPDATE",
    "lines": "INSERT",
    "order_documents": "INSERT",
    "outbox_batches": "INSERT",
    "parked": "DELETE INSERT UPDATE",
    "payments": "INSERT UPDATE",
    "period_bounds": "INSERT",
    "period_closings": "INSERT",
    "period_gate": "INSERT",
    "periods": "INSERT UPDATE",
    "provider_answers": "INSERT",
    "provider_calls": "INSERT answered_at claimed_by due_at lease_until status tries unknown_since",
    "refund_counts": "INSERT UPDATE",
    "refund_policies": "INSERT",
    "refunds": "INSERT UPDATE",
    "relay_cursor": "UPDATE",
    "timers": "INSERT published_at",
    "transitions": "INSERT",
    "wallet_buckets": "INSERT UPDATE",
    "wallet_limits": "INSERT",
    "wallets": "INSERT UPDATE",
    "webhooks": "INSERT",
}

RIGHTS = """
SELECT relname, string_agg(granted, ' ' ORDER BY granted = lower(granted), granted) AS rights
FROM (
    SELECT c.relname, a.privilege_type AS granted
    FROM pg_class AS c CROSS JOIN aclexplode(c.relacl) AS a
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm')
        AND a.grantee = $1::regrole AND a.privilege_type <> 'SELECT'
    UNION ALL
    SELECT c.relname, t.attname
    FROM pg_attribute AS t JOIN pg_class AS c ON c.oid = t.attrelid CROSS JOIN aclexplode(t.attacl) AS a
    WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = $1::regrole
) AS g
GROUP BY relname
"""


async def rights(admin: Connection, role: str) -> dict[str, str]:
    """What a role was granted beyond reading."""
    return {row["relname"]: row["rights"] for row in await admin.fetch(RIGHTS, role)}


async def test_the_applications_rights_are_exactly_these(admin: Connection) -> None:
    assert await rights(admin, "counterfoil_app") == APPLICATION


async def test_readers_only_read(admin: Connection) -> None:
    assert await rights(admin, "counterfoil_read") == {}


async def test_nobody_else_was_granted_anything(admin: Connection) -> None:
    grantees = await admin.fetch(
        "SELECT DISTINCT grantee FROM information_schema.table_privileges"
        " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    )
    assert {row["grantee"] for row in grantees} == {
        "counterfoil_owner",
        "counterfoil_app",
        "counterfoil_read",
        "counterfoil_tenant",
    }


async def test_the_owner_owns_every_table_and_cannot_log_in(admin: Connection) -> None:
    owners = await admin.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    assert [row["tableowner"] for row in owners] == ["counterfoil_owner"]
    assert not await admin.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'counterfoil_owner'")


@pytest.mark.parametrize("table", HISTORY)
async def test_the_application_cannot_rewrite_history(database: Database, table: str) -> None:
    connection = await asyncpg.connect(database.app_url)
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}"):  # noqa: S608
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    for escape in ("SET ROLE counterfoil_owner", "SET session_replication_role = replica"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(escape)
    await connection.close()
