"""Law 4 under attack: the outbox has no holes, and what is in it is published, in order, with the same id each time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from db.queries import delivery as sql
from producers.relay import run_relay
from tests.brokers import collect_lost_connections, ends, places, publish, records, stopping, until
from tests.cable import cable_to
from tests.engines import Feed, broken_laws, feeds, published
from tests.shop import cancel, capture, fees, promise, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import TopicPartition

    from ops.embedded import Stack
    from tests.conftest import Connection, Database

OUT = ("payment.events", "ledger.entries", "rejections", "checkout.events.counterfoil.dlq")


@dataclass
class Watcher:
    """What a relay tells."""

    leads: bool = False
    led_times: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def led(self, *, leading: bool) -> None:
        """Remembered."""
        self.leads = leading
        self.led_times += leading

    def published(self, counts: Counter[str], age_seconds: float) -> None:
        """Added up."""
        assert age_seconds >= 0
        self.counts += counts


@asynccontextmanager
async def a_relay(kafka: str, url: str, watcher: Watcher | None = None) -> AsyncIterator[asyncio.Event]:
    """A relay in this process; setting the event stops it."""
    stop = asyncio.Event()
    async with stopping(run_relay(kafka, url, watcher or Watcher(), stop), stop):
        yield stop


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    """An engine to fill the outbox."""
    async with feeds(database.app_url, 1) as (only,):
        await only.take(fees())
        yield only


async def caught_up(admin: Connection) -> bool:
    """Whether the cursor is behind nothing."""
    return bool(
        await admin.fetchval(
            "SELECT NOT EXISTS (SELECT FROM outbox_batches AS o, relay_cursor AS c WHERE o.batch_id > c.batch_id)"
        )
    )


async def deliveries(kafka: str, since: dict[TopicPartition, int]) -> dict[str, list[str]]:
    """Topic and key -> the ids that were delivered, in order, with repeats."""
    told: dict[str, list[str]] = defaultdict(list)
    for place, written in (await records(kafka, since)).items():
        for record in written:
            assert record.key is not None
            assert record.value is not None
            told[f"{place.topic} {record.key.decode()}"].append(orjson.loads(record.value)["id"])
    return told


async def intended(admin: Connection) -> dict[str, list[str]]:
    """The same, as the outbox has it."""
    told: dict[str, list[str]] = defaultdict(list)
    for message in await published(admin):
        told[f"{message['topic']} {message['key']}"].append(message["id"])
    return told


def without_repeats(told: dict[str, list[str]]) -> dict[str, list[str]]:
    """Each id where it first came."""
    return {key: list(dict.fromkeys(ids)) for key, ids in told.items()}


async def open_batch(url: str) -> tuple[asyncpg.Connection[asyncpg.Record], int]:
    """A transaction that has taken its batch id and writes."""
    connection = await asyncpg.connect(url)
    await connection.execute("BEGIN")
    batch_id: int = await connection.fetchval("SELECT reserve_batch_id()")
    await add(connection, batch_id)
    return connection, batch_id


async def add(connection: asyncpg.Connection[asyncpg.Record], batch_id: int, text: str = "{}") -> None:
    """One event into the outbox."""
    await connection.execute(
        "INSERT INTO outbox_batches VALUES ($1, 'payment.events', 1, 'acme:p', $2, now())", batch_id, text
    )


async def settled_and_seen(admin: Connection) -> tuple[int, list[int]]:
    """Up to where a relay may read now, and what it would find there."""
    up_to = await sql.settled_batch_id(admin)
    rows = await sql.unpublished(admin, after=0, up_to=up_to, most=10_000)
    return up_to, [row["batch_id"] for row in rows]


async def test_a_batch_that_is_not_committed_holds_the_relay_below_it(
    database: Database, admin: Connection
) -> None:
    slow, slow_id = await open_batch(database.app_url)
    fast, fast_id = await open_batch(database.app_url)
    assert slow_id < fast_id
    await fast.execute("COMMIT")
    up_to, seen = await settled_and_seen(admin)
    assert up_to < slow_id
    assert seen == []
    await slow.execute("COMMIT")
    assert await settled_and_seen(admin) == (fast_id, [slow_id, fast_id])
    await slow.close()
    await fast.close()


@pytest.mark.parametrize("end", ["ROLLBACK", "terminate"])
async def test_a_batch_that_is_given_up_holds_nobody(database: Database, admin: Connection, end: str) -> None:
    slow, _ = await open_batch(database.app_url)
    fast, fast_id = await open_batch(database.app_url)
    await fast.execute("COMMIT")
    await fast.close()
    if end == "terminate":
        await admin.fetch("SELECT pg_terminate_backend($1, 5000)", slow.get_server_pid())
        slow.terminate()
    else:
        await slow.execute(end)
        await slow.close()
    assert await settled_and_seen(admin) == (fast_id, [fast_id])


async def test_a_key_s_batches_have_the_order_of_its_lock_not_of_transaction_ids(
    database: Database, admin: Connection
) -> None:
    """The second writer had its transaction id first; a third one, older than both, is still writing."""
    async with feeds(database.app_url, 1) as (feed,):
        await feed.take(fees(), promise("p1", "o1"))
    lock = "SELECT state FROM payments FOR UPDATE"
    long, long_id = await open_batch(database.app_url)
    one = await asyncpg.connect(database.app_url)
    two = await asyncpg.connect(database.app_url)
    await two.execute("BEGIN")
    await two.fetchval("SELECT pg_current_xact_id()")
    await one.execute("BEGIN")
    await one.fetchval("SELECT pg_current_xact_id()")
    await one.fetch(lock)
    waiting = asyncio.create_task(two.fetch(lock))
    first = await one.fetchval("SELECT reserve_batch_id()")
    await add(one, first)
    await one.execute("COMMIT")
    await waiting
    second = await two.fetchval("SELECT reserve_batch_id()")
    await add(two, second)
    before = await settled_and_seen(admin)
    await two.execute("COMMIT")
    during = await settled_and_seen(admin)
    await long.execute("COMMIT")
    _, after = await settled_and_seen(admin)
    assert long_id not in before[1] + during[1]
    assert before[1] == during[1]
    assert after[-3:] == [long_id, first, second]
    for connection in (one, two, long):
        await connection.close()


async def test_a_reader_never_skips_a_batch_however_writers_interleave(
    database: Database, admin: Connection
) -> None:
    """Sixteen writers that dawdle, commit and give up; a reader that follows as the relay does."""
    committed: set[int] = set()
    read: list[int] = []
    writing = asyncio.Event()

    async def write(number: int) -> None:
        random = Random(number)  # noqa: S311 - any interleaving will do
        connection = await asyncpg.connect(database.app_url)
        for _ in range(60):
            await connection.execute("BEGIN")
            await connection.execute("SELECT pg_sleep($1)", random.choice((0, 0, 0.001, 0.01)))
            batch_id = await connection.fetchval("SELECT reserve_batch_id()")
            await connection.execute("SELECT pg_sleep($1)", random.choice((0, 0, 0.001, 0.02)))
            await add(connection, batch_id)
            end = random.choice(("COMMIT", "COMMIT", "COMMIT", "ROLLBACK"))
            await connection.execute(end)
            if end == "COMMIT":
                committed.add(batch_id)
        await connection.close()

    async def follow() -> None:
        last_round = False
        while not last_round:
            last_round = writing.is_set()
            up_to = await sql.settled_batch_id(admin)
            after = read[-1] if read else 0
            read.extend(
                row["batch_id"] for row in await sql.unpublished(admin, after=after, up_to=up_to, most=3)
            )
            if last_round and up_to > (read[-1] if read else 0):
                last_round = len(read) >= len(committed)

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(number) for number in range(16)))
    writing.set()
    async with asyncio.timeout(100):
        await following
    assert read == sorted(committed)


async def test_everything_is_published_in_order_and_counted(
    kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    since = await ends(kafka, *OUT)
    watcher = Watcher()
    async with a_relay(kafka, database.app_url, watcher):
        await feed.take(*(promise(f"p{n}", f"o{n}") for n in range(300)), b"{unreadable")
        await feed.take(*(sale(f"s{n}", f"o{n}") for n in range(300)), cancel("c1", "o1"))
        await until(lambda: caught_up(admin))
    told = await deliveries(kafka, since)
    assert told == await intended(admin)
    assert watcher.counts.total() == sum(map(len, told.values()))
    assert await admin.fetchval("SELECT published FROM relay_cursor") == watcher.counts.total()
    assert await broken_laws(admin) == []


async def test_one_key_has_one_partition_and_events_are_cloud_events(
    kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    since = await ends(kafka, "payment.events")
    await feed.take(*(promise(f"p{n}", f"o{n}") for n in range(40)))
    await feed.take(*(sale(f"s{n}", f"o{n}") for n in range(40)))
    async with a_relay(kafka, database.app_url):
        await until(lambda: caught_up(admin))
    where = defaultdict(set)
    for place, written in (await records(kafka, since)).items():
        for record in written:
            assert orjson.loads(record.value or b"")["specversion"] == "1.0"
            where[record.key].add(place.partition)
    assert len(where) == 40
    assert all(len(partitions) == 1 for partitions in where.values())
    assert len(set.union(*where.values())) == len(places("payment.events"))


@pytest.mark.parametrize("body", [b"x", b"\x01", b"\xff"], ids=["text", "control characters", "no text"])
async def test_the_largest_message_that_kafka_takes_does_not_stop_the_relay(
    kafka: str, database: Database, admin: Connection, feed: Feed, body: bytes
) -> None:
    """Its dead letter holds it in base64, which is a third longer."""
    since, before = await ends(kafka, *OUT), await ends(kafka, "checkout.events")
    size = 4 * 2**20 - 200
    await publish(kafka, "checkout.events", [("acme:big", body * size)])
    assert sum((await ends(kafka, "checkout.events")).values()) == sum(before.values()) + 1, "Kafka takes it"
    await feed.take(body * size, sale("s1", "o1"))
    async with a_relay(kafka, database.app_url):
        await until(lambda: caught_up(admin))
    letters = [
        key for key in await deliveries(kafka, since) if key.startswith("checkout.events.counterfoil.dlq")
    ]
    assert len(letters) == 1
    assert await admin.fetchval("SELECT octet_length(body) FROM dead_letters") == size, (
        "the database has it whole"
    )


async def test_a_crash_between_publishing_and_the_cursor_publishes_the_same_ids_again(
    kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    since = await ends(kafka, *OUT)
    await feed.take(*(sale(f"s{n}", f"o{n}") for n in range(20)))
    async with cable_to(database.app_url) as (cable, url):
        cable.lose_answers_to = b"UPDATE relay_cursor"
        async with a_relay(kafka, url):
            await until(lambda: caught_up(admin))
        assert cable.lost == 1
    told = await deliveries(kafka, since)
    assert without_repeats(told) == await intended(admin)
    assert all(ids == ids[: len(ids) // 2] * 2 for ids in told.values()), "everything came twice, alike"
    assert await broken_laws(admin) == []


async def test_of_two_relays_one_leads_and_the_other_takes_over(
    kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    since = await ends(kafka, *OUT)
    watchers = [Watcher(), Watcher(), Watcher()]
    async with AsyncExitStack() as relays:
        for watcher in watchers:
            await relays.enter_async_context(a_relay(kafka, database.app_url, watcher))
        for number in range(60):
            await feed.take(*(sale(f"s{number}-{n}", f"o{number}-{n}") for n in range(20)))
            if number % 15 == 7:
                await until(lambda: _killed_leader(admin))
        await until(lambda: caught_up(admin))
        await until(lambda: _leaders(watchers, 1))
    assert sum(watcher.led_times for watcher in watchers) >= 5
    assert without_repeats(await deliveries(kafka, since)) == await intended(admin)
    assert await broken_laws(admin) == []


async def _leaders(watchers: Sequence[Watcher], number: int) -> bool:
    return sum(watcher.leads for watcher in watchers) == number


async def _has_led(watcher: Watcher, times: int) -> bool:
    return watcher.led_times >= times


async def _killed_leader(admin: Connection) -> bool:
    """End the connection that holds the relay's lock, if there is one."""
    killed = await admin.fetchval(
        "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l"
        " WHERE l.locktype = 'advisory' AND l.classid = 17742 AND l.objid = 1 AND l.granted"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(killed == 1)


async def test_a_table_that_a_migration_has_still_to_bring_is_waited_for(
    kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    await feed.take(sale("s1", "o1"))
    await admin.execute("ALTER TABLE outbox_batches RENAME TO not_yet")
    watcher = Watcher()
    async with a_relay(kafka, database.app_url, watcher):
        await until(lambda: _has_led(watcher, 2))
        await admin.execute("ALTER TABLE not_yet RENAME TO outbox_batches")
        await until(lambda: caught_up(admin))
    assert watcher.counts.total() > 0


async def test_a_relay_can_be_stopped_while_it_waits_to_lead(kafka: str, database: Database) -> None:
    leader, other = Watcher(), Watcher()
    async with a_relay(kafka, database.app_url, leader):
        await until(lambda: _leaders([leader], 1))
        async with asyncio.timeout(100), a_relay(kafka, database.app_url, other):
            pass
        assert leader.leads
        assert other.led_times == 0


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_kafka_killed_in_the_middle_of_a_run_loses_nothing_and_keeps_order(
    stack: Stack, kafka: str, database: Database, admin: Connection, feed: Feed
) -> None:
    since = await ends(kafka, *OUT)
    async with a_relay(kafka, database.app_url):
        for number in range(40):
            await feed.take(*(promise(f"p{number}-{n}", f"o{number}-{n}") for n in range(30)))
            if number == 20:
                await asyncio.to_thread(stack.kill, "kafka")
            await feed.take(*(sale(f"s{number}-{n}", f"o{number}-{n}") for n in range(30)))
        await until(lambda: caught_up(admin), 120)
    collect_lost_connections()
    assert without_repeats(await deliveries(kafka, since)) == await intended(admin)
    assert await broken_laws(admin) == []


@pytest.mark.faults
async def test_a_relay_can_be_stopped_while_kafka_is_away(
    database: Database, admin: Connection, feed: Feed
) -> None:
    await feed.take(sale("s1", "o1"), capture("c1", "o1"))
    nowhere = "127.0.0.1:1"
    async with asyncio.timeout(100), a_relay(nowhere, database.app_url):
        await until(lambda: _connected(admin))
    assert await admin.fetchval("SELECT published FROM relay_cursor") == 0


async def _connected(admin: Connection) -> bool:
    return bool(
        await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'counterfoil relay'"
        )
    )
