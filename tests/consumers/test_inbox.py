"""Law 3 under attack: one effect per event, whatever comes how often, in which spelling and from where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.engines import Feed, broken_laws, content, counts, feeds, outcomes, published, states
from tests.shop import event, fees, request, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    """One partition with a merchant's fees already taken in."""
    async with feeds(database.app_url, 1) as (only,):
        await only.take(fees())
        yield only


def _respelled(body: bytes) -> bytes:
    """The same JSON, written by somebody else: other order, spaces, escapes, another time of sending."""
    document: dict[str, Any] = orjson.loads(body)
    turned = dict(reversed(list(document.items())))
    turned["data"] = dict(reversed(list(document["data"].items())))
    turned["time"] = "2026-11-23T10:00:07Z"
    return orjson.dumps(turned, option=orjson.OPT_INDENT_2).replace(b"acme", b"\\u0061cme")


@pytest.mark.parametrize("spelling", [bytes, _respelled], ids=["byte for byte", "spelled otherwise"])
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
async def test_the_same_event_again_is_a_duplicate(
    feed: Feed, admin: Connection, spelling: Any, *, together: bool
) -> None:
    first = sale("e1", "o1")
    await (feed.take if together else feed.take_each)(first, spelling(first), spelling(first))
    assert feed.watcher.outcomes == {"applied": 2, "duplicate": 2}
    assert await counts(admin) == {"received": 4, "duplicate": 2, "redelivered": 0}
    assert await admin.fetchval("SELECT count(*) FROM entries") == 1
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
async def test_a_used_id_with_another_body_is_refused_loudly_and_kept(
    feed: Feed, admin: Connection, *, together: bool
) -> None:
    bodies = [sale("e1", "o1", 1999), sale("e1", "o1", 1), sale("e1", "o2", 1999)]
    await (feed.take if together else feed.take_each)(*bodies)
    assert feed.watcher.outcomes == {"applied": 2, "rejected": 2}
    assert await admin.fetchval("SELECT sum(captured_minor)::int FROM payments") == 1999
    kept = await admin.fetch('SELECT body FROM inbox_conflicts ORDER BY "offset"')
    assert [row["body"] for row in kept] == bodies[1:]
    told = await published(admin, "rejections")
    assert [message["data"]["reason"] for message in told] == ["event_id_reused"] * 2
    assert len({message["id"] for message in told}) == 2
    assert await broken_laws(admin) == []


async def test_another_tenant_or_source_may_use_the_same_id(feed: Feed, admin: Connection) -> None:
    await feed.take(
        sale("e1", "o1"),
        sale("e1", "o2", source="/shops/b"),
        fees(tenant="other"),
        sale("e1", "o1", tenant="other"),
    )
    assert feed.watcher.outcomes == {"applied": 5}
    assert await broken_laws(admin) == []


@pytest.mark.parametrize(
    "oddity",
    [b'"note":NaN', b'"note":1e999', b'"note":-Infinity'],
    ids=["not a number", "an endless number", "infinity"],
)
async def test_an_unknown_attribute_that_is_no_strict_json_stops_nobody(
    feed: Feed, admin: Connection, oddity: bytes
) -> None:
    odd = sale("e1", "o1")[:-1] + b"," + oddity + b"}"
    await feed.take_each(odd, odd + b" ", sale("e1", "o1", 5) + b" ", sale("e2", "o2"))
    assert (await outcomes(admin))["e2"] == "applied"
    assert (await counts(admin))["received"] == 5
    assert await broken_laws(admin) == []


async def test_redelivery_after_a_lost_offset_commit_changes_nothing_not_even_counts(
    feed: Feed, admin: Connection
) -> None:
    await feed.take(
        sale("e1", "o1"),
        sale("e1", "o1"),
        sale("e1", "o1", 5),
        b"{broken",
        b'{"card": "4242 4242 4242 4242"',
        request("r1", "o2", key="k"),
        request("r2", "o2", key="k"),
        event("c1", "checkout.payment_not_collected", {"order_id": "later"}),
    )
    before = await content(admin), (await counts(admin))["received"]
    letters = await admin.fetch("SELECT * FROM dead_letters")
    for cut in (0, 3, 7):
        await feed.again(feed.log[cut:])
    assert (await content(admin), (await counts(admin))["received"]) == before
    assert await admin.fetch("SELECT * FROM dead_letters") == letters
    assert await admin.fetchval("SELECT count(*) FROM inbox_conflicts") == 1
    assert (await counts(admin))["redelivered"] == 9 + 6 + 2
    assert await broken_laws(admin) == []


async def test_a_redelivery_that_overlaps_new_records_takes_in_only_those(
    feed: Feed, admin: Connection
) -> None:
    await feed.take(sale("e1", "o1"), sale("e2", "o2"))
    old = list(feed.log)
    await feed.again([*old, *feed.records(sale("e3", "o3"), sale("e1", "o1"), b"{")])
    assert await counts(admin) == {"received": 6, "duplicate": 1, "redelivered": 3}
    assert feed.watcher.outcomes == {"applied": 4, "duplicate": 1, "dead": 1}
    assert await broken_laws(admin) == []


async def test_a_topic_made_anew_loses_nothing(feed: Feed, admin: Connection) -> None:
    await feed.take(sale("e1", "o1"), sale("e2", "o2"), b"{first", sale("e3", "o3"))
    feed.log.clear()  # offsets start at 0 again
    await feed.take(b"{second", sale("e4", "o4"), b"{first", sale("e5", "o5"), sale("e1", "o1", 77))
    assert {"e4": "applied", "e5": "applied"}.items() <= (await outcomes(admin)).items()
    letters = await admin.fetch("SELECT body FROM dead_letters ORDER BY dead_letter_id")
    assert [row["body"] for row in letters] == [b"{first", b"{second", b"{first"]
    kept = await admin.fetchval("SELECT body FROM inbox_conflicts")
    assert kept == sale("e1", "o1", 77), "another body under a used id is refused, not taken for a redelivery"
    ids = [message["id"] for message in await published(admin)]
    assert len(ids) == len(set(ids))
    assert await broken_laws(admin) == []


async def test_the_same_ids_in_two_partitions_at_once_are_applied_once(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 2) as (one, two):
        await one.take(fees())
        for number in range(30):
            bodies = [sale(f"e{number}-{place}", f"o{number}-{place}") for place in range(12)]
            await asyncio.gather(one.take(*bodies), two.take(*reversed(bodies)))
        assert one.watcher.outcomes + two.watcher.outcomes == {"applied": 361, "duplicate": 360}
    assert await admin.fetchval("SELECT count(*) FROM entries") == 360
    assert await broken_laws(admin) == []


async def test_two_engines_on_one_partition_take_every_record_once(
    database: Database, admin: Connection
) -> None:
    """As in a rebalance, when the old owner does not know yet that it has lost the partition."""
    async with feeds(database.app_url, 2) as (old, new):
        await old.take(fees())
        new.partition = old.partition
        for number in range(20):
            records = old.records(*(sale(f"e{number}-{place}", f"o{number}-{place}") for place in range(10)))
            await asyncio.gather(old.again(records), new.again(records[3:]))
    assert (await counts(admin))["received"] == 201
    assert await admin.fetchval("SELECT count(*) FROM entries") == 200
    assert len(await states(admin)) == 200
    assert await broken_laws(admin) == []


async def test_two_conflicts_at_the_same_offset_of_two_partitions_are_two_rejections(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 3) as (first, *others):
        await first.take_each(fees(), sale("e1", "o1"))
        for feed in others:
            await feed.take(sale("e1", "o1", 5))
    assert len({message["id"] for message in await published(admin, "rejections")}) == 2
    assert await broken_laws(admin) == []
