"""One leader at a time, and a way to go on waiting or to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from db.connection import UNREACHABLE
from db.queries import chain
from producers import leadership
from producers.leadership import leading, pause
from tests.brokers import until
from tests.cable import cable_to

if TYPE_CHECKING:
    from tests.conftest import Connection, Database


async def test_only_one_leads_until_it_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "TRY_EVERY_S", 0.02)
    stop, at_once, order = asyncio.Event(), 0, []

    async def lead(name: int) -> None:
        nonlocal at_once
        async with leading(database.app_url, "relay", stop) as connection:
            assert connection is not None
            at_once += 1
            assert at_once == 1
            order.append(name)
            await connection.fetchval("SELECT pg_sleep(0.02)")
            at_once -= 1

    async with asyncio.timeout(100):
        await asyncio.gather(*(lead(name) for name in range(6)))
    assert sorted(order) == list(range(6))


async def test_the_roles_do_not_stand_in_each_other_s_way(database: Database) -> None:
    stop = asyncio.Event()
    async with (
        asyncio.timeout(100),
        leading(database.app_url, "relay", stop) as relay,
        leading(database.app_url, "scheduler", stop) as scheduler,
    ):
        assert relay is not None
        assert scheduler is not None


@pytest.mark.parametrize("role", leadership._LOCKS)  # noqa: SLF001 - every role that there is
async def test_a_leader_does_not_stand_in_the_way_of_the_chain(
    database: Database, admin: Connection, role: leadership.Role
) -> None:
    async with leading(database.app_url, role, asyncio.Event()) as leader:
        assert leader is not None
        async with admin.transaction():
            assert await chain.try_seal(admin)


async def test_who_waits_to_lead_can_be_told_to_stop(database: Database) -> None:
    stop = asyncio.Event()
    async with leading(database.app_url, "relay", asyncio.Event()):

        async def wait() -> bool:
            async with leading(database.app_url, "relay", stop) as connection:
                return connection is None

        waiting = asyncio.create_task(wait())
        stop.set()
        async with asyncio.timeout(100):
            assert await waiting


async def test_a_leader_whose_connection_is_cut_leads_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "TRY_EVERY_S", 0.02)
    stop = asyncio.Event()
    async with cable_to(database.app_url) as (cable, url), leading(url, "relay", stop) as old:
        assert old is not None
        cable.cut()
        async with asyncio.timeout(100), leading(database.app_url, "relay", stop) as new:
            assert new is not None
            assert await new.fetchval("SELECT 1") == 1
        with pytest.raises(UNREACHABLE):
            await old.fetchval("SELECT 1")


async def test_a_lost_leader_leaves_no_lock(database: Database, admin: Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        async with leading(database.app_url, "relay", asyncio.Event()):
            raise ZeroDivisionError
    await until(lambda: _is_free(admin))


async def _is_free(admin: Connection) -> bool:
    return not await admin.fetchval(
        "SELECT count(*) FROM pg_locks WHERE classid = 17742"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


async def test_a_pause_ends_early_when_told_to_stop() -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(30):
        await pause(stop, 0.001)
        stop.set()
        await pause(stop, 120)
