"""Many engines at once on the same orders: law 7, and commands that come twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.engines import Feed, broken_laws, counts, feeds, outcomes, published, reasons, states
from tests.shop import cancel, fees, missed, promise, request, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database

CROWD = 50


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    """One partition with a merchant's fees already taken in."""
    async with feeds(database.app_url, 1) as (only,):
        await only.take(fees())
        yield only


async def test_fifty_identical_commands_at_once_open_one_payment_and_ask_the_provider_once(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, CROWD) as crowd:
        await crowd[0].take(fees())
        await asyncio.gather(*(feed.take(request(f"r{feed.partition}", "o1", key="same")) for feed in crowd))
    found = list((await outcomes(admin)).values())
    assert sorted(found) == ["applied"] * 2 + ["duplicate"] * (CROWD - 1)
    assert await admin.fetchval("SELECT count(*) FROM provider_calls") == 1
    assert await broken_laws(admin) == []


async def test_fifty_conflicting_commands_at_once_open_one_payment(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, CROWD) as crowd:
        await crowd[0].take(fees())
        await asyncio.gather(
            *(
                feed.take(
                    request(
                        f"r{feed.partition}", "o1", key=f"k{feed.partition % 10}", minor=100 + feed.partition
                    )
                )
                for feed in crowd
            )
        )
    assert sorted((await outcomes(admin)).values()) == ["applied"] * 2 + ["rejected"] * (CROWD - 1)
    assert set((await reasons(admin)).values()) <= {
        None, "order_already_has_payment", "idempotency_key_reused"
    }  # fmt: skip
    assert await admin.fetchval("SELECT count(*) FROM provider_calls") == 1
    assert await broken_laws(admin) == []


async def test_fifty_sales_of_one_order_at_once_book_the_money_once(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, CROWD) as crowd:
        await crowd[0].take_each(fees(), promise("p1", "o1"))
        await asyncio.gather(*(feed.take(sale(f"s{feed.partition}", "o1")) for feed in crowd))
    assert await admin.fetchval("SELECT count(*) FROM entries") == 1
    assert await admin.fetchval("SELECT captured_minor FROM payments") == 1999
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("known", [True, False], ids=["payments that exist", "payments that do not"])
async def test_overlapping_batches_in_opposite_orders_end_well(
    database: Database, admin: Connection, *, known: bool
) -> None:
    async with feeds(database.app_url, 3) as (up, down, mixed):
        shuffle = Random(4).shuffle  # noqa: S311 - any order will do
        await up.take(fees())
        rounds, size = 60, 20
        for number in range(rounds):
            orders = [f"o{number}-{place}" for place in range(size)]
            if known:
                await mixed.take(*(promise(f"p-{order}", order) for order in orders))
            shuffled = orders.copy()
            shuffle(shuffled)
            await asyncio.gather(
                up.take(*(sale(f"u-{order}", order) for order in orders)),
                down.take(*(sale(f"d-{order}", order) for order in reversed(orders))),
                mixed.take(*(missed(f"m-{order}", order) for order in shuffled)),
            )
        for feed in (up, down, mixed):
            await feed.settle_parked(admin)
        assert all(feed.watcher.retries["halved"] == 0 for feed in (up, down, mixed))
        if known:
            # New payments have no row to be locked in order: there, PostgreSQL may have to break a deadlock.
            deadlocks = await admin.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            assert deadlocks == 0
            assert all(feed.watcher.retries == {} for feed in (up, down, mixed))
    assert len(await states(admin)) == rounds * size
    succeeded = await admin.fetchval("SELECT count(*) FROM payments WHERE state = 'succeeded'")
    assert await admin.fetchval("SELECT count(*) FROM entries") == succeeded
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
async def test_a_command_s_repeat_is_told_the_first_one_s_outcome(
    feed: Feed, admin: Connection, *, together: bool
) -> None:
    bodies = [
        request("r1", "o1", key="k"),
        request("r2", "o1", key="k"),
        request("x1", "o1", key="other"),
        request("x2", "o1", key="other"),
    ]
    await (feed.take if together else feed.take_each)(*bodies)
    assert await outcomes(admin) == {
        "fees": "applied", "r1": "applied", "r2": "duplicate", "x1": "rejected", "x2": "duplicate"
    }  # fmt: skip
    told = [m["data"] for m in await published(admin) if m["type"] == "payment.command_repeated.v1"]
    assert [(t["first_event_id"], t["outcome"], t["reason"]) for t in told] == [
        ("r1", "applied", None),
        ("x1", "rejected", "order_already_has_payment"),
    ]
    assert await counts(admin) == {"received": 5, "duplicate": 0, "redelivered": 0}
    assert await broken_laws(admin) == []


async def test_a_used_key_for_another_request_is_refused(feed: Feed, admin: Connection) -> None:
    await feed.take(request("r1", "o1", key="k"), request("r2", "o1", key="k", minor=7))
    await feed.take(request("r3", "o1", key="k", minor=7), request("r4", "o1", key="k"))
    assert (await outcomes(admin)) == {
        "fees": "applied", "r1": "applied", "r2": "rejected", "r3": "rejected", "r4": "duplicate"
    }  # fmt: skip
    assert (await reasons(admin))["r3"] == "idempotency_key_reused"


async def test_the_order_of_metadata_does_not_make_another_request(feed: Feed, admin: Connection) -> None:
    await feed.take(
        request("r1", "o1", key="k", data={"metadata": {"a": "1", "b": "2"}}),
        request("r2", "o1", key="k", data={"metadata": {"b": "2", "a": "1"}}),
    )
    assert (await outcomes(admin))["r2"] == "duplicate"


async def test_a_key_is_of_its_tenant_operation_and_order(feed: Feed, admin: Connection) -> None:
    await feed.take(
        fees(tenant="other"),
        request("r1", "o1", key="k", confirm=False),
        request("r2", "o2", key="k", confirm=False),
        cancel("c1", "o1", key="k"),
        request("r1", "o1", key="k", tenant="other"),
    )
    assert set((await outcomes(admin)).values()) == {"applied"}


async def test_a_key_is_free_again_when_it_has_expired(feed: Feed, admin: Connection) -> None:
    await feed.take(request("r1", "o1", key="k", confirm=False))
    await admin.execute("UPDATE idempotency_keys SET expires_at = now() - $1::interval", timedelta(seconds=1))
    await feed.take(request("r2", "o1", key="k", minor=7))
    await feed.take(request("r3", "o1", key="k", minor=7))
    assert await outcomes(admin) == {
        "fees": "applied", "r1": "applied", "r2": "rejected", "r3": "duplicate"
    }  # fmt: skip
    assert (await reasons(admin))["r2"] == "order_already_has_payment"
