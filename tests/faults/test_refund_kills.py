"""Kill -9 while refunds are under way: each customer gets the money back once, and it is booked once.

The gateway dies between the provider's effect and its report; workers die as soon as a batch is committed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import httpx
import pytest

from db.connection import prepare
from db.migrate import migrate
from ops.checks import check
from ops.demo.stage import staged
from ops.embedded import Stack
from ops.endpoints import Places
from producers.client import Client
from producers.kafka import create_topics
from tests.faults.desk import policy, refund
from tests.shop import fees, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ops.demo.stage import Stage
    from tests.conftest import Connection

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

WAVES: Final = 3
A_WAVE: Final = 12
MINOR: Final = 1000
BACK_MINOR: Final = 300
DEADLINE_S: Final = 240
WORKERS: Final = ("worker-1", "worker-2")
_SUCCEEDED: Final = "SELECT count(*) FROM refunds WHERE state = 'succeeded'"
_REFUNDS: Final = "SELECT count(*) FROM refunds"


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + DEADLINE_S
    while not await seen():
        assert time.monotonic() < deadline, "it does not come"
        await asyncio.sleep(0.01)


async def given_back(stage: Stage) -> int:
    """What the provider has given back to all customers together."""
    environment = stage.processes.environment
    key = {"Authorization": f"Bearer {environment['COUNTERFOIL_SANDBOX_API_KEY']}"}
    url = environment["COUNTERFOIL_SANDBOX_URL"]
    async with httpx.AsyncClient(base_url=url, headers=key, trust_env=False) as provider:
        charges = (await provider.get("/v1/ledger", params={"limit": 200})).json()["charges"]
    return sum(charge["refunded_amount_minor"] for charge in charges)


async def wave(stage: Stage, admin: Connection, client: Client, number: int) -> None:
    """Some refunds; the workers die over the first of them, the gateway when the provider has made one."""
    before, paid_minor = number * A_WAVE, number * A_WAVE * BACK_MINOR

    async def counted(query: str, least: int) -> bool:
        return bool(await admin.fetchval(query) >= least)

    async def made() -> bool:
        return await given_back(stage) > paid_minor

    holding = admin.transaction()
    await holding.start()
    await admin.execute("LOCK TABLE provider_answers IN EXCLUSIVE MODE")  # nobody can report
    for place in range(before, before + A_WAVE):
        await client.send(f"acme:w{place}".encode(), refund(f"r{place}", f"w{place}", BACK_MINOR))
    await client.flush()
    await until(lambda: counted(_REFUNDS, before + 1))
    for name in WORKERS:
        stage.processes.kill(name)
    await until(made)
    assert await admin.fetchval(_SUCCEEDED) == before
    stage.processes.kill("gateway")
    await holding.rollback()
    await admin.execute("UPDATE provider_calls SET lease_until = now() WHERE status = 'in_flight'")
    for name in (*WORKERS, "gateway"):
        # A static member of its groups: from its second death on nobody waits for the end of the dead one's session.
        stage.processes.environment["COUNTERFOIL_INSTANCE"] = name
        stage.processes.start(name)
    await until(lambda: counted(_SUCCEEDED, before + A_WAVE))
    assert await given_back(stage) == paid_minor + A_WAVE * BACK_MINOR


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that also PostgreSQL's account can pass, when we are root."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)
        yield root


async def test_each_refund_is_made_and_booked_once_however_often_we_die(folder: Path) -> None:
    orders = WAVES * A_WAVE
    with Stack(folder / "stack", owned=True) as stack:
        ends = stack.endpoints()
        migrate(ends.admin_url)
        await create_topics(ends.kafka_bootstrap)
        at = Places(ends.kafka_bootstrap, ends.database_url, ends.admin_url, ends.read_url)
        admin = await asyncpg.connect(ends.admin_url)
        await prepare(admin)
        async with staged(at, folder / "roles") as stage, Client(ends.kafka_bootstrap) as client:
            await client.publish(fees())
            await client.publish(policy())
            for place in range(orders):
                await client.send(f"acme:w{place}".encode(), request(f"p{place}", f"w{place}", minor=MINOR))
            await client.flush()

            async def all_paid() -> bool:
                paid = "SELECT count(*) FROM payments WHERE state = 'succeeded'"
                return bool(await admin.fetchval(paid) == orders)

            await until(all_paid)
            for number in range(WAVES):
                await wave(stage, admin, client, number)
            await stage.play([], deadline_s=DEADLINE_S)
            verdicts = await check(admin, settled=True)
        assert [f"law {one.law}: {one.offenders}" for one in verdicts if not one.ok] == []
        assert await admin.fetchval(_REFUNDS) == await admin.fetchval(_SUCCEEDED) == orders
        clearing = (
            "SELECT coalesce(sum(balance_minor), 0) FROM account_balances WHERE code = 'refund_clearing'"
        )
        assert await admin.fetchval(clearing) == 0
        tried = "SELECT count(*) FROM provider_answers WHERE asked = 'query' AND answer = 'Succeeded'"
        assert await admin.fetchval(tried) >= WAVES, (
            "after each death the provider was asked what it had done"
        )
        await admin.close()
