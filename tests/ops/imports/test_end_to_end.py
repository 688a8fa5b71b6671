"""A shop's file, through Kafka and a worker, into the ledger: the same days to the penny, however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import asyncpg
import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from consumers.worker import run_worker
from ops.cli.imports import commands
from ops.embedded import Endpoints
from ops.metrics import Telemetry
from schemas.currencies import to_major
from tests.ops.imports.retail import expected_days, expected_sum, retail_file

if TYPE_CHECKING:
    from db.connection import Connection

FILE = "first_days"
TENANT = "retail"
DEADLINE_S = 60

BY_DAY = """
    SELECT
        (effective_at AT TIME ZONE 'Europe/London')::date::text AS day,
        sum(amount_minor)::bigint AS amount_minor
    FROM journal
    WHERE tenant = $1 AND account = 'terminal_receivable' AND side = 'debit' AND currency = 'GBP'
    GROUP BY 1
"""
COUNTS = """
    SELECT sum(received)::int AS received, sum(duplicate)::int AS duplicate
    FROM intake
    WHERE topic = 'checkout.events'
"""
UNDECIDED = "SELECT count(*) FROM inbox WHERE tenant = $1 AND outcome <> 'applied'"
BALANCE = "SELECT balance_minor FROM account_balances WHERE tenant = $1 AND code = $2"


@pytest.fixture
async def worker(endpoints: Endpoints) -> AsyncIterator[Connection]:
    """A worker that runs, and a connection to see what it did."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        run_worker(
            endpoints.kafka_bootstrap, endpoints.database_url, Telemetry("worker"), stop, names=["checkout"]
        )
    )
    connection = await asyncpg.connect(endpoints.admin_url)
    yield connection
    stop.set()
    await running
    await connection.close()


async def run_import(endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of events that the command says it published."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", endpoints.kafka_bootstrap)
    monkeypatch.setenv("DATABASE_URL", endpoints.database_url)
    arguments = ["import", "orders", str(retail_file(FILE)), "--mapping", "online-retail", "--tenant", TENANT]
    result = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    assert result.exit_code == 0, result.output
    return int(result.stdout.splitlines()[-1].split(" events published")[0])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    fulfilled = AsyncRetrying(
        retry=retry_if_result(lambda met: not met), stop=stop_after_delay(DEADLINE_S), wait=wait_fixed(0.1)
    )
    await fulfilled(condition)


async def ledger_days(connection: Connection) -> dict[str, Decimal]:
    return {
        row["day"]: to_major(row["amount_minor"], "GBP") for row in await connection.fetch(BY_DAY, TENANT)
    }


async def test_the_ledger_s_days_equal_the_file_s_and_a_second_import_changes_nothing(
    endpoints: Endpoints, worker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = await run_import(endpoints, monkeypatch)

    async def all_applied() -> bool:
        counts = await worker.fetchrow(COUNTS)
        return (
            counts is not None
            and counts["received"] == events
            and not await worker.fetchval(UNDECIDED, TENANT)
        )

    await until(all_applied)
    wanted = {day: expected.sales for day, expected in expected_days(FILE).items()}
    assert await ledger_days(worker) == wanted

    owed = await worker.fetchval(BALANCE, TENANT, "merchant_payable")
    assert to_major(owed, "GBP") == Decimal(expected_sum(FILE, "amount, normal"))
    assert await worker.fetchval(BALANCE, TENANT, "platform_fee_revenue") is None

    assert await run_import(endpoints, monkeypatch) == events

    async def all_duplicates() -> bool:
        counts = await worker.fetchrow(COUNTS)
        return counts is not None and (counts["received"], counts["duplicate"]) == (2 * events, events)

    await until(all_duplicates)
    assert await ledger_days(worker) == wanted
