"""Timers fire when their tenant's clock says so, and once, whatever crashes between Kafka and the database."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from handlers.payments.model import payment_id_of
from handlers.payments.networks import NETWORKS
from handlers.payments.policy import CHALLENGE_LIFETIME
from producers.scheduler import run_scheduler
from tests.brokers import ends, records, stopping, until
from tests.cable import cable_to
from tests.engines import RESULTS, Feed, broken_laws, feeds, outcomes, states
from tests.shop import TENANT, event, fees, request, succeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiokafka import ConsumerRecord, TopicPartition

    from tests.conftest import Connection, Database

TIMERS = "timer.events"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Watcher:
    """What a scheduler tells."""

    fires: int = 0
    looks: int = 0
    waits: int = 0

    def fired(self, timers: int) -> None:
        """Counted."""
        self.fires += timers
        self.looks += 1

    def stands_by(self) -> None:
        """Counted."""
        self.waits += 1


@asynccontextmanager
async def a_scheduler(kafka: str, url: str) -> AsyncIterator[Watcher]:
    """A scheduler in this process."""
    stop, watcher = asyncio.Event(), Watcher()
    async with stopping(run_scheduler(kafka, url, watcher, stop), stop):
        yield watcher


@dataclass
class Shop:
    """Engines for the three topics, and a Kafka topic of timers that has a beginning."""

    checkout: Feed
    results: Feed
    timers: Feed
    kafka: str
    since: dict[TopicPartition, int]

    async def authorize(self, admin: Connection, *orders: str) -> None:
        """Payments whose money is held, each with one timer: its warning, which comes first, is taken away."""
        await self.checkout.take(*(request(f"r-{order}", order, capture="manual") for order in orders))
        calls = {row["order_id"]: str(row["call_id"]) for row in await admin.fetch("TABLE provider_calls")}
        await self.results.take(
            *(
                succeeded(f"a-{order}", order, calls[order], "authorize", 2500, captured=False)
                for order in orders
            )
        )
        await admin.execute("DELETE FROM timers WHERE kind = 'authorization_expiring'")

    async def written(self) -> list[ConsumerRecord[bytes, bytes]]:
        """The timers that are in Kafka."""
        found = await records(self.kafka, self.since)
        return [record for batch in found.values() for record in batch]

    async def take_timers(self) -> None:
        """The engine takes in what is in Kafka, from the start, as one partition."""
        await self.timers.take(*(record.value or b"" for record in await self.written()))


@pytest.fixture
async def shop(kafka: str, database: Database) -> AsyncIterator[Shop]:
    """A merchant's fees are known."""
    async with (
        feeds(database.app_url, 1) as (checkout,),
        feeds(database.app_url, 1, RESULTS) as (results,),
        feeds(database.app_url, 1, TIMERS) as (timers,),
    ):
        await checkout.take(fees())
        yield Shop(checkout, results, timers, kafka, await ends(kafka, TIMERS))


async def set_clock(admin: Connection, *, tenant: str, now_at: datetime) -> None:
    """The tenant lives by a test clock, which shows this."""
    await admin.execute(
        "INSERT INTO clocks VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET now_at = $2", tenant, now_at
    )


async def make_due(admin: Connection, order_id: str | None = None) -> None:
    """The end of an order's authorization, or of all, has come; the payment knows its end as well as the timer."""
    for change in ("timers SET due_at", "payments SET state_ends_at"):
        await admin.execute(
            f"UPDATE {change} = now() - interval '1 second' WHERE $1::text IS NULL OR order_id = $1",
            order_id,
        )


async def _one_waits(*watchers: Watcher) -> bool:
    return any(watcher.waits for watcher in watchers)


async def _fired(admin: Connection, number: int) -> bool:
    return bool(
        await admin.fetchval("SELECT count(*) = $1 FROM timers WHERE published_at IS NOT NULL", number)
    )


async def test_a_timer_fires_by_the_system_s_clock(shop: Shop, database: Database, admin: Connection) -> None:
    await shop.authorize(admin, "o1", "o2")
    await make_due(admin, "o1")
    async with a_scheduler(shop.kafka, database.app_url):
        await until(lambda: _fired(admin, 1))
    await shop.take_timers()
    assert await states(admin) == {"o1": "expired", "o2": "authorized"}
    assert [law for law in await broken_laws(admin) if law[0] != "6"] == []


async def test_a_timer_fires_by_its_tenant_s_test_clock(
    shop: Shop, database: Database, admin: Connection
) -> None:
    await set_clock(admin, tenant=TENANT, now_at=NOON)
    await shop.authorize(admin, "o1")
    assert await admin.fetchval("SELECT due_at FROM timers") == NOON + NETWORKS["visa"].hold
    async with a_scheduler(shop.kafka, database.app_url) as watcher:
        almost = NOON + NETWORKS["visa"].hold - timedelta(seconds=1)
        await set_clock(admin, tenant=TENANT, now_at=almost)
        looks = watcher.looks
        await until(lambda: _looked(watcher, looks + 2))
        assert watcher.fires == 0
        await set_clock(admin, tenant=TENANT, now_at=almost + timedelta(seconds=1))
        await until(lambda: _fired(admin, 1))
    await shop.take_timers()
    assert await states(admin) == {"o1": "expired"}
    (record,) = await shop.written()
    told = orjson.loads(record.value or b"")
    assert datetime.fromisoformat(told["time"]) == NOON + NETWORKS["visa"].hold
    assert await admin.fetchval("SELECT updated_at FROM payments") == NOON + NETWORKS["visa"].hold


async def _looked(watcher: Watcher, times: int) -> bool:
    return watcher.looks >= times


async def test_another_tenant_s_test_clock_moves_nobody_else(
    shop: Shop, database: Database, admin: Connection
) -> None:
    await shop.authorize(admin, "o1")
    await set_clock(admin, tenant="other", now_at=NOON + timedelta(days=400))
    async with a_scheduler(shop.kafka, database.app_url) as watcher:
        await until(lambda: _looked(watcher, 3))
    assert watcher.fires == 0


async def test_a_crash_between_kafka_and_the_mark_fires_the_same_timer_again_without_effect(
    shop: Shop, database: Database, admin: Connection
) -> None:
    await shop.authorize(admin, "o1", "o2")
    await make_due(admin)
    async with cable_to(database.app_url) as (cable, url):
        cable.lose_answers_to = b"UPDATE timers"
        async with a_scheduler(shop.kafka, url):
            await until(lambda: _fired(admin, 2))
        assert cable.lost == 1
    ids = [orjson.loads(record.value or b"")["id"] for record in await shop.written()]
    assert len(ids) == 4
    assert len(set(ids)) == 2
    await shop.take_timers()
    assert shop.timers.watcher.outcomes == {"applied": 2, "duplicate": 2}
    assert set((await states(admin)).values()) == {"expired"}
    assert await admin.fetchval("SELECT count(*) FROM transitions WHERE to_state = 'expired'") == 2


async def test_two_schedulers_fire_each_timer_once(shop: Shop, database: Database, admin: Connection) -> None:
    orders = [f"o{number}" for number in range(60)]
    await shop.authorize(admin, *orders)
    await make_due(admin)
    async with (
        a_scheduler(shop.kafka, database.app_url) as one,
        a_scheduler(shop.kafka, database.app_url) as two,
    ):
        await until(lambda: _fired(admin, 60))
        assert sorted((one.looks > 0, two.looks > 0)) == [False, True]
        await until(lambda: _one_waits(one, two))
        assert sorted((one.waits > 0, two.waits > 0)) == [False, True]
    assert len(await shop.written()) == 60


async def test_a_timer_whose_payment_moved_on_does_nothing(
    shop: Shop, database: Database, admin: Connection
) -> None:
    await set_clock(admin, tenant=TENANT, now_at=NOON)
    await shop.checkout.take(request("r1", "o1"))
    call = await admin.fetchval("SELECT call_id::text FROM provider_calls")
    payment_id = str(payment_id_of(TENANT, "o1"))
    data = {"call_id": call, "payment_id": payment_id, "order_id": "o1", "provider": "sandbox"}
    challenge = {"operation": "authorize", "provider_reference": "a", "redirect_url": "https://bank.example/"}
    await shop.results.take(event("c1", "provider.challenge_required", data | challenge))
    await shop.checkout.take(event("b1", "checkout.challenge_completed", {"order_id": "o1"}))
    await set_clock(admin, tenant=TENANT, now_at=NOON + CHALLENGE_LIFETIME)
    async with a_scheduler(shop.kafka, database.app_url):
        await until(lambda: _fired(admin, 1))
    before = await admin.fetchrow("SELECT * FROM payments")
    await shop.take_timers()
    assert await admin.fetchrow("SELECT * FROM payments") == before
    timer = next(iter((await outcomes(admin)).keys() - {"fees", "r1", "c1", "b1"}))
    assert (await outcomes(admin))[timer] == "applied"


async def test_more_timers_than_one_look_takes_all_fire(
    shop: Shop, database: Database, admin: Connection
) -> None:
    await admin.execute(
        "INSERT INTO timers (tenant, timer_id, kind, due_at, payment_id, order_id, causation)"
        " SELECT 'acme', gen_random_uuid(), 'challenge_expiry', now(), gen_random_uuid(), 'o' || n, 'c'"
        " FROM generate_series(1, 2500) AS n"
    )
    async with a_scheduler(shop.kafka, database.app_url) as watcher:
        await until(lambda: _fired(admin, 2500))
    assert watcher.fires == 2500
    assert len({record.value for record in await shop.written()}) == 2500
