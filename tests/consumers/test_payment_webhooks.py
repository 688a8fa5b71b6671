"""Webhooks about payments on a real database: before the answer, twice, reversed, foreign, and a whole day again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from handlers.payments.model import call_id_of, payment_id_of
from tests.engines import CHECKOUT, RESULTS, Feed, content, reasons, states
from tests.shop import TENANT, capture, event, fees, request, sale, succeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database

WEBHOOKS: Final = "webhook.events"
_numbers = count(1)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Feed, Feed, Feed]]:
    """Engines of commands, of answers and of webhooks."""
    feeds = Feed(url, CHECKOUT), Feed(url, RESULTS), Feed(url, WEBHOOKS)
    try:
        yield feeds
    finally:
        for feed in feeds:
            await feed.engine.close()


def call_of(order: str, number: int = 1) -> str:
    """The id of an order's n-th call."""
    return str(call_id_of(payment_id_of(TENANT, order), number))


def reported(order: str | None, status: str, *, event_id: str | None = None, **data: Any) -> bytes:
    """A webhook about order's charge `auth_ORDER`, of 25.00 EUR."""
    name = event_id or f"evt-{next(_numbers)}"
    told = {
        "webhook_id": "5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd",
        "provider": "sandbox",
        "account": "main",
        "provider_event_id": name,
        "provider_type": f"authorization.{status}",
        "occurred_at": "2026-11-23T10:00:05Z",
        "order_id": order,
        "provider_reference": f"auth_{order}",
        "status": status,
        "currency": "EUR",
        "authorized_minor": 2500,
        "captured_minor": 2500 if status == "captured" else 0,
    }
    return event(name, "webhook.payment_reported", told | data, source="/webhooks/sandbox/main")


async def booked(admin: Connection) -> list[tuple[str, int]]:
    """The entries: rule and amount."""
    rows = await admin.fetch(
        "SELECT e.rule, sum(l.amount_minor)::bigint AS amount_minor FROM entries AS e"
        " JOIN lines AS l USING (tenant, entry_id) WHERE l.direction = 1 GROUP BY e.entry_id, e.rule"
        " ORDER BY e.entry_id"
    )
    return [(row["rule"], row["amount_minor"]) for row in rows]


async def test_a_webhook_before_the_answer_is_booked_once(database: Database, admin: Connection) -> None:
    async with opened(database.app_url) as (shop, answers, webhooks):
        await shop.take(fees(), request("r", "o1"))
        await webhooks.take(reported("o1", "captured", call_id=call_of("o1")))
        assert await states(admin) == {"o1": "succeeded"}
        await answers.take(succeeded("s", "o1", call_of("o1"), "authorize", 2500, captured=True))
        assert (await reasons(admin))["s"] == "call_stale"
        assert await booked(admin) == [("card_captured", 2500)]


async def test_a_webhook_of_an_order_that_comes_later_waits_for_it(
    database: Database, admin: Connection
) -> None:
    async with opened(database.app_url) as (shop, _, webhooks):
        await webhooks.take(reported("o1", "authorized", event_id="early", call_id=call_of("o1")))
        assert (await reasons(admin))["early"] == "payment_unknown"
        await shop.take(fees(), request("r", "o1", capture="manual"))
        await webhooks.settle_parked(admin)
        assert await states(admin) == {"o1": "authorized"}
        assert await admin.fetchval("SELECT outcome FROM inbox WHERE event_id = 'early'") == "applied"


async def test_a_webhook_that_names_no_order_waits_for_its_reference(
    database: Database, admin: Connection
) -> None:
    async with opened(database.app_url) as (shop, answers, webhooks):
        await shop.take(fees(), request("r", "o1", capture="manual"))
        await webhooks.take(reported("o1", "captured", event_id="early", order_id=None))
        assert (await reasons(admin))["early"] == "provider_object_unknown"
        await answers.take(succeeded("s", "o1", call_of("o1"), "authorize", 2500, captured=False))
        assert await admin.fetchval("SELECT due_at <= clock_timestamp() FROM parked"), "the reference woke it"
        await webhooks.engine.retry_parked()
        assert await states(admin) == {"o1": "succeeded"}


async def test_a_foreign_webhook_is_refused_and_says_why(database: Database, admin: Connection) -> None:
    async with opened(database.app_url) as (shop, _, webhooks):
        await shop.take(fees(), request("r", "o1"), sale("s", "o2", 2500))
        await webhooks.take(
            reported("o1", "captured", event_id="usd", currency="USD"),
            reported("o1", "captured", event_id="more", captured_minor=9900),
            reported("o2", "captured", event_id="never"),
        )
        told = await reasons(admin)
        assert (told["usd"], told["more"]) == ("currency_differs", "amount_differs")
        assert told["never"] == "provider_object_unknown"
        assert await booked(admin) == [("terminal_sale", 2500)]


async def test_what_means_nothing_is_kept_and_counted(database: Database, admin: Connection) -> None:
    data = {
        "webhook_id": "5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd",
        "provider": "sandbox",
        "account": "main",
        "provider_event_id": "evt",
        "provider_type": "balance.available",
        "occurred_at": "2026-11-23T10:00:05Z",
    }
    async with opened(database.app_url) as (_, _, webhooks):
        await webhooks.take(event("odd", "webhook.unrecognized", data))
        assert await admin.fetchval("SELECT outcome FROM inbox WHERE event_id = 'odd'") == "applied"
        assert await admin.fetchval("SELECT received FROM intake WHERE topic = $1", WEBHOOKS) == 1


def day() -> list[bytes]:
    """The webhooks of three orders, in the order in which they happened, under ids of their own each time."""
    return [
        reported("sold", "captured", call_id=call_of("sold")),
        reported("held", "authorized", call_id=call_of("held")),
        reported("held", "captured", captured_minor=700, call_id=call_of("held", 2)),
        reported("held", "captured", captured_minor=2500, call_id=call_of("held", 3)),
        reported("lost", "failed", reason="do_not_honor", call_id=call_of("lost")),
    ]


async def test_a_day_s_webhooks_again_and_reversed_change_nothing(
    database: Database, admin: Connection
) -> None:
    async with opened(database.app_url) as (shop, answers, webhooks):
        await shop.take(
            fees(), request("r1", "sold"), request("r2", "held", capture="manual"), request("r3", "lost")
        )
        await webhooks.take(*day()[:2], day()[4])
        await shop.take(capture("c1", "held", 700, final=False))
        await answers.take(succeeded("a1", "held", call_of("held", 2), "capture", 700, captured=True))
        await shop.take(capture("c2", "held"))
        await webhooks.take(*day()[2:4])
        before = await content(admin)
        assert await states(admin) == {
            "sold": "succeeded",
            "held": "succeeded",
            "lost": "requires_payment_method",
        }
        await webhooks.take(*day())
        await webhooks.take_each(*reversed(day()))
        after = await content(admin)
    for name in ("payments", "transitions", "journal", "account_balances", "provider_calls"):
        assert after[name] == before[name], name
