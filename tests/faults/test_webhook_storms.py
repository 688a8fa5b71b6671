"""One day of a shop, told in every wrong way: late, early, twice, backwards, again, mixed with strangers' webhooks.

The states, sums, entries and balances are those of the day that was told in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
import pytest

from db.connection import prepare
from tests.conftest import Database, administrator, copy_database
from tests.engines import broken_laws
from tests.faults.desk import Desk, agree, body, desk_of, refund
from tests.property.machine.luck import Luck
from tests.shop import cancel, capture, event, request

if TYPE_CHECKING:
    from ops.embedded import Endpoints
    from tests.conftest import Connection
    from tests.property.machine.objects import Report

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

COPIES: Final = 3
KINDS: Final = ("sale", "parts", "debit", "returned", "lost", "won", "bounced", "void", "declined", "twice")
ORDERS: Final = [f"{kind}-{number}" for number in range(COPIES) for kind in KINDS]
MINOR: Final = 1000
DEBIT: Final = {"type": "bank_debit", "token": "tok_debit_approve", "last4": "6789"}

Delivery = Callable[[Desk, list[bytes], "list[Report]"], Awaitable[None]]
"""How answers and webhooks of a part of the day are told."""


def declined() -> Luck:
    """With which the provider declines a card."""
    return Luck(3)


def decided_later() -> Luck:
    """With which it decides about a refund later."""
    return Luck(6)


def of(*kinds: str) -> list[str]:
    """The orders of these kinds."""
    return [order for order in ORDERS if order.split("-")[0] in kinds]


async def day(desk: Desk, tell: Delivery) -> None:
    """The day, part by part; in each the shops ask, the provider acts, and then it is told."""
    for order in ORDERS:
        await desk.take(asked(order))
        await _told(desk, tell, declined if order in of("declined") else agree)
    charges = {charge.order_id: charge for charge in desk.provider.charges.values()}
    for order in of("debit", "returned"):
        desk.provider.decide(charges[order], None)
    await desk.take(
        *(capture(f"c1-{order}", order, 400, final=False) for order in of("parts")),
        *(cancel(f"v-{order}", order) for order in of("void")),
        *(refund(f"r-{order}", order, 300) for order in of("sale", "bounced", "twice")),
    )
    await _told(desk, tell, decided_later)
    await desk.take(
        *(capture(f"c2-{order}", order) for order in of("parts")),
        *(refund(f"q-{order}", order, 700) for order in of("twice")),
    )
    for order in of("lost", "won"):
        desk.provider.dispute(charges[order], MINOR, inquiry=False)
    end_refunds(desk, "pending", ORDERS, paid=True)
    await _told(desk, tell)
    for order in of("returned"):
        desk.provider.return_debit(charges[order])
    for dispute in desk.provider.disputes.values():
        desk.provider.end_dispute(dispute, dispute.charge.order_id.split("-")[0])
    end_refunds(desk, "succeeded", of("bounced"), paid=False)
    await _told(desk, tell)
    await desk.settle()


def asked(order: str) -> bytes:
    """The command that opens an order of its kind."""
    how: dict[str, Any] = {"minor": MINOR}
    if order in of("parts", "void"):
        how["capture"] = "manual"
    if order in of("debit", "returned"):
        how["data"] = {"payment_method": DEBIT}
    return request(f"pay-{order}", order, **how)


def end_refunds(desk: Desk, status: str, orders: list[str], *, paid: bool) -> None:
    """The provider's refunds of some orders arrive, or come back."""
    for one in list(desk.provider.refunds.values()):
        desk.provider.clock.tick()
        if one.status == status and one.charge.order_id in orders:
            desk.provider.end_refund(one, paid=paid)


async def _told(desk: Desk, tell: Delivery, luck: Callable[[], Luck] = agree) -> None:
    answers = await desk.answers(luck)
    reports = list(desk.provider.reports)
    desk.provider.delivered += reports
    desk.provider.reports.clear()
    await tell(desk, answers, reports)


async def in_order(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """Answers first, then webhooks as they happened."""
    for feed, bodies in ((desk.results[0], answers), (desk.hooks[0], list(map(body, reports)))):
        if bodies:
            await feed.take(*bodies)


async def webhooks_first(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """Every webhook is faster than the answer."""
    await in_order(desk, [], reports)
    await in_order(desk, answers, [])


async def timed_out(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """Every call took effect and timed out; the answer is found out by asking, after the webhooks."""
    await in_order(desk, [_unknown(answer) for answer in answers], [])
    await webhooks_first(desk, answers, reports)


async def backwards(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """The newest webhook comes first."""
    await in_order(desk, answers, reports[::-1])


async def backwards_before_the_answers(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """The newest webhook comes first, and the answers last."""
    await webhooks_first(desk, answers, reports[::-1])


async def twice(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """Everything twice, in batches and alone, also under ids that nobody has seen."""
    await in_order(desk, answers + answers, reports + reports)
    for report in reports:
        await desk.hooks[1].take(body(report, f"again-{report.event_id}"))


async def with_strangers(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """Beside each webhook one about somebody else's object, one of another currency, and one that means nothing."""
    await in_order(desk, answers, reports)
    odd = []
    for report in reports:
        about = report.data | {"provider_reference": "auth_stranger"}
        odd.append(_changed(report, "s", about | {"order_id": None}))
        odd.append(_changed(report, "m", report.data | {"currency": "USD"}))
        if "dispute_reference" not in about and "refund_reference" not in about:
            odd.append(_changed(report, "x", about | {"call_id": "00000000-0000-4000-8000-00000000dead"}))
    await desk.hooks[1].take(*odd)


async def replayed(desk: Desk, answers: list[bytes], reports: list[Report]) -> None:
    """In order; and each time the whole day so far once more, as the provider's console offers it."""
    await in_order(desk, answers, reports)
    day_so_far = [body(report) for report in desk.provider.delivered]
    if day_so_far:
        await desk.hooks[1].take(*day_so_far)


def _unknown(answer: bytes) -> bytes:
    told = orjson.loads(answer)
    about = ("call_id", "payment_id", "object_id", "order_id", "provider", "operation")
    data = {name: told["data"][name] for name in about} | {"detail": "timed out"}
    return event(f"u-{told['id']}", "provider.call_unknown", data, source=told["source"])


def _changed(report: Report, mark: str, data: dict[str, Any]) -> bytes:
    return event(
        f"{mark}-{report.event_id}", report.type.removesuffix(".v1"), data, source="/webhooks/sandbox/main"
    )


_END: Final = {
    "payments": "SELECT order_id, state, authorized_minor, captured_minor, refunding_minor, refunded_minor,"
    " disputed_minor, fee_minor FROM payments ORDER BY order_id",
    "refunds": "SELECT refund_id, state, amount_minor, suspense_minor FROM refunds ORDER BY refund_id",
    "disputes": "SELECT order_id, state, stage, standing, withdrawn_minor, fee_minor, fee_passed_minor FROM disputes"
    " ORDER BY order_id",
    "entries": "SELECT rule, object_type, object_id::text, account, owner, side, amount_minor FROM journal"
    " ORDER BY 1, 2, 3, 4, 5, 6, 7",
}


async def end_of(database: Database, admin: Connection, tell: Delivery) -> dict[str, list[tuple[Any, ...]]]:
    """How the day ends when it is told so; the books are the provider's, and `check` is clean."""
    async with desk_of(database, admin) as desk:
        await day(desk, tell)
        assert await broken_laws(admin) == []
        assert await desk.difference(ORDERS) == 0
        assert await admin.fetchval("SELECT count(*) FROM payments WHERE call_id IS NOT NULL") == 0
    return {name: [tuple(row) for row in await admin.fetch(query)] for name, query in _END.items()}


@pytest.fixture(scope="module")
async def calm(endpoints: Endpoints, template: str) -> dict[str, list[tuple[Any, ...]]]:
    """The end of the day that was told in order."""
    async with administrator(endpoints) as server:
        await copy_database(server, template, "calm_day")
    urls = [
        f"{url.rsplit('/', 1)[0]}/calm_day"
        for url in (endpoints.database_url, endpoints.admin_url, endpoints.read_url)
    ]
    database = Database("calm_day", *urls)
    connection = await asyncpg.connect(database.admin_url)
    await prepare(connection)
    try:
        return await end_of(database, connection, in_order)
    finally:
        await connection.close()
        async with administrator(endpoints) as server:
            await server.execute("DROP DATABASE calm_day WITH (FORCE)")


@pytest.mark.parametrize(
    "tell",
    [
        webhooks_first,
        timed_out,
        backwards,
        backwards_before_the_answers,
        twice,
        with_strangers,
        replayed,
    ],
)
async def test_however_it_is_told_the_day_ends_the_same(
    database: Database, admin: Connection, calm: dict[str, Any], tell: Delivery
) -> None:
    assert await end_of(database, admin, tell) == calm


async def test_the_day_in_order_has_something_of_everything(calm: dict[str, Any]) -> None:
    assert {row[1] for row in calm["payments"]} == {
        "succeeded",
        "refunded",
        "partially_refunded",
        "requires_payment_method",
        "failed",
        "canceled",
        "chargeback_lost",
        "chargeback_won",
    }
    assert {row[1] for row in calm["refunds"]} == {"succeeded", "failed"}
    assert {row[1] for row in calm["disputes"]} == {"lost", "won"}
