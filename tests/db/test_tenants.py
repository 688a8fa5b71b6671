"""Two tenants on one database: what a reader of one can see of the other, table by table and by every other door."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest

from ops.tenants.readers import GrantError, grant, revoke
from tests.engines import broken_laws, feeds
from tests.shop import event, fees, request, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database

PASSWORD: Final = "only-for-this-test"  # noqa: S105
TENANTS: Final = ("acme", "zeta")

RELATIONS = """
SELECT c.relname,
    EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant') AS has_tenant
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm') ORDER BY 1
"""


async def fill(database: Database, admin: Connection) -> None:
    """Both tenants do the same: pay, wait, misspell, and close the books."""
    async with (
        feeds(database.app_url, 1) as (shops,),
        feeds(database.app_url, 1, "ledger.commands") as (books,),
    ):
        for tenant in TENANTS:
            await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", tenant)
            actor = {"id": "grace", "role": "finance"}
            closing = {"idempotency_key": "k", "period": "2026-10", "actor": actor}
            await shops.take(
                fees(tenant=tenant),
                sale("s", "o1", tenant=tenant, time="2026-10-20T10:00:00Z"),
                request("r", "o2", tenant=tenant),
                sale("waits", "o3", merchant="nobody", tenant=tenant),
                event("bad", "checkout.no_such_type", {}, tenant=tenant),
            )
            await books.take(event("close", "ledger.period_close_requested", closing, tenant=tenant))
            await shops.take(sale("late", "o4", tenant=tenant, time="2026-10-21T10:00:00Z"))


@asynccontextmanager
async def logged_in(
    database: Database, admin: Connection, role: str, *tenants: str
) -> AsyncIterator[Connection]:
    """A session of a role that reads these tenants."""
    for tenant in tenants:
        await grant(admin, role, tenant, "root")
    await admin.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    connection = await asyncpg.connect(database.read_url, user=role, password=PASSWORD)
    try:
        yield connection
    finally:
        await connection.close()
        for tenant in tenants:
            await revoke(admin, role, tenant, "root")
        await admin.execute(f"DROP ROLE {role}")


async def seen(connection: Connection, relation: str) -> dict[str | None, int]:
    """Tenant -> rows that this session sees of it."""
    rows = await connection.fetch(f"SELECT tenant, count(*) FROM {relation} GROUP BY tenant")  # noqa: S608
    return {row["tenant"]: row["count"] for row in rows}


async def test_a_tenants_reader_sees_all_of_its_own_rows_and_none_of_another_s(
    database: Database, admin: Connection
) -> None:
    await fill(database, admin)
    filled = set()
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        for relation in await admin.fetch(RELATIONS):
            name = relation["relname"]
            if not relation["has_tenant"]:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await acme.fetch(f"SELECT FROM {name}")
                continue
            everything = await seen(admin, name)
            assert await seen(acme, name) == {t: n for t, n in everything.items() if t == "acme"}, name
            if {"acme", "zeta"} <= everything.keys():
                filled.add(name)
    assert {"inbox", "entries", "lines", "journal", "account_balances", "payments", "parked"} <= filled
    assert {"transitions", "provider_calls", "periods", "period_bounds", "entry_origins"} <= filled
    assert await broken_laws(admin) == []


async def test_a_dead_letter_of_nobody_known_is_seen_by_no_tenant(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (feed,):
        await feed.take(b"{", event("bad", "checkout.payment_recorded", {}, tenant="acme"))
    assert await admin.fetchval("SELECT count(*) FROM dead_letters WHERE tenant IS NULL") >= 1
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        assert await acme.fetchval("SELECT count(*) FROM dead_letters WHERE tenant IS NULL") == 0


DOORS: Final = [
    # what a reader of acme tries, to see or touch something of zeta
    "SELECT set_config('counterfoil.tenant', 'zeta', false), count(*) FROM payments WHERE tenant = 'zeta'",
    "SELECT count(*) FROM payments AS p, LATERAL (SELECT p.order_id) AS l WHERE p.tenant <> 'acme'",
    "SELECT count(*) FROM tenant_members WHERE tenant = 'zeta'",
    "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename NOT IN ('x')",
    "SELECT count(*) FROM (SELECT * FROM payments FOR KEY SHARE) AS p WHERE tenant = 'zeta'",
]


@pytest.mark.parametrize("statement", DOORS)
async def test_no_question_is_answered_about_another(
    database: Database, admin: Connection, statement: str
) -> None:
    await fill(database, admin)
    await admin.execute("ANALYZE")
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        try:
            *_, count = tuple((await acme.fetch(statement))[0])
        except asyncpg.InsufficientPrivilegeError:
            return
        assert count == 0


REFUSED: Final = [
    "SET ROLE counterfoil_app",
    "SET ROLE counterfoil_read",
    "SET ROLE counterfoil_owner",
    "SET SESSION AUTHORIZATION reader_of_zeta",
    "SET session_replication_role = replica",
    "SET row_security = off; SELECT count(*) FROM payments",
    "INSERT INTO tenant_members VALUES ('reader_of_acme', 'zeta', 'me')",
    "UPDATE tenant_members SET tenant = 'zeta'",
    "ALTER TABLE payments DISABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON payments USING (true)",
    "CALL secure_tenants()",
    "SELECT reserve_batch_id()",
    "SELECT settled_batch_id()",
    "SELECT last_value FROM batch_id_seq",
    "SELECT nextval('entry_id_seq')",
    "BEGIN; LOCK TABLE period_gate IN ROW SHARE MODE",
    "BEGIN; LOCK TABLE payments IN ROW SHARE MODE",
    "CREATE TABLE mine (x integer)",
    "SELECT * FROM payments FOR UPDATE",
    "DELETE FROM payments",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_a_reader_is_refused_whatever_is_more_than_reading(
    database: Database, admin: Connection, statement: str
) -> None:
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
            await acme.execute(statement)


async def test_a_function_that_tells_what_it_sees_is_not_asked_about_others_rows(
    database: Database, admin: Connection
) -> None:
    """A cheap function in a condition would run before the policy, were the policy no barrier."""
    await fill(database, admin)
    told: list[str] = []
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        acme.add_log_listener(lambda _, message: told.append(str(message)))
        await acme.execute(
            "CREATE FUNCTION pg_temp.leak(text) RETURNS boolean COST 0.000001 LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$"
        )
        for relation in ("payments", "journal", "account_balances", "inbox"):
            await acme.fetch(f"SELECT FROM {relation} WHERE pg_temp.leak(tenant)")
    assert any("saw acme" in line for line in told)
    assert not [line for line in told if "zeta" in line]


async def test_a_reader_in_the_groups_clothes_sees_nothing(database: Database, admin: Connection) -> None:
    await fill(database, admin)
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        assert await seen(acme, "payments") == {"acme": 3}
        await acme.execute("SET ROLE counterfoil_tenant")
        assert await seen(acme, "payments") == {}


async def test_a_role_may_read_two_tenants_and_loses_each_by_itself(
    database: Database, admin: Connection
) -> None:
    await fill(database, admin)
    async with logged_in(database, admin, "reader_of_both", "acme", "zeta") as both:
        assert set(await seen(both, "entries")) == {"acme", "zeta"}
        assert await revoke(admin, "reader_of_both", "zeta", "root")
        assert set(await seen(both, "entries")) == {"acme"}
        assert not await revoke(admin, "reader_of_both", "zeta", "root")
        assert await revoke(admin, "reader_of_both", "acme", "root")
        with pytest.raises(asyncpg.UndefinedTableError):  # the schema itself is hidden
            await both.fetch("SELECT FROM entries")
    log = await admin.fetch("SELECT action, tenant, object_id FROM audit_log WHERE object_type = 'role'")
    assert [row["action"] for row in log[:3]] == ["tenant.granted", "tenant.granted", "tenant.revoked"]


@pytest.mark.parametrize(
    "role", ["counterfoil_app", "counterfoil_read", "postgres", "pg_monitor", "", "x" * 64]
)
async def test_a_role_that_can_do_more_becomes_no_tenants_reader(admin: Connection, role: str) -> None:
    with pytest.raises(GrantError):
        await grant(admin, role, "acme", "root")
    assert await admin.fetchval("SELECT count(*) FROM tenant_members") == 0


OPENED: Final = [
    ("ALTER TABLE payments DISABLE ROW LEVEL SECURITY", "payments has no policy"),
    ("ALTER POLICY own_tenant ON payments USING (true)", "payments has no policy"),
    ("CREATE POLICY more ON entries FOR SELECT USING (true)", "entries has policy more"),
    ("CREATE TABLE fresh (tenant text)", "fresh has no policy"),
    ("GRANT SELECT ON outbox_batches TO counterfoil_tenant", "outbox_batches has no tenant"),
    ("ALTER VIEW journal SET (security_invoker = false)", "journal reads with its owner"),
    ("GRANT INSERT ON tenant_members TO counterfoil_tenant", "counterfoil_tenant may INSERT tenant_members"),
]


@pytest.mark.parametrize(("deed", "told"), OPENED, ids=[deed for deed, _ in OPENED])
async def test_check_finds_what_was_opened(admin: Connection, deed: str, told: str) -> None:
    assert await broken_laws(admin) == []
    await admin.execute(deed)
    assert told in " ".join(await broken_laws(admin))


async def plan(connection: Connection, statement: str) -> dict[str, Any]:
    """How PostgreSQL will answer."""
    return str(await connection.fetchval("EXPLAIN (VERBOSE, FORMAT JSON) " + statement))  # type: ignore[return-value]


async def test_policies_cost_the_application_nothing_and_let_a_tenant_use_the_index(
    database: Database, admin: Connection
) -> None:
    key = (
        "SELECT * FROM payments WHERE payment_id = '7c7f3a52-6f0e-5a55-8a3c-2f7f10a9f0bb' AND tenant = 'acme'"
    )
    await admin.execute("SET enable_seqscan = off")
    unguarded = await plan(admin, key)
    for url in (database.app_url, database.read_url):
        connection = await asyncpg.connect(url)
        await connection.execute("SET enable_seqscan = off")
        assert await plan(connection, key) == unguarded
        await connection.close()
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        await acme.execute("SET enable_seqscan = off")
        assert "payments_pkey" in str(await plan(acme, key))
