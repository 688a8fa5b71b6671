"""Fifty clients want something of one order at the same moment: one payment, one charge at the provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from db.connection import connect
from handlers.payments.model import payment_id_of
from ops.checks import check
from producers.client import Client
from tests.shop import MERCHANT, TENANT, cancel, capture, fees, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from ops.demo.stage import Stage
    from tests.conftest import Connection

pytestmark = pytest.mark.slow

MANY = 50
DEADLINE_S = 60
OUTCOMES = """
    SELECT outcome, coalesce(reason, '') AS reason, count(*)::int AS number
    FROM inbox WHERE topic = 'checkout.events' AND tenant = $1 AND key = $2 GROUP BY 1, 2
"""


@pytest.fixture
async def books(stage: Stage) -> AsyncIterator[Connection]:
    """The database, and the merchant's fees in it."""
    async with Client(stage.at.kafka) as client:
        await client.publish(fees(merchant=MERCHANT))
    connection = await connect(stage.at.database_url, application="scenario")
    yield connection
    await connection.close()


async def all_at_once(stage: Stage, bodies: Iterable[bytes]) -> None:
    """Each from a client of its own; returns when nothing is under way any more."""

    async def send(body: bytes) -> None:
        async with Client(stage.at.kafka) as client:
            await client.publish(body)

    await asyncio.gather(*map(send, bodies))
    await stage.play([], deadline_s=DEADLINE_S)


async def outcomes(books: Connection, order: str) -> dict[tuple[str, str], int]:
    """How the order's messages ended: by outcome and reason."""
    rows = await books.fetch(OUTCOMES, TENANT, order)
    return {(row["outcome"], row["reason"]): row["number"] for row in rows}


async def payment_of(books: Connection, order: str) -> dict[str, Any]:
    """The order's one payment."""
    rows = await books.fetch("SELECT * FROM payments WHERE tenant = $1 AND order_id = $2", TENANT, order)
    (row,) = rows
    assert row["payment_id"] == payment_id_of(TENANT, order)
    return dict(row)


async def charged(stage: Stage, order: str) -> list[tuple[str, int]]:
    """What the provider's own books say about the order: status and amount captured of each charge."""
    charges = await stage.provider.charges_of(order)
    return [(charge["status"], charge["captured_amount_minor"]) for charge in charges]


async def assert_the_laws_hold(books: Connection) -> None:
    broken = [verdict for verdict in await check(books, settled=True) if not verdict.ok]
    assert not broken


async def test_fifty_identical_commands_are_one_charge_and_forty_nine_repeats(
    stage: Stage, books: Connection
) -> None:
    order = "order-identical"
    await all_at_once(stage, [request(f"same-{n}", order, key="once") for n in range(MANY)])
    assert await outcomes(books, order) == {("applied", ""): 1, ("duplicate", ""): MANY - 1}
    assert (await payment_of(books, order))["state"] == "succeeded"
    assert await charged(stage, order) == [("captured", 2500)]
    await assert_the_laws_hold(books)


async def test_fifty_conflicting_requests_are_one_charge_and_forty_nine_refusals(
    stage: Stage, books: Connection
) -> None:
    order = "order-conflicting"
    await all_at_once(stage, [request(f"other-{n}", order, minor=1000 + n) for n in range(MANY)])
    assert await outcomes(books, order) == {
        ("applied", ""): 1,
        ("rejected", "order_already_has_payment"): MANY - 1,
    }
    payment = await payment_of(books, order)
    assert payment["state"] == "succeeded"
    assert await charged(stage, order) == [("captured", payment["amount_minor"])]
    await assert_the_laws_hold(books)


async def test_fifty_requests_under_one_key_but_of_other_content_are_refused(
    stage: Stage, books: Connection
) -> None:
    order = "order-one-key"
    bodies = [request(f"key-{n}", order, key="once", minor=1000 + n) for n in range(MANY)]
    await all_at_once(stage, bodies)
    assert await outcomes(books, order) == {
        ("applied", ""): 1,
        ("rejected", "idempotency_key_reused"): MANY - 1,
    }
    assert len(await charged(stage, order)) == 1


async def test_fifty_captures_and_cancellations_take_no_more_than_was_authorized(
    stage: Stage, books: Connection
) -> None:
    order = "order-captures"
    await all_at_once(stage, [request("held", order, minor=1000, capture="manual")])
    takes = [capture(f"take-{n}", order, 300, final=False) for n in range(MANY - 10)]
    await all_at_once(stage, [*takes, *(cancel(f"stop-{n}", order) for n in range(10))])
    payment = await payment_of(books, order)
    ((status, taken_minor),) = await charged(stage, order)
    assert payment["captured_minor"] == taken_minor <= 1000
    assert (payment["state"], status) in {("captured", "partially_captured"), ("canceled", "voided")}
    ended = await outcomes(books, order)
    assert sum(ended.values()) == MANY + 1
    assert not any(outcome == "parked" for outcome, _ in ended)
    await assert_the_laws_hold(books)
