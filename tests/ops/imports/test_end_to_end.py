"""A shop's file, through Kafka and a worker, into the ledger: the same days to the penny, however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from consumers.worker import run_worker
from ops.cli.imports import commands
from ops.metrics import Telemetry
from schemas.currencies import to_major
from tests.ops.imports.retail import expected_days, expected_sum, retail_file

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

FILE = "first_days"
TENANT = "retail"
DEADLINE_S = 100

BY_DAY = """
    SELECT
        (effective_at AT TIME ZONE 'Europe/London')::date::text AS day,
        sum(amount_minor)::bigint AS amount_minor
    FROM journal
    WHERE tenant = $1 AND account = 'terminal_receivable' AND side = 'debit' AND currency = 'GBP'
    GROUP BY 1
"""
APPLIED = "SELECT count(*) FROM inbox WHERE tenant = $1 AND outcome = 'applied'"
DUPLICATES = "SELECT sum(duplicate)::int FROM intake WHERE topic = 'checkout.events'"
BALANCE = "SELECT balance_minor FROM account_balances WHERE tenant = $1 AND code = $2"

Import = Callable[[], Awaitable[int]]


@pytest.fixture
async def import_file(
    kafka: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Import]:
    """Runs the command, while a worker runs too; gives the number of events that it says it published."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    stop = asyncio.Event()
    worker = run_worker(kafka, database.app_url, Telemetry("worker"), stop, names=["checkout"])
    running = asyncio.create_task(worker)

    async def run() -> int:
        file = str(retail_file(FILE))
        arguments = ["import", "orders", file, "--mapping", "online-retail", "--tenant", TENANT]
        result = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
        assert result.exit_code == 0, result.output
        return int(result.stdout.splitlines()[-1].split(" events published")[0])

    yield run
    stop.set()
    await running


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    fulfilled = AsyncRetrying(
        retry=retry_if_result(lambda met: not met), stop=stop_after_delay(DEADLINE_S), wait=wait_fixed(0.1)
    )
    await fulfilled(condition)


async def ledger_days(admin: Connection) -> dict[str, Decimal]:
    rows = await admin.fetch(BY_DAY, TENANT)
    return {row["day"]: to_major(row["amount_minor"], "GBP") for row in rows}


async def test_the_ledger_s_days_equal_the_file_s_and_a_second_import_changes_nothing(
    import_file: Import, admin: Connection
) -> None:
    events = await import_file()

    async def all_applied() -> bool:
        return bool(await admin.fetchval(APPLIED, TENANT) == events)

    await until(all_applied)
    wanted = {day: expected.sales for day, expected in expected_days(FILE).items()}
    assert await ledger_days(admin) == wanted
    owed = await admin.fetchval(BALANCE, TENANT, "merchant_payable")
    assert to_major(owed, "GBP") == Decimal(expected_sum(FILE, "amount, normal"))
    assert await admin.fetchval(BALANCE, TENANT, "platform_fee_revenue") is None

    before = await admin.fetchval(DUPLICATES)
    assert await import_file() == events

    async def all_duplicates() -> bool:
        return bool(await admin.fetchval(DUPLICATES) == before + events)

    await until(all_duplicates)
    assert await ledger_days(admin) == wanted
