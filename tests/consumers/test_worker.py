"""The worker on a real Kafka: offsets follow commits, whatever happens to processes, partitions and servers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from aiokafka import AIOKafkaProducer

from consumers import worker
from consumers.engine import Engine
from consumers.worker import run_worker
from tests.brokers import collect_lost_connections, committed, ends, publish, skip_to_the_end, stopping, until
from tests.cable import cable_to
from tests.engines import CHECKOUT, Watcher, broken_laws, counts, outcomes
from tests.shop import fees, missed, sale

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from ops.embedded import Stack
    from tests.conftest import Connection, Database


@pytest.fixture
async def broker(kafka: str) -> str:
    """Kafka, whose workers' groups have read all that other tests wrote."""
    await skip_to_the_end(kafka, CHECKOUT)
    return kafka


@asynccontextmanager
async def a_worker(
    kafka: str, url: str, watcher: Watcher, batch_size: int = 100
) -> AsyncIterator[asyncio.Event]:
    """A worker of checkout events in this process; setting the event stops it."""
    stop = asyncio.Event()
    role = run_worker(kafka, url, watcher, stop, names=["checkout"], batch_size=batch_size)
    async with stopping(role, stop):
        yield stop


@asynccontextmanager
async def a_process(kafka: str, url: str) -> AsyncIterator[Process]:
    """A worker as an operator starts it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops.cli", "worker", "checkout"),
        env=os.environ
        | {
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "DATABASE_URL": url,
            "COUNTERFOIL_HTTP_PORT": "0",
            "COUNTERFOIL_BATCH_SIZE": "50",
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def sales(first: int, last: int) -> list[tuple[str, bytes]]:
    """Sales of different orders, with their keys."""
    return [(f"acme:o{number}", sale(f"s{number}", f"o{number}")) for number in range(first, last)]


async def received(admin: Connection) -> int:
    """How many messages have been taken in."""
    return (await counts(admin))["received"] or 0


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_senders_compress_as_they_like(
    broker: str, database: Database, admin: Connection, codec: str | None
) -> None:
    async with (
        a_worker(broker, database.app_url, Watcher()),
        AIOKafkaProducer(bootstrap_servers=broker, compression_type=codec) as producer,
    ):
        for key, body in [("acme:m1", fees()), *sales(0, 20)]:
            await producer.send_and_wait(CHECKOUT, body, key=key.encode(), partition=0)
        await until(lambda: _all_in(admin, 21))
    assert set((await outcomes(admin)).values()) == {"applied"}


async def test_sigterm_finishes_the_batch_commits_its_offsets_and_exits_zero(
    broker: str, database: Database, admin: Connection
) -> None:
    await publish(broker, CHECKOUT, [("acme:m1", fees()), *sales(0, 3000)])
    async with a_process(broker, database.app_url) as process:
        async with asyncio.timeout(100):
            while await received(admin) < 200:
                assert process.returncode is None
                await asyncio.sleep(0)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(100):
            assert await process.wait() == 0
    taken = {row["partition"]: row["next_offset"] for row in await admin.fetch("TABLE intake")}
    assert 200 <= await received(admin) < 3001, "it was stopped in the middle"
    offsets = await committed(broker, CHECKOUT)
    assert {place: offsets[place] for place in taken} == taken
    watcher = Watcher()
    async with a_worker(broker, database.app_url, watcher, batch_size=1000):
        await until(lambda: _all_in(admin, 3001))
    assert (await counts(admin))["redelivered"] == 0
    assert await broken_laws(admin) == []


async def _all_in(admin: Connection, number: int) -> bool:
    return await received(admin) >= number


async def test_workers_that_come_and_go_under_load_lose_nothing(
    broker: str, database: Database, admin: Connection
) -> None:
    await publish(broker, CHECKOUT, [("acme:m1", fees())])
    one, two, three = Watcher(), Watcher(), Watcher()
    enough = asyncio.Event()
    async with a_worker(broker, database.app_url, one):
        load = asyncio.create_task(_keep_publishing(broker, enough))
        await until(lambda: _all_in(admin, 300))
        async with a_worker(broker, database.app_url, two) as stop_two:
            await until(lambda: _have_committed(two))
            async with a_worker(broker, database.app_url, three):
                await until(lambda: _have_committed(three))
                stop_two.set()
                enough.set()
                total = await load
                await until(lambda: _all_in(admin, total + 1), 120)
                await until(lambda: _caught_up(broker))
    assert (await counts(admin))["received"] == total + 1
    assert await admin.fetchval("SELECT count(*) FROM entries") == total
    assert await broken_laws(admin) == []


async def _keep_publishing(broker: str, enough: asyncio.Event) -> int:
    """Publish sales until told that it is enough; returns how many."""
    total = 0
    while not enough.is_set():
        await publish(broker, CHECKOUT, sales(total, total + 200))
        total += 200
    return total


async def _have_committed(watcher: Watcher) -> bool:
    return bool(watcher.reports)


async def test_offsets_are_not_committed_while_the_database_is_away(
    broker: str, database: Database, admin: Connection
) -> None:
    watcher = Watcher()
    async with cable_to(database.app_url) as (cable, url), a_worker(broker, url, watcher):
        await publish(broker, CHECKOUT, [("acme:m1", fees())])
        await until(lambda: _all_in(admin, 1))
        await until(lambda: _caught_up(broker))
        before = await committed(broker, CHECKOUT)
        cable.unplug()
        await publish(broker, CHECKOUT, sales(0, 500))
        await until(lambda: _tried(watcher, 4))
        assert await committed(broker, CHECKOUT) == before
        assert await received(admin) == 1
        cable.plugged_in = True
        await until(lambda: _all_in(admin, 501), 120)
        await until(lambda: _caught_up(broker))
    assert set((await outcomes(admin)).values()) == {"applied"}
    assert await broken_laws(admin) == []


async def _tried(watcher: Watcher, times: int) -> bool:
    return watcher.retries["database_away"] >= times


async def _caught_up(broker: str) -> bool:
    at = await committed(broker, CHECKOUT)
    return at == {place.partition: end for place, end in (await ends(broker, CHECKOUT)).items()}


async def test_a_worker_can_be_stopped_while_the_database_is_away(
    broker: str, database: Database, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE_S", 1)
    monkeypatch.setattr(worker, "END_S", 1)
    watcher = Watcher()
    async with cable_to(database.app_url) as (cable, url):
        async with asyncio.timeout(100), a_worker(broker, url, watcher) as stop:
            await publish(broker, CHECKOUT, [("acme:m1", fees())])
            await until(lambda: _all_in(admin, 1))
            await until(lambda: _caught_up(broker))
            cable.unplug()
            await publish(broker, CHECKOUT, sales(0, 10))
            await until(lambda: _tried(watcher, 2))
            stop.set()
        assert await received(admin) == 1
    async with a_worker(broker, database.app_url, Watcher()):
        await until(lambda: _all_in(admin, 11))
    assert (await counts(admin))["redelivered"] == 0


async def test_records_of_any_shape_stop_nobody(broker: str, database: Database, admin: Connection) -> None:
    """Headers are bytes, names may repeat, and everything may be null."""
    watcher = Watcher()
    async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
        odd = [
            (b"key", sale("s1", "o1"), [("trace", b"\xff\xfe\x00")]),
            (None, sale("s2", "o2"), [("nothing", None), ("same", b"1"), ("same", b"2")]),
            (b"\xff", None, [("why", b"\xff")]),
            (b"", None, []),
            (b"key", b"", [("", b"")]),
            (b"key", b"\xff\x00{", [("\u00e9", b"\x00")]),
            (b"key", fees(), []),
        ]
        for key, value, headers in odd:
            await producer.send_and_wait(CHECKOUT, value, key=key, headers=headers, partition=0)
        await producer.send_and_wait(CHECKOUT, sale("s3", "o3"), partition=0)
    async with a_worker(broker, database.app_url, watcher):
        await until(lambda: _all_in(admin, 8))
        await until(lambda: _caught_up(broker))
    found = await outcomes(admin)
    assert (found["fees"], found["s3"]) == ("applied", "applied")
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 4
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("name", ["handle", "retry_parked"])
async def test_a_worker_that_is_broken_inside_ends_with_its_error(
    broker: str, database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Better a restart than a worker that looks healthy, skips what it cannot handle and never looks at what waits."""

    async def broken(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, name, broken)
    monkeypatch.setattr(worker, "END_S", 0.1)
    await publish(broker, CHECKOUT, [("acme:m1", fees())])
    before = await committed(broker, CHECKOUT)
    running = asyncio.create_task(
        run_worker(broker, database.app_url, Watcher(), asyncio.Event(), names=["checkout"])
    )
    ended, _ = await asyncio.wait({running}, timeout=100)
    assert ended
    with pytest.raises(ZeroDivisionError):
        running.result()
    assert await committed(broker, CHECKOUT) == before


async def test_the_worker_takes_up_what_waits(broker: str, database: Database, admin: Connection) -> None:
    async with a_worker(broker, database.app_url, Watcher()):
        await publish(broker, CHECKOUT, [("acme:o1", missed("n1", "o1")), ("acme:o9", sale("s1", "o9"))])
        await until(lambda: _all_in(admin, 2))
        await publish(broker, CHECKOUT, [("acme:m1", fees())])
        await until(lambda: _is_applied(admin, "s1"))
    assert (await outcomes(admin))["n1"] == "parked"


async def _is_applied(admin: Connection, event_id: str) -> bool:
    return (await outcomes(admin)).get(event_id) == "applied"


async def test_a_worker_tells_its_lag(broker: str, database: Database, admin: Connection) -> None:
    watcher = Watcher()
    await publish(broker, CHECKOUT, [("acme:m1", fees()), *sales(0, 50)])
    async with a_worker(broker, database.app_url, watcher):
        await until(lambda: _all_in(admin, 51))
        await until(lambda: _knows_it_is_done(watcher))


async def _knows_it_is_done(watcher: Watcher) -> bool:
    return len(watcher.lag) == 6 and not any(watcher.lag.values())


@asynccontextmanager
async def leaving_after(monkeypatch: pytest.MonkeyPatch, kafka: str, looks: int) -> AsyncIterator[str]:
    """Kafka's address, at which it leaves after each of so many looks at it: before the consumers have started."""
    seen: list[str] = []
    look = worker._reach  # noqa: SLF001 - the moment between it and the start is what matters
    async with cable_to(f"kafka://{kafka}/") as (cable, url):

        async def look_and_lose(address: str, stop: asyncio.Event) -> None:
            cable.plugged_in = True
            await look(address, stop)
            seen.append(address)
            if len(seen) <= looks:
                cable.unplug()

        monkeypatch.setattr(worker, "_reach", look_and_lose)
        yield urlsplit(url).netloc
        assert len(seen) > looks


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_kafka_that_goes_away_just_before_the_consumers_start_is_waited_for(
    broker: str, database: Database, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "WATCH_EVERY_S", 0.1)
    await publish(broker, CHECKOUT, [("acme:m1", fees()), *sales(0, 20)])
    async with (
        leaving_after(monkeypatch, broker, 2) as address,
        a_worker(address, database.app_url, Watcher()),
    ):
        await until(lambda: _are_booked(admin, 20))
    assert await broken_laws(admin) == []


async def _are_booked(admin: Connection, number: int) -> bool:
    return bool(await admin.fetchval("SELECT count(*) = $1 FROM entries", number))


async def test_a_worker_is_told_to_stop_while_kafka_is_away(database: Database) -> None:
    async with cable_to("kafka://127.0.0.1:9/") as (cable, url):
        cable.plugged_in = False
        stop = asyncio.Event()
        running = asyncio.create_task(
            run_worker(urlsplit(url).netloc, database.app_url, Watcher(), stop, names=["checkout"])
        )
        ended, _ = await asyncio.wait({running}, timeout=0.5)
        assert not ended
        stop.set()
        async with asyncio.timeout(100):
            await running


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_kafka_killed_in_the_middle_of_a_run_costs_nothing(
    stack: Stack, broker: str, database: Database, admin: Connection
) -> None:
    await publish(broker, CHECKOUT, [("acme:m1", fees()), *sales(0, 2000)])
    async with a_worker(broker, database.app_url, Watcher(), batch_size=50):
        await until(lambda: _all_in(admin, 300))
        await asyncio.to_thread(stack.kill, "kafka")
        await until(lambda: _all_in(admin, 2001), 120)
    collect_lost_connections()
    assert await admin.fetchval("SELECT count(*) FROM entries") == 2000
    assert await broken_laws(admin) == []
