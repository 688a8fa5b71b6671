"""An hour of a marketplace through the real engine: every topic, every outcome, several currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from db.queries import delivery
from producers.gateway import judge_answer, report
from producers.providers.base import ChallengeRequired, Declined, Succeeded
from tests.engines import CHECKOUT, RESULTS, Feed
from tests.shop import MERCHANT, amount, capture, event, request

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from producers.providers.base import ProviderAnswer


def fees(event_id: str, merchant: str) -> bytes:
    """A merchant's first fee schedule: 2.5% and a fixed part in three currencies."""
    schedule = {"version": 1, "effective_from": "2026-01-01T00:00:00Z", "bps": 250, "rounding": "half_even"}
    fixed = {"EUR": 30, "JPY": 40, "KWD": 120}
    data = {"merchant_id": merchant, "fixed_minor": fixed} | schedule
    return event(event_id, "checkout.merchant_fees_set", data)


def sale(event_id: str, order: str, minor: int = 1999, currency: str = "EUR", **more: Any) -> bytes:
    """A payment at a terminal."""
    data = {"order_id": order, "merchant_id": MERCHANT, "collection": "point_of_sale"}
    return event(event_id, "checkout.payment_recorded", data | {"amount": amount(minor, currency)} | more)


class Marketplace:
    """Engines on a real database; what they publish comes straight back. A second one takes another partition."""

    def __init__(self, url: str, connection: asyncpg.Connection[asyncpg.Record], partition: int = 0) -> None:
        self.connection = connection
        self.shop = Feed(url, CHECKOUT, partition)
        self.results = Feed(url, RESULTS, partition)

    async def receive(self, *bodies: bytes) -> None:
        """These messages of the shop arrive, as one batch."""
        await self.shop.take(*bodies)

    async def retry_parked(self) -> None:
        """What is due is looked at again."""
        await self.shop.engine.retry_parked()
        await self.results.engine.retry_parked()

    async def answer_calls(self) -> int:
        """Every call that is due gets the answer its token asks for; the results come back as messages."""
        async with self.connection.transaction():
            rows = await delivery.claim_calls(
                self.connection, provider="sandbox", gateway="test", lease_ms=60_000, most=100
            )
            finished = [judge_answer(row, "execute", _answer(row), in_doubt=False) for row in rows]
            if finished:
                await report(self.connection, finished)
        results = (await self.publish()).get(RESULTS, [])
        if results:
            await self.results.take(*results)
        return len(rows)

    async def publish(self) -> dict[str, list[bytes]]:
        """What the relay does, but to a dictionary."""
        after = await delivery.relay_cursor(self.connection)
        up_to = await delivery.settled_batch_id(self.connection)
        rows = await delivery.unpublished(self.connection, after=after, up_to=up_to, most=10_000)
        published: dict[str, list[bytes]] = {}
        for row in rows:
            published.setdefault(row["topic"], []).extend(row["payloads"].split(b"\n"))
        if rows:
            count = sum(map(len, published.values()))
            await delivery.move_cursor(self.connection, batch_id=rows[-1]["batch_id"], published=count)
        return published

    async def settle(self) -> None:
        """Until no call is open and everything is published."""
        while await self.answer_calls():
            await self.retry_parked()
        await self.publish()

    async def close(self) -> None:
        """Give up the connections."""
        await self.shop.engine.close()
        await self.results.engine.close()


def _answer(row: asyncpg.Record) -> ProviderAnswer:
    """A provider's answer as its adapter would give it."""
    raw = orjson.dumps({"token": row["token"], "operation": row["operation"]})
    if row["token"] == "tok_decline":  # noqa: S105 - a name, not a secret
        return Declined("insufficient_funds", "51", raw)
    if row["token"] == "tok_challenge":  # noqa: S105
        return ChallengeRequired("auth_3ds", "https://bank.example/3ds", raw)
    reference = row["provider_reference"] or f"auth_{row['call_id'].hex[:8]}"
    captured = row["operation"] == "capture" or row["capture"]
    return Succeeded(reference, row["amount_minor"], captured, raw)


def an_hour() -> Iterable[list[bytes]]:
    """Batches that leave every outcome behind: applied, duplicate, rejected, dead; nothing stays parked."""
    yield [fees("f1", MERCHANT), sale("s1", "o1"), sale("s1", "o1"), sale("s1", "o1", 5), b"{not json"]
    yield [sale("s2", "o2", 1500, "JPY"), sale("s3", "o3", 12345, "KWD"), sale("s4", "o1")]
    yield [sale("s5", "o5", customer_id="4111 1111 1111 1111"), b"\xff\x00 no text"]
    yield [
        request("c1", "k1"),
        request("c2", "k2", token="tok_decline"),  # noqa: S106 - a name, not a secret
        request("c3", "k3", token="tok_challenge"),  # noqa: S106
    ]
    yield [
        request("c4", "k4", capture="manual"),
        capture("p1", "k4", 1000, final=False),
        capture("p2", "k4"),
    ]
    yield [sale("s1", "o1"), request("c5", "k5", capture="manual"), request("c1-again", "k1", key="c1")]


async def run_an_hour(market: Marketplace) -> None:
    """All of it, settled."""
    for batch in an_hour():
        await market.receive(*batch)
    await market.settle()
    await market.settle()
