"""What the messages say, said again: identical, with every time, unless somebody put a hand to the tables."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from db.connection import connect
from handlers.journals.model import journal_uuid_of
from handlers.ledger.model import Code
from ops.rebuild import replay
from ops.rebuild.parts import COMPARED, LEFT_OUT
from ops.rebuild.scratch import PREFIX
from tests.books import LEDGER, approve, journal, reversal
from tests.engines import Feed, feeds, reasons
from tests.ops.busy import marketplace
from tests.ops.checks.traffic import Marketplace, sale
from tests.shop import TENANT, capture, confirm, fees, request
from tests.shop import sale as shop_sale

if TYPE_CHECKING:
    from ops.rebuild import Outcome
    from tests.conftest import Connection, Database


def told(outcome: Outcome) -> list[str]:
    """Every difference."""
    return [difference for part in outcome.parts for difference in part.differences]


async def scratch_databases(admin: Connection) -> list[str]:
    """That are there now."""
    rows = await admin.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX)
    return [row["datname"] for row in rows]


async def test_an_hour_of_traffic_is_replayed_to_the_microsecond(busy: Database, admin: Connection) -> None:
    progress: list[tuple[int, int]] = []
    outcome = await replay(
        busy.app_url, busy.admin_url, progress=lambda done, total: progress.append((done, total))
    )
    assert told(outcome) == []
    assert outcome.ok
    rows = {part.name: part.rows for part in outcome.parts}
    # What the hour has nothing of is replayed with the demo's desks, and with refunds and disputes.
    for name in (
        "messages and their outcomes", "payments", "transitions", "fee schedules", "entries with their lines",
        "balances", "timers", "provider calls", "command keys", "published events",
    ):  # fmt: skip
        assert rows[name] > 0, name
    assert progress[-1] == (outcome.messages, outcome.messages)
    assert outcome.database is None
    assert await scratch_databases(admin) == []


async def test_every_table_is_compared_or_left_out_for_a_reason(admin: Connection) -> None:
    """Who adds a table says which."""
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    compared = {table for one in COMPARED for table in one.tables}
    assert {row["relname"] for row in rows} == compared | LEFT_OUT.keys()
    assert not compared & LEFT_OUT.keys()


async def test_an_empty_database_is_replayed(database: Database) -> None:
    outcome = await replay(database.app_url, database.admin_url)
    assert (outcome.ok, outcome.messages, outcome.batches) == (True, 0, 0)


TAMPERINGS = [
    (
        "UPDATE payments SET amount_minor = 2000, authorized_minor = 2000 WHERE order_id = 'o1'",
        "amount_minor is 2000, the messages say 1999",
    ),
    ("DELETE FROM transitions WHERE event = 'decline'", "follows from the messages, but is not there"),
    (
        "UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 1",
        "acme//shops/a/s1/1: lines is",
    ),
    (
        (
            "INSERT INTO entries SELECT tenant, 1000, rule, object_type, object_id, source, event_id, legs,"
            " effective_at, posted_at FROM entries WHERE entry_id = 1"
        ),
        "acme//shops/a/s1/2 is there, but does not follow from the messages",
    ),
    ("UPDATE balances SET credit_minor = credit_minor + 1", "the messages say"),
    (
        "UPDATE entries SET posted_at = posted_at + interval '1 microsecond' WHERE entry_id = 1",
        "posted_at is",
    ),
    (
        "UPDATE inbox SET outcome = 'rejected', reason = 'x' WHERE event_id = 's1'",
        "the messages say 'applied'",
    ),
    (
        "UPDATE inbox SET body = convert_to(replace(convert_from(body, 'UTF8'), '1500', '1600'), 'UTF8')",
        "1600",
    ),
    ("DELETE FROM inbox WHERE event_id = 's2'", "is there, but does not follow from the messages"),
    ("DELETE FROM timers", "follows from the messages, but is not there"),
    ("UPDATE accounts SET owner = 'm2' WHERE owner = 'm1'", "acme/merchant_payable/m2/EUR is there, but"),
    ("DELETE FROM outbox_batches WHERE topic = 'ledger.entries'", "ledger.entries/acme/"),
    ("UPDATE fee_schedules SET bps = 100", "bps is 100, the messages say 250"),
]


@pytest.mark.parametrize(("deed", "named"), TAMPERINGS, ids=[deed[:50] for deed, _ in TAMPERINGS])
async def test_what_does_not_follow_from_the_messages_is_named(busy: Database, deed: str, named: str) -> None:
    intruder = await asyncpg.connect(busy.admin_url)
    for row in await intruder.fetch(
        "SELECT tgname, tgrelid::regclass::text AS guarded FROM pg_trigger WHERE NOT tgisinternal"
    ):
        await intruder.execute(f"DROP TRIGGER {row['tgname']} ON {row['guarded']}")
    await intruder.execute(deed)
    await intruder.close()
    outcome = await replay(busy.app_url, busy.admin_url)
    assert not outcome.ok
    assert any(named in difference for difference in told(outcome)), told(outcome)


async def test_what_waited_is_replayed_when_it_was_decided(database: Database, admin: Connection) -> None:
    """Captures before their payments, payments before their fees, across batches and partitions."""
    async with feeds(database.app_url, 2) as (shop, other):
        await shop.take(capture("p1", "k1", 700, final=False), shop_sale("s1", "o1"))
        await other.take(capture("p9", "nowhere"), shop_sale("s2", "o2", merchant="m7"))
        await shop.take(request("c1", "k1", capture="manual"))
        await other.take(fees("f7", "m7"))
        await shop.take(fees())
        for feed in (shop, other):
            await feed.settle_parked(admin)
        assert (
            await admin.fetchval("SELECT count(*) FROM parked") == 2
        )  # the provider's answer is still to come
    assert told(await replay(database.app_url, database.admin_url)) == []


async def test_a_tenant_with_a_test_clock_is_replayed_at_its_times(
    database: Database, admin: Connection
) -> None:
    """The clock was moved between the batches; only its last time is in the table."""
    began = datetime.fromisoformat("2030-01-31T22:59:59.999999+00:00")
    await admin.execute("INSERT INTO clocks VALUES ('acme', $1)", began)
    async with marketplace(database) as market:
        await market.receive(fees())
        for day in range(5):
            await market.receive(
                shop_sale(f"s{day}", f"o{day}"),
                request(f"c{day}", f"k{day}", capture="manual"),
                request(f"n{day}", f"n{day}", confirm=False, token=None),
            )
            await admin.execute("UPDATE clocks SET now_at = now_at + interval '29 hours'")
            await market.receive(confirm(f"q{day}", f"n{day}"))
            await market.settle()
    years = await admin.fetch("SELECT DISTINCT posted_at FROM entries ORDER BY 1")
    posted = {row["posted_at"] for row in years}
    assert posted >= {began + timedelta(hours=29 * day) for day in range(5)}
    assert told(await replay(database.app_url, database.admin_url)) == []


async def test_a_repeat_of_a_command_that_died_is_told_so_again(
    database: Database, admin: Connection
) -> None:
    """The key of a message that is not replayed was taken all the same."""
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), capture("p1", "nowhere", key="same"))
        await admin.execute("UPDATE parked SET parked_at = parked_at - interval '25 hours'")
        await shop.settle_parked(admin)
        await shop.take(capture("p2", "nowhere", key="same"))
        rows = await admin.fetch("SELECT event_id, outcome FROM inbox WHERE event_id LIKE 'p%' ORDER BY 1")
        assert [row["outcome"] for row in rows] == ["dead", "duplicate"]
    assert told(await replay(database.app_url, database.admin_url)) == []


async def test_many_workers_at_once_are_replayed_one_by_one(database: Database) -> None:
    async with feeds(database.app_url, 3) as opened:
        await opened[0].take(fees())

        async def trade(feed: Feed) -> None:
            for batch in range(5):
                names = [f"{feed.partition}-{batch}-{number}" for number in range(10)]
                await feed.take(
                    *(shop_sale(f"s{name}", f"o{name}") for name in names),
                    *(request(f"c{name}", f"k{name}", capture="manual") for name in names),
                )

        await asyncio.gather(*map(trade, opened))
    connection: Any = await connect(database.app_url, application="test")
    market = Marketplace(database.app_url, connection)
    await market.settle()
    await market.close()
    await connection.close()
    outcome = await replay(database.app_url, database.admin_url)
    assert told(outcome) == []
    assert {part.name: part.rows for part in outcome.parts}["payments"] == 300


async def test_a_batch_of_two_partitions_is_decided_alike_in_whatever_order_kafka_gave_them(
    database: Database, admin: Connection
) -> None:
    """Two people take the same entry back; who is first in the batch does, and the other is told what is left."""
    first, second = (str(journal_uuid_of(TENANT, name)) for name in ("j1", "j2"))
    entry, gone = ({"object_id": object_id, "number": 1} for object_id in (first, second))
    async with feeds(database.app_url, 2, LEDGER) as (one, other):
        await one.take(journal("j1"), approve("j1"))
        await one.take(reversal("r1", first))
        await other.take(reversal("r2", first))
        later, earlier = (
            other.records(approve("r2", reverses=entry)),
            one.records(approve("r1", reverses=entry)),
        )
        await one.engine.handle([*later, *earlier])
        assert (await reasons(admin))["r2-approved"] == "already_reversed"
        # and the same with what waits
        await other.take(reversal("r4", second), approve("r4", reverses=gone))
        await one.take(reversal("r3", second), approve("r3", reverses=gone))
        assert await admin.fetchval("SELECT count(*) FROM parked") == 4
        await one.take(journal("j2"), approve("j2"))
        await one.settle_parked(admin)
        assert (await reasons(admin))["r4"] == "already_reversed"
    assert told(await replay(database.app_url, database.admin_url)) == []


async def test_work_goes_on_meanwhile_and_is_no_difference(busy: Database) -> None:
    """Both sides are as of one snapshot."""
    async with marketplace(busy, partition=1) as market:
        working: list[asyncio.Task[None]] = []

        def during(done: int, _: int) -> None:
            working.append(asyncio.create_task(market.receive(sale(f"w{done}", f"w{done}"))))

        outcome = await replay(busy.app_url, busy.admin_url, progress=during)
        await asyncio.gather(*working)
    assert told(outcome) == []
    again = await replay(busy.app_url, busy.admin_url)
    assert told(again) == []
    assert again.messages == outcome.messages + len(working)


async def test_a_kept_scratch_database_can_be_looked_into(busy: Database, admin: Connection) -> None:
    outcome = await replay(busy.app_url, busy.admin_url, keep=True)
    try:
        assert outcome.database is not None
        assert await scratch_databases(admin) == [outcome.database]
        kept = await asyncpg.connect(f"{busy.admin_url.rsplit('/', 1)[0]}/{outcome.database}")
        assert await kept.fetchval("SELECT count(*) FROM accounts WHERE code = $1", Code.MERCHANT_PAYABLE)
        await kept.close()
    finally:
        await admin.execute(f"DROP DATABASE {outcome.database}")


async def test_a_failure_leaves_no_scratch_database(busy: Database, admin: Connection) -> None:
    def fail(done: int, total: int) -> None:
        raise ZeroDivisionError(done, total)

    with pytest.raises(ZeroDivisionError):
        await replay(busy.app_url, busy.admin_url, progress=fail)
    assert await scratch_databases(admin) == []
