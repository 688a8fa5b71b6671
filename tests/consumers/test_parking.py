"""Messages that came too early, and rules that raise: nothing is dropped, overtaken or held up (law 12)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from consumers import parking
from handlers.needs import Route
from handlers.routes import ROUTES
from tests.engines import (
    CHECKOUT,
    RESULTS,
    Feed,
    broken_laws,
    content,
    feeds,
    outcomes,
    published,
    reasons,
    states,
)
from tests.shop import cancel, capture, confirm, event, fees, missed, promise, request, sale, succeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    """One partition with a merchant's fees already taken in."""
    async with feeds(database.app_url, 1) as (only,):
        await only.take(fees())
        yield only


def break_rule(monkeypatch: pytest.MonkeyPatch, kind: str, *event_ids: str) -> None:
    """The rule of this type raises for these events."""
    route = ROUTES[kind]
    assert isinstance(route, Route)

    def rule(*arguments: Any) -> Any:
        message = arguments[-2]
        if message.id in event_ids:
            raise ZeroDivisionError(message.id)
        return route.rule(*arguments)

    monkeypatch.setitem(ROUTES, kind, replace(route, rule=rule))


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_a_command_before_its_payment_waits_and_is_applied_when_it_comes(
    feed: Feed, admin: Connection, *, together: bool
) -> None:
    early = cancel("c1", "o1"), request("r1", "o1", confirm=False)
    await (feed.take if together else feed.take_each)(*early)
    await feed.settle_parked(admin)
    assert await states(admin) == {"o1": "canceled"}
    assert await outcomes(admin) == {"fees": "applied", "c1": "applied", "r1": "applied"}
    assert await broken_laws(admin) == []


async def test_what_brings_the_payment_may_pass_but_nothing_else_does(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"), cancel("c1", "o1"), promise("p1", "o1"), sale("s1", "o1"))
    assert await outcomes(admin) == {
        "fees": "applied",
        "n1": "parked",
        "c1": "parked",
        "p1": "applied",
        "s1": "parked",
    }
    await feed.settle_parked(admin)
    # In the order in which they came: when the cancellation has its turn, the payment has failed.
    assert (await reasons(admin))["c1"] == "state_forbids"
    steps = await admin.fetch("SELECT event_id FROM transitions ORDER BY version")
    assert [row["event_id"] for row in steps[:2]] == ["p1", "n1"]
    assert await broken_laws(admin) == []


async def test_what_brings_the_payment_may_itself_wait(feed: Feed, admin: Connection) -> None:
    await feed.take(
        missed("n1", "o1"),
        event(
            "p1",
            "checkout.payment_deferred",
            {
                "order_id": "o1",
                "merchant_id": "new",
                "amount": {"amount_minor": 5, "currency": "EUR"},
                "collection": "bank_transfer",
            },
        ),
    )
    await feed.settle_parked(admin)
    assert await admin.fetchval("SELECT count(*) FROM parked") == 2
    await feed.take(fees("fees-new", "new"))
    await feed.settle_parked(admin)
    assert await states(admin) == {"o1": "failed"}
    assert await admin.fetchval("SELECT count(*) FROM parked") == 0
    assert await broken_laws(admin) == []


async def test_an_order_named_like_its_merchant_does_not_wait_for_itself(
    feed: Feed, admin: Connection
) -> None:
    await feed.take_each(sale("s1", "twin", merchant="twin"), fees("f-twin", "twin"))
    await feed.engine.retry_parked()
    assert await states(admin) == {"twin": "succeeded"}


async def test_a_payment_wakes_what_waits_for_it_without_a_back_off(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"))
    await admin.execute("UPDATE parked SET tries = 7, due_at = now() + interval '1 hour'")
    assert await feed.engine.retry_parked() == 0
    await feed.take(promise("p1", "o1"))
    assert await feed.engine.retry_parked() == 1
    assert await states(admin) == {"o1": "failed"}


async def test_fees_wake_the_sales_of_their_merchant_only(feed: Feed, admin: Connection) -> None:
    await feed.take(sale("s1", "o1", merchant="m2"), sale("s2", "o2", merchant="m3"))
    await admin.execute("UPDATE parked SET due_at = now() + interval '1 hour'")
    await feed.take(fees("f2", "m2"))
    assert await feed.engine.retry_parked() == 1
    assert await states(admin) == {"o1": "succeeded"}
    assert (await reasons(admin))["s2"] == "merchant_fees_unknown"


async def test_a_provider_s_answer_wakes_the_capture_that_waits_for_it(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,), feeds(database.app_url, 1, RESULTS) as (results,):
        await shop.take(fees(), request("r1", "o1", capture="manual", minor=2500))
        await shop.take(capture("c1", "o1", 1000, final=False), capture("c2", "o1"))
        await admin.execute("UPDATE parked SET due_at = now() + interval '1 hour'")
        call = await admin.fetchval("SELECT call_id::text FROM provider_calls")
        await results.take(succeeded("a1", "o1", call, "authorize", 2500, captured=False))
        assert await shop.engine.retry_parked() == 1, (
            "the first capture asks the provider, the second waits on"
        )
        calls = await admin.fetch("SELECT operation, amount_minor FROM provider_calls ORDER BY created_at")
        assert [tuple(row) for row in calls] == [("authorize", 2500), ("capture", 1000)]


async def test_messages_behind_a_waiting_one_keep_their_order(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"), missed("n2", "o1"))
    await feed.take(missed("n3", "o1"), promise("p9", "other"))
    assert await outcomes(admin) == {
        "fees": "applied",
        "n1": "parked",
        "n2": "parked",
        "n3": "parked",
        "p9": "applied",
    }
    await feed.take(promise("p1", "o1"))
    await feed.engine.retry_parked()
    assert await outcomes(admin) == {
        "fees": "applied",
        "n1": "applied",
        "n2": "rejected",
        "n3": "rejected",
        "p9": "applied",
        "p1": "applied",
    }
    order = [message["causation"] for message in await published(admin, "rejections")]
    assert order == ["n2", "n3"]


async def test_what_never_comes_is_given_up_after_the_longest_wait(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"), missed("n2", "o1"))
    await admin.execute(
        "UPDATE parked SET parked_at = parked_at - $1::interval, due_at = now()", parking.LONGEST_WAIT
    )
    await admin.execute("UPDATE parked SET parked_at = now() WHERE event_id = 'n2'")
    assert await feed.engine.retry_parked() == 1
    assert await outcomes(admin) == {"fees": "applied", "n1": "dead", "n2": "parked"}
    (letter,) = await admin.fetch("SELECT event_id, reason, body FROM dead_letters")
    assert tuple(letter) == ("n1", "payment_unknown", missed("n1", "o1"))
    (told,) = await published(admin, "checkout.events.counterfoil.dlq")
    assert told["data"]["reason"] == "payment_unknown"
    assert await broken_laws(admin) == []


async def test_a_rule_that_raises_holds_up_its_own_key_only(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rule(monkeypatch, "checkout.payment_recorded.v1", "bad")
    await feed.take(sale("bad", "o1"), sale("s2", "o2"), cancel("c1", "o1"), sale("s3", "o3"))
    assert await outcomes(admin) == {
        "fees": "applied",
        "bad": "parked",
        "s2": "applied",
        "c1": "parked",
        "s3": "applied",
    }
    assert (await reasons(admin))["bad"] == "handler_error"
    await feed.settle_parked(admin)
    assert (await outcomes(admin))["bad"] == "parked"
    assert await broken_laws(admin) == []


async def test_a_mended_rule_takes_up_what_it_failed_at_in_order(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        break_rule(broken, "checkout.payment_recorded.v1", "bad")
        await feed.take(sale("bad", "o1", 1000), sale("s2", "o1", 2000))
    await feed.settle_parked(admin)
    assert await outcomes(admin) == {"fees": "applied", "bad": "applied", "s2": "rejected"}
    assert await admin.fetchval("SELECT captured_minor FROM payments") == 1000
    assert await broken_laws(admin) == []


async def test_after_its_last_try_a_message_is_dead_and_the_next_goes_on(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_rule(monkeypatch, "checkout.payment_recorded.v1", "bad", "worse")
    await feed.take(sale("bad", "o1"), sale("worse", "o1"), sale("good", "o1"))
    for _ in range(2 * parking.MOST_TRIES + 3):
        await admin.execute("UPDATE parked SET due_at = clock_timestamp()")
        await feed.engine.retry_parked()
    assert await outcomes(admin) == {"fees": "applied", "bad": "dead", "worse": "dead", "good": "applied"}
    letters = await admin.fetch("SELECT event_id, reason FROM dead_letters ORDER BY dead_letter_id")
    assert [tuple(row) for row in letters] == [("bad", "handler_error"), ("worse", "handler_error")]
    assert await broken_laws(admin) == []


async def test_who_stands_behind_a_waiting_one_is_not_due_until_that_one_goes(
    feed: Feed, admin: Connection
) -> None:
    await feed.take(missed("n1", "o1"), missed("n2", "o1"))
    await feed.take(missed("n3", "o1"))
    later = "SELECT event_id FROM parked WHERE due_at > now() + interval '1 minute' ORDER BY parked_id"
    assert [row["event_id"] for row in await admin.fetch(later)] == ["n2", "n3"]
    await admin.execute(
        "UPDATE parked SET parked_at = parked_at - $1::interval, due_at = now() WHERE event_id = 'n1'",
        parking.LONGEST_WAIT,
    )
    assert await feed.engine.retry_parked() == 1
    assert [row["event_id"] for row in await admin.fetch(later)] == ["n3"], "it is the next one's turn"


async def test_a_long_queue_leaves_in_order_though_no_look_reads_all_of_it(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(parking, "LEAST_LINE", 7)
    names = [f"n{number}" for number in range(30)]
    await feed.take(*(missed(name, "o1") for name in names))
    await feed.take(promise("p1", "o1"))
    left = []
    while moved := await feed.engine.retry_parked():
        left.append(moved)
    assert left == [7, 7, 7, 7, 2]
    assert (await outcomes(admin))["n0"] == "applied"
    assert [message["causation"] for message in await published(admin, "rejections")] == names[1:]
    assert await broken_laws(admin) == []


async def test_who_brings_what_the_new_first_waits_for_is_found_far_behind(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue of "twin" waits for the fees of its merchant after a rule was mended; far behind, the fees stand."""
    with monkeypatch.context() as broken:
        break_rule(broken, "checkout.payment_recorded.v1", "s1")
        sales = [sale(f"s{number}", "twin", merchant="twin") for number in range(2, 20)]
        await feed.take(sale("s1", "twin", merchant="twin"), *sales, fees("f-twin", "twin"))
    monkeypatch.setattr(parking, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(parking, "LEAST_LINE", 3)
    await admin.execute("UPDATE parked SET due_at = now() WHERE event_id = 's1'")
    left = sum([await feed.engine.retry_parked() for _ in range(3)])
    assert left >= 1
    assert (await outcomes(admin))["f-twin"] == "applied"
    while await feed.engine.retry_parked():
        pass
    assert (await outcomes(admin))["s1"] == "applied"
    assert await admin.fetchval("SELECT count(*) FROM parked") == 0
    assert await broken_laws(admin) == []


async def test_waiting_costs_tries_only_when_it_was_looked_at(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"), missed("n2", "o1"))
    for _ in range(4):
        await admin.execute("UPDATE parked SET due_at = clock_timestamp()")
        await feed.engine.retry_parked()
    rows = await admin.fetch("SELECT event_id, tries FROM parked ORDER BY parked_id")
    assert [tuple(row) for row in rows] == [("n1", 4), ("n2", 0)]


@pytest.mark.parametrize("topic", [CHECKOUT])
async def test_who_is_parked_behind_one_that_just_goes_is_never_forgotten(
    database: Database, admin: Connection, topic: str
) -> None:
    """One engine parks behind a message while another lets that one go: a hundred times at once."""
    async with feeds(database.app_url, 2, topic) as (shop, other):
        await other.take(fees())
        for number in range(100):
            order = f"o{number}"
            await shop.take(missed(f"a-{order}", order))
            await other.take(promise(f"p-{order}", order))
            await asyncio.gather(shop.take(missed(f"b-{order}", order)), other.engine.retry_parked())
        async with asyncio.timeout(100):
            while await admin.fetchval("SELECT count(*) FROM parked"):
                await other.engine.retry_parked()
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("topic", [CHECKOUT])
async def test_a_payment_that_arrives_while_another_engine_parks_is_never_missed(
    database: Database, admin: Connection, topic: str
) -> None:
    """The fact is parked by one engine while the payment is written by another, a hundred times at once."""
    async with feeds(database.app_url, 2, topic) as (early, late):
        await late.take(fees())
        for number in range(100):
            orders = [f"o{number}-{place}" for place in range(5)]
            await asyncio.gather(
                early.take(*(missed(f"n-{order}", order) for order in orders)),
                late.take(*(promise(f"p-{order}", order) for order in reversed(orders))),
                early.engine.retry_parked(),
                late.engine.retry_parked(),
            )
        async with asyncio.timeout(100):
            while await admin.fetchval("SELECT count(*) FROM parked"):
                await asyncio.gather(early.engine.retry_parked(), late.engine.retry_parked())
    assert set((await states(admin)).values()) == {"failed"}
    assert early.watcher.retries["halved"] == late.watcher.retries["halved"] == 0
    assert await broken_laws(admin) == []


async def test_looking_again_never_stands_in_the_way_of_news(database: Database, admin: Connection) -> None:
    """One engine looks at a waiting capture while another writes the answer it waits for: no deadlock."""
    async with feeds(database.app_url, 1) as (shop,), feeds(database.app_url, 1, RESULTS) as (results,):
        orders = [f"o{number}" for number in range(300)]
        await shop.take(fees(), *(request(f"r-{order}", order, capture="manual") for order in orders))
        await shop.take(*(capture(f"c-{order}", order) for order in orders))
        calls = {row["order_id"]: str(row["call_id"]) for row in await admin.fetch("TABLE provider_calls")}

        async def look() -> None:
            while await admin.fetchval("SELECT count(*) FROM parked"):
                await admin.execute("UPDATE parked SET due_at = clock_timestamp() WHERE tries < 3")
                await shop.engine.retry_parked()

        async def answer() -> None:
            for order in orders:
                body = succeeded(f"a-{order}", order, calls[order], "authorize", 2500, captured=False)
                await results.take(body)

        async with asyncio.timeout(100):
            await asyncio.gather(look(), answer())
        assert results.watcher.retries == shop.watcher.retries == {}
        assert await admin.fetchval("SELECT count(*) FROM provider_calls WHERE operation = 'capture'") == 300


async def test_a_parked_command_is_told_apart_from_its_repeat(feed: Feed, admin: Connection) -> None:
    await feed.take_each(
        cancel("c1", "o1", key="k"), cancel("c2", "o1", key="k"), request("r1", "o1", confirm=False)
    )
    await feed.settle_parked(admin)
    assert await outcomes(admin) == {"fees": "applied", "c1": "applied", "c2": "duplicate", "r1": "applied"}
    (repeated,) = [m for m in await published(admin) if m["type"] == "payment.command_repeated.v1"]
    assert repeated["data"]["first_event_id"] == "c1"
    assert repeated["data"]["outcome"] == "applied"
    assert await broken_laws(admin) == []


async def test_redelivery_of_parked_messages_parks_nothing_twice(feed: Feed, admin: Connection) -> None:
    await feed.take(missed("n1", "o1"), confirm("k1", "o1"))
    before = await content(admin)
    await feed.again()
    assert await content(admin) == before
    assert await admin.fetchval("SELECT count(*) FROM parked") == 2
    assert await broken_laws(admin) == []
