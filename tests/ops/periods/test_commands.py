"""What people see of periods and of tenants' readers on the command line; and closings taken by two at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from ops.cli import periods, tenants
from ops.periods.closings import take_closings
from ops.statements.slices import slice_accounts
from tests.consumers.test_periods import OCTOBER, Shop, about, close, shop
from tests.engines import broken_laws
from tests.shop import TENANT, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

__all__ = ["shop"]


class Commands:
    """The command line, pointed at one database."""

    def __init__(self, database: Database, kafka: str) -> None:
        self._app = typer.Typer()
        for group in (periods, tenants):
            self._app.add_typer(group.commands)
        self._environment = {
            "DATABASE_URL": database.app_url,
            "DATABASE_READ_URL": database.read_url,
            "DATABASE_ADMIN_URL": database.admin_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
        }

    async def run(self, *arguments: str, code: int = 0) -> Result:
        """A command as from a shell; `code` is the exit code that it must have."""
        result = await asyncio.to_thread(CliRunner().invoke, self._app, arguments, env=self._environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    async def json(self, *arguments: str) -> Any:
        """What it prints with `--json`."""
        return orjson.loads((await self.run(*arguments, "--json")).stdout)


@pytest.fixture
def cli(database: Database, kafka: str) -> Commands:
    """The commands, for the test's database."""
    return Commands(database, kafka)


async def test_periods_their_balances_and_what_came_late_are_shown(cli: Commands, shop: Shop) -> None:
    await shop.take(close(), sale("late", "o3", time=OCTOBER))
    assert "no balances" in (await cli.run("periods", "show", TENANT, "2026-10", code=1)).stderr
    assert (await cli.run("periods", "snapshot")).stdout == "acme 2026-10: 3 accounts, 3 lines\n"
    assert (await cli.run("periods", "snapshot")).stdout == ""
    (row,) = await cli.json("periods", "list")
    assert (row["period"], row["state"], row["accounts"]) == ("2026-10", "closed", 3)
    held = {
        row["code"]: row["debit_minor"] - row["credit_minor"]
        for row in await cli.json("periods", "show", TENANT, "2026-10")
    }
    assert held == {"terminal_receivable": 1999, "merchant_payable": -1919, "platform_fee_revenue": -80}
    (late,) = await cli.json("periods", "late", "--period", "2026-10")
    assert (late["rule"], late["origin_effective_at"]) == ("terminal_sale", "2026-10-20T10:00:00+00:00")
    for command in (("periods", "list"), ("periods", "late"), ("periods", "show", TENANT, "2026-10")):
        assert "2026-10" in (await cli.run(*command)).stdout
    await shop.take(about("ask", "reopening_requested"))
    (row,) = await cli.json("periods", "list", "--tenant", TENANT)
    assert (row["state"], row["reopening_requested_by"]) == ("reopening_requested", "grace")


async def test_a_command_that_nobody_could_read_is_refused_before_it_is_sent(cli: Commands) -> None:
    assert "period" in (await cli.run("periods", "close", TENANT, "October", code=1)).stderr
    assert "zone" in (await cli.run("periods", "calendar", TENANT, "Mars/Olympus", code=1)).stderr


async def test_readers_are_granted_listed_and_revoked(cli: Commands, admin: Connection) -> None:
    told = await cli.run("tenants", "grant", "reader_by_command", TENANT, "--actor", "root")
    assert "no password" in told.stdout
    assert "no password" not in (await cli.run("tenants", "grant", "reader_by_command", TENANT)).stdout
    (row,) = await cli.json("tenants", "list")
    assert (row["role_name"], row["tenant"], row["granted_by"]) == ("reader_by_command", TENANT, "root")
    assert (
        "is no tenant" in (await cli.run("tenants", "grant", "reader_by_command", "No Tenant", code=1)).stderr
    )
    assert "1 to 63 bytes" in (await cli.run("tenants", "grant", "counterfoil_read", TENANT, code=1)).stderr
    await cli.run("tenants", "revoke", "reader_by_command", TENANT)
    assert "does not read" in (await cli.run("tenants", "revoke", "reader_by_command", TENANT, code=1)).stderr
    assert await admin.fetchval("SELECT count(*) FROM tenant_members") == 0
    await admin.execute("DROP ROLE reader_by_command")


async def test_two_who_take_closings_at_once_take_each_once_also_from_slices(
    database: Database, admin: Connection, shop: Shop
) -> None:  # fmt: skip
    await shop.take(*(sale(f"n{number}", f"n{number}", time=OCTOBER) for number in range(60)))
    connections = [await asyncpg.connect(database.app_url) for _ in range(3)]
    assert await slice_accounts(connections[0], size=10) > 0
    await shop.take(close("september", "2026-09"), close())
    taken = await asyncio.gather(*map(take_closings, connections))
    assert sorted(one.period for each in taken for one in each) == ["2026-09", "2026-10"]
    for connection in connections:
        await connection.close()
    assert await admin.fetchval("SELECT sum(lines) FROM closing_balances") == 61 * 3
    assert await broken_laws(admin) == []
