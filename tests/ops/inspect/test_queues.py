"""Dead letters are shown whole and go back once; what waits is listed with its reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.parking import MOST_TRIES
from db.connection import connect
from handlers.needs import Route
from handlers.routes import ROUTES
from ops.checks import check
from schemas.reasons import REASONS, Reason
from tests.engines import CHECKOUT
from tests.ops.busy import marketplace
from tests.ops.checks.traffic import sale
from tests.shop import capture, request

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from tests.conftest import Database
    from tests.ops.inspect.conftest import Commands, PointedAt

WAIT_S = 100
RECORDED = "checkout.payment_recorded.v1"


def _stumble(*_: object) -> NoReturn:
    """A rule with a bug."""
    raise ZeroDivisionError


async def look(database: Database, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Rows, as a superuser sees them."""
    admin = await connect(database.admin_url, application="test")
    rows = [tuple(row.values()) for row in await admin.fetch(statement, *values)]
    await admin.close()
    return rows


async def last_record(kafka: str, topic: str, place: str) -> ConsumerRecord[bytes, bytes]:
    """The record at a place that was told as topic/partition/offset."""
    _, partition, offset = place.rsplit("/", 2)
    where = TopicPartition(topic, int(partition))
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([where])
        consumer.seek(where, int(offset))
        return await asyncio.wait_for(consumer.getone(), WAIT_S)
    finally:
        await consumer.stop()


async def test_dead_letters_are_listed_newest_first(cli: Commands) -> None:
    letters = await cli.json("dead-letters", "list")
    assert [(letter["reason"], letter["offset"]) for letter in letters] == [
        ("invalid_json", 9),
        ("card_number_present", 8),
        ("invalid_json", 4),
    ]
    assert len(await cli.json("dead-letters", "list", "--reason", "card_number_present")) == 1
    assert await cli.json("dead-letters", "list", "--topic", "timer.events") == []
    assert "and 2 more; see them with --limit" in await cli.out("dead-letters", "list", "--limit", "1")
    assert "checkout.events/0/9" in await cli.out("dead-letters", "list")


async def test_a_dead_letter_is_shown_whole(cli: Commands) -> None:
    shown = await cli.out("dead-letters", "show", "1")
    for word in (
        "{not json",
        "checkout.events/0/4",
        "h=1",
        "invalid_json",
        REASONS[Reason.INVALID_JSON].action,
    ):
        assert word in shown
    assert "not UTF-8, in hexadecimal: ff00206e" in await cli.out("dead-letters", "show", "3")
    masked = await cli.out("dead-letters", "show", "2")
    assert "1111 1111" not in masked
    assert "a card number was masked" in masked
    assert (await cli.json("dead-letters", "show", "3"))["body_base64"] == "/wAgbm8gdGV4dA=="
    assert "there is no dead letter 99" in (await cli.run("dead-letters", "show", "99", code=1)).stderr


async def test_an_unreadable_one_is_published_again_byte_for_byte(
    spare: Database, pointed_at: PointedAt, kafka: str
) -> None:
    cli = pointed_at(spare)
    (told,) = await cli.json("dead-letters", "replay", "3", "--actor", "ada")
    assert told["done"]
    record = await last_record(kafka, CHECKOUT, told["told"].split()[-1])
    assert (record.value, record.key, record.headers) == (b"\xff\x00 no text", b"key", (("h", b"1"),))
    assert await look(spare, "SELECT count(*) FROM dead_letters WHERE replayed_at IS NOT NULL") == [(1,)]
    ((actor, action, object_id, detail),) = await look(
        spare, "SELECT actor, action, object_id, detail FROM audit_log"
    )
    assert (actor, action, object_id) == ("ada", "dead_letter.replayed", "3")
    assert "invalid_json at checkout.events/0/9: published again as checkout.events/" in str(detail)


async def test_none_is_replayed_twice(spare: Database, pointed_at: PointedAt, kafka: str) -> None:
    del kafka  # its topics are there
    cli = pointed_at(spare)
    await cli.run("dead-letters", "replay", "1")
    assert "NOT REPLAYED, it was replayed at" in await cli.out("dead-letters", "replay", "1", code=1)
    assert "NOT REPLAYED, there is no such" in await cli.out("dead-letters", "replay", "99", code=1)
    assert [letter["dead_letter_id"] for letter in await cli.json("dead-letters", "list")] == [3, 2]
    assert len(await cli.json("dead-letters", "list", "--replayed")) == 3


async def test_a_masked_one_is_not_what_was_sent_and_stays(
    spare: Database, pointed_at: PointedAt, kafka: str
) -> None:
    del kafka
    cli = pointed_at(spare)
    shown = await cli.out("dead-letters", "replay", "--all", code=1)
    assert "2: NOT REPLAYED, a card number was masked in it" in shown
    assert "2 of 3 replayed" in shown
    assert [letter["dead_letter_id"] for letter in await cli.json("dead-letters", "list")] == [2]


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["--all", "--reason", "invalid_json"]])
async def test_what_to_replay_is_named_in_one_way(cli: Commands, arguments: list[str]) -> None:
    assert "name one dead letter" in (await cli.run("dead-letters", "replay", *arguments, code=2)).stderr


async def test_a_message_whose_bug_is_mended_goes_back_to_its_queue_and_is_applied(
    spare: Database, pointed_at: PointedAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with marketplace(spare, partition=1) as market:
        with monkeypatch.context() as bug:
            route = ROUTES[RECORDED]
            assert isinstance(route, Route)
            bug.setitem(ROUTES, RECORDED, replace(route, rule=_stumble))
            await market.receive(sale("b1", "b1"))
            await look(spare, "UPDATE parked SET due_at = now(), tries = $1", MOST_TRIES)
            await market.retry_parked()
        assert await look(spare, "SELECT outcome FROM inbox WHERE event_id = 'b1'") == [("dead",)]
        cli = pointed_at(spare)
        ((number,),) = await look(spare, "SELECT dead_letter_id FROM dead_letters WHERE event_id = 'b1'")
        shown = await cli.out("dead-letters", "show", str(number))
        assert "b1 of /shops/a (acme)" in shown
        assert f"counterfoil dead-letters replay {number}" in shown
        assert "waits in checkout.events under b1" in await cli.out(
            "dead-letters", "replay", "--reason", "handler_error", "--actor", "ada"
        )
        (waiting,) = await cli.json("parked", "list")
        assert (waiting["event_id"], waiting["tries"]) == ("b1", 0)
        assert waiting["detail"] == "replayed by ada: handler_error"
        await market.retry_parked()
        await market.settle()
    assert await look(spare, "SELECT outcome FROM inbox WHERE event_id = 'b1'") == [("applied",)]
    reader = await connect(spare.read_url, application="test")
    assert [verdict for verdict in await check(reader, settled=True) if not verdict.ok] == []
    await reader.close()


async def test_what_waits_is_listed_with_its_reason(spare: Database, pointed_at: PointedAt) -> None:
    cli = pointed_at(spare)
    assert await cli.out("parked", "list") == "none\n"
    async with marketplace(spare, partition=1) as market:
        await market.receive(capture("w1", "nowhere"), request("w2", "w2", data={"merchant_id": "m9"}))
    shown = await cli.out("parked", "list")
    for word in ("payment_unknown", "merchant_fees_unknown", "fees:acme/m9", "order nowhere has no payment"):
        assert word in shown
    assert [row["event_id"] for row in await cli.json("parked", "list", "--topic", CHECKOUT)] == ["w1", "w2"]
    assert await cli.json("parked", "list", "--topic", "timer.events") == []
    assert "and 1 more; see them with --limit" in await cli.out("parked", "list", "--limit", "1")
