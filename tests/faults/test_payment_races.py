"""Two engines want opposite things of one payment at the same moment, 200 times: one legal history each.

The provider is the model of tests/property/machine, which knows none of our rules: its money is compared with ours.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from handlers.payments.states import TRANSITIONS
from tests.engines import broken_laws, feeds, outcomes, reasons
from tests.faults.desk import Desk, desk_of, refund
from tests.property.machine.luck import Luck
from tests.shop import TENANT, cancel, capture, confirm, event, request, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Connection, Database

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

TIMES: Final = 200
ORDERS: Final = [f"o{number}" for number in range(TIMES)]
MINOR: Final = 100


@pytest.fixture
async def desk(database: Database, admin: Connection) -> AsyncIterator[Desk]:
    """Two engines a topic."""
    async with desk_of(database, admin) as opened:
        yield opened


async def race(one: Callable[[str], Any], other: Callable[[str], Any]) -> None:
    """Both at the same moment for each order; who begins alternates."""
    for number, order in enumerate(ORDERS):
        pair = (one, other) if number % 2 else (other, one)
        await asyncio.gather(*(act(order) for act in pair))


async def opened(desk: Desk, **how: Any) -> None:
    """All orders, with a hold or paid, as `how` says."""
    await desk.take(*(request(f"pay-{order}", order, minor=MINOR, **how) for order in ORDERS))
    await desk.answer()
    await desk.settle()


async def legal(desk: Desk) -> Counter[tuple[str, int, int, int]]:
    """How the orders ended; every history is one of the table's, our money is the provider's, and `check` is clean."""
    assert await broken_laws(desk.admin) == []
    assert await desk.difference(ORDERS) == 0
    assert await desk.admin.fetchval("SELECT count(*) FROM payments WHERE call_id IS NOT NULL") == 0
    assert set((await outcomes(desk.admin)).values()) <= {"applied", "rejected"}
    steps = await desk.admin.fetch(
        "SELECT from_state, event, to_state FROM transitions WHERE object_type = 'payment'"
    )
    table = {(state and str(state), str(trigger)): str(to) for (state, trigger), to in TRANSITIONS.items()}
    assert all(table[step["from_state"], step["event"]] == step["to_state"] for step in steps)
    return Counter((await desk.states()).values())


async def test_capture_against_void(desk: Desk) -> None:
    await opened(desk, capture="manual")
    one, other = desk.shops
    await race(
        lambda order: one.take(capture(f"c-{order}", order)),
        lambda order: other.take(cancel(f"v-{order}", order)),
    )
    await desk.settle()
    ended = await legal(desk)
    assert set(ended) == {("succeeded", MINOR, 0, 0), ("canceled", 0, 0, 0)}, "each wins some"
    assert Counter((await reasons(desk.admin)).values())["state_forbids"] == TIMES


async def test_refund_against_dispute(desk: Desk) -> None:
    await opened(desk)
    charges = {charge.order_id: charge for charge in desk.provider.charges.values()}
    shop, hook = desk.shops[0], desk.hooks[1]

    async def dispute(order: str) -> None:
        desk.provider.dispute(charges[order], MINOR, inquiry=False)
        await hook.take(*desk.reports())

    await race(lambda order: shop.take(refund(f"r-{order}", order, 60)), dispute)
    await desk.settle()
    ended = await legal(desk)
    assert ended == {("chargeback_open", MINOR, 0, MINOR): TIMES}
    refused = Counter((await reasons(desk.admin)).values())["dispute_open"]
    failed = await desk.admin.fetchval("SELECT count(*) FROM refunds WHERE state = 'failed'")
    assert refused + failed == TIMES, "the provider had no money left for those that were faster"


async def test_refund_against_refund(desk: Desk) -> None:
    await opened(desk)
    one, other = desk.shops
    await race(
        lambda order: one.take(refund(f"a-{order}", order, 60)),
        lambda order: other.take(refund(f"b-{order}", order, 60)),
    )
    await desk.settle()
    assert await legal(desk) == {("partially_refunded", MINOR, 60, 0): TIMES}
    assert Counter((await reasons(desk.admin)).values())["amount_above_refundable"] == TIMES


async def test_late_success_against_expiry(desk: Desk) -> None:
    await opened(desk, capture="manual")
    later = datetime.now(UTC) + timedelta(days=8)
    await desk.admin.execute("INSERT INTO clocks (tenant, now_at) VALUES ($1, $2)", TENANT, later)
    timers = {
        row["order_id"]: row
        for row in await desk.admin.fetch("SELECT * FROM timers WHERE kind = 'authorization_expiry'")
    }
    charges = {charge.order_id: charge for charge in desk.provider.charges.values()}
    async with feeds(desk.url, 1, "timer.events") as (clockwork,):

        def due(order: str) -> bytes:
            timer = timers[order]
            about = {key: str(timer[key]) for key in ("timer_id", "kind", "payment_id", "order_id")}
            about["due_at"] = timer["due_at"].isoformat()
            return event(f"t-{order}", "timer.due", about, source="/counterfoil/scheduler")

        async def captured(order: str) -> None:
            desk.provider.capture_by_hand(charges[order])
            await desk.hooks[1].take(*desk.reports())

        await race(lambda order: clockwork.take(due(order)), captured)
    await desk.settle()
    assert await legal(desk) == {("succeeded", MINOR, 0, 0): TIMES}, "attached, however late"
    assert await desk.admin.fetchval("SELECT count(*) FROM entries") == TIMES


async def test_confirmation_against_cash(desk: Desk) -> None:
    await desk.take(*(request(f"pay-{order}", order, minor=MINOR, confirm=False) for order in ORDERS))
    one, other = desk.shops
    await race(
        lambda order: one.take(confirm(f"c-{order}", order)),
        lambda order: other.take(sale(f"s-{order}", order, MINOR)),
    )
    declines = iter(range(TIMES))
    await desk.answer(lambda: Luck(3 if next(declines) % 2 else 0))  # every second card is declined
    await desk.settle()
    ended = await legal(desk)
    assert ended == {("succeeded", MINOR, 0, 0): TIMES}, "paid once, by card or in cash"
    assert await desk.admin.fetchval("SELECT count(*) FROM entries") == TIMES


async def test_of_fifty_refunds_of_ten_at_one_moment_on_a_hundred_exactly_ten_succeed(
    database: Database, admin: Connection
) -> None:
    async with desk_of(database, admin) as desk, feeds(database.app_url, 27) as crowd:
        await desk.take(request("pay", ORDERS[0], minor=MINOR))
        await desk.settle()
        bodies = [refund(f"r{number}", ORDERS[0], 10) for number in range(50)]
        await asyncio.gather(
            *(feed.take_each(*bodies[2 * place : 2 * place + 2]) for place, feed in enumerate(crowd[2:]))
        )
        assert Counter((await reasons(admin)).values())["amount_above_refundable"] == 40
        await desk.settle()
        assert await legal(desk) == {("refunded", MINOR, MINOR, 0): 1}
        assert await admin.fetchval("SELECT count(*) FROM refunds WHERE state = 'succeeded'") == 10
