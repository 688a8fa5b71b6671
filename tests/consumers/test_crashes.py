"""Connections cut and servers killed at the worst moment: every effect happens exactly once (laws 3 and 4)."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.cable import cable_to
from tests.engines import Feed, broken_laws, counts, feeds, published
from tests.shop import cancel, fees, missed, promise, request, sale

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.embedded import Stack
    from tests.conftest import Connection, Database

pytestmark = pytest.mark.faults

KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = 'counterfoil_app'"
)


def a_mix(number: int) -> Iterable[bytes]:
    """A batch with every outcome in it."""
    yield sale(f"s{number}", f"o{number}")
    yield sale(f"s{number}", f"o{number}")
    yield sale(f"s{number}", f"o{number}", 5)
    yield b"{unreadable %d" % number
    yield request(f"r{number}", f"c{number}", key="k")
    yield request(f"q{number}", f"c{number}", key="k")
    yield promise(f"p{number}", f"d{number}")
    yield missed(f"m{number}", f"d{number}")
    yield cancel(f"x{number}", f"later{number}")


async def test_an_answer_to_commit_that_is_lost_repeats_nothing(
    database: Database, admin: Connection
) -> None:
    async with cable_to(database.app_url) as (cable, url), feeds(url, 1) as (feed,):
        await feed.take(fees())
        for number in range(12):
            cable.lose_answers_to = b"COMMIT"
            await feed.take(*a_mix(number))
        assert cable.lost == 12
        assert feed.watcher.retries["database_away"] >= 12
        found = await counts(admin)
        assert found["received"] == 1 + 12 * 9
        assert found["redelivered"] == 12 * 9, "each batch was committed, and then tried again"
    assert await admin.fetchval("SELECT count(*) FROM entries") == 12
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 12
    ids = [message["id"] for message in await published(admin)]
    assert len(ids) == len(set(ids))
    assert await broken_laws(admin) == []


async def test_connections_that_die_at_any_moment_cost_nothing(database: Database, admin: Connection) -> None:
    rounds = 80
    async with feeds(database.app_url, 2) as (feed, other):
        await feed.take(fees())

        def committed() -> int:
            return len(feed.watcher.reports) + len(other.watcher.reports)

        async def trouble() -> int:
            """Between two deaths something is committed: a busy machine would never get anywhere otherwise."""
            killed, random = 0, Random(1)  # noqa: S311 - any moments will do
            while not done.is_set():
                killed += await admin.fetchval(KILL)
                before = committed()
                while committed() == before and not done.is_set():  # noqa: ASYNC110 - only asking tells
                    await asyncio.sleep(0.005)
                await asyncio.sleep(random.uniform(0.0, 0.3))
            return killed

        async def work(feed: Feed, numbers: Iterable[int]) -> None:
            for number in numbers:
                await feed.take(*a_mix(number))

        done = asyncio.Event()
        killer = asyncio.create_task(trouble())
        async with asyncio.timeout(240):
            await asyncio.gather(work(feed, range(0, rounds, 2)), work(other, range(1, rounds, 2)))
        done.set()
        assert await killer >= 2
    assert (await counts(admin))["received"] == 1 + rounds * 9
    assert await admin.fetchval("SELECT count(*) FROM entries") == rounds
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == rounds
    assert await broken_laws(admin) == []


async def test_waiting_messages_leave_once_though_connections_die(
    database: Database, admin: Connection
) -> None:
    orders = [f"o{number}" for number in range(40)]
    async with cable_to(database.app_url) as (cable, url), feeds(url, 1) as (feed,):
        await feed.take(fees())
        await feed.take(*(missed(f"m-{order}", order) for order in orders))
        await feed.take(*(promise(f"p-{order}", order) for order in orders))
        await admin.execute("UPDATE parked SET due_at = clock_timestamp()")
        cable.lose_answers_to = b"COMMIT"
        await feed.settle_parked(admin)
        assert cable.lost == 1
    assert await admin.fetchval("SELECT count(*) FROM payments WHERE state = 'failed'") == len(orders)
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await broken_laws(admin) == []


async def test_postgres_killed_in_the_middle_of_a_run_costs_nothing(stack: Stack, database: Database) -> None:
    rounds = 60
    async with feeds(database.app_url, 1) as (feed,):
        await feed.take(fees())
        for number in range(rounds):
            taking = asyncio.create_task(feed.take(*a_mix(number)))
            if number == rounds // 2:
                await asyncio.to_thread(stack.kill, "postgres")
            async with asyncio.timeout(60):
                await taking
        assert feed.watcher.retries["database_away"] > 0
    admin = await asyncpg.connect(database.admin_url)
    try:
        assert await admin.fetchval("SELECT count(*) FROM dead_letters") == rounds
        assert (await counts(admin))["received"] == 1 + rounds * 9
        assert await admin.fetchval("SELECT count(*) FROM entries") == rounds
        assert await broken_laws(admin) == []
    finally:
        await admin.close()
