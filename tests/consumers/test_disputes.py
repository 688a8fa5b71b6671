"""Disputes through engines on a real database: duplicates, reorderings, two engines at once, and what `check` sees."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from db.queries import delivery
from handlers.disputes.model import dispute_id_of
from handlers.payments.model import derived_id, payment_id_of
from ops.checks.rules import RULES, Rule
from ops.disputes.laws import LAWS
from tests.engines import Feed, broken_laws, feeds, outcomes, published, reasons
from tests.shop import TENANT, event, fees, request, succeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.conftest import Connection, Database

MINOR: Final = 2500
WEBHOOK: Final = "5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd"
DAY: Final = (("needs_response", 0), ("under_review", 1), ("lost", 2))


def report(
    status: str, at: int, order: str = "o1", *, name: str = "", by_reference: bool = False, **data: Any
) -> bytes:
    """A webhook about an order's dispute, dated `at` minutes after ten; by the order it names, or by its reference."""
    said = {
        "webhook_id": WEBHOOK,
        "provider": "sandbox",
        "account": "main",
        "provider_event_id": f"{order}-{status}-{at}",
        "provider_type": f"dispute.{status}",
        "occurred_at": f"2026-11-24T10:{at:02}:00Z",
        "order_id": None if by_reference else order,
        "provider_reference": f"auth_{order}",
        "dispute_reference": f"dp_{order}",
        "stage": "chargeback",
        "status": status,
        "amount_minor": MINOR,
        "currency": "EUR",
        "funds_minor": 0 if status == "won" else MINOR,
        "fee_minor": 1500,
        "network_reason": "10.4",
        "evidence_due_at": "2099-12-07T00:00:00Z",
    }
    return event(name or f"{order}-{status}-{at}", "webhook.dispute_reported", said | data)


def evidence(event_id: str, order: str = "o1", **data: Any) -> bytes:
    """The command that answers a dispute."""
    asked = {
        "idempotency_key": event_id,
        "order_id": order,
        "dispute_reference": f"dp_{order}",
        "actor": {"id": "ada", "role": "support"},
        "fields": {
            "customer_communication": 'Zürich: "it came",\n\ttoday \u2028 \U0001f4e6',
            "service_date": "2026",
        },
        "links": [{"kind": "document", "reference": "terms", "sha256": "cd" * 32}],
    }
    return event(event_id, "checkout.evidence_submitted", asked | data)


def acceptance(event_id: str, order: str = "o1") -> bytes:
    """The command that gives in."""
    asked = {
        "idempotency_key": event_id,
        "order_id": order,
        "dispute_reference": f"dp_{order}",
        "actor": {"id": "ada", "role": "support"},
    }
    return event(event_id, "checkout.dispute_accepted", asked)


def shipment(event_id: str, order: str = "o1", **data: Any) -> bytes:
    """Something was sent for an order."""
    said = {
        "idempotency_key": event_id,
        "order_id": order,
        "kind": "shipment",
        "reference": "1Z999",
        "occurred_at": "2026-11-20T08:00:00Z",
        "carrier": "parcels",
    }
    return event(event_id, "checkout.shipment_recorded", said | data)


def answer(event_id: str, order: str = "o1", operation: str = "submit_evidence", number: int = 1) -> bytes:
    """The provider did what the dispute's `number`-th call asked for."""
    dispute_id = dispute_id_of(TENANT, f"dp_{order}")
    data = {
        "call_id": str(derived_id(dispute_id, "call", number)),
        "payment_id": str(payment_id_of(TENANT, order)),
        "object_id": str(dispute_id),
        "order_id": order,
        "provider": "sandbox",
        "operation": operation,
        "provider_reference": f"dp_{order}",
        "amount_minor": 0,
        "captured": False,
    }
    return event(event_id, "provider.call_succeeded", data)


@dataclass
class Desk:
    """An engine for each topic that disputes come by."""

    shop: Feed
    results: Feed
    webhooks: Feed
    more_webhooks: Feed

    async def pay(self, *orders: str) -> None:
        """These orders are paid by card."""
        await self.shop.take(fees(), *(request(f"r-{order}", order, minor=MINOR) for order in orders))
        await self.results.take(
            *(
                succeeded(
                    f"s-{order}", order, str(derived_id(payment_id_of(TENANT, order), "call", 1)), "authorize",
                    MINOR, captured=True,
                )
                for order in orders
            )
        )  # fmt: skip


@asynccontextmanager
async def desks(url: str) -> AsyncIterator[Desk]:
    """One, closed in the end."""
    async with AsyncExitStack() as stack:
        (shop,) = await stack.enter_async_context(feeds(url, 1, "checkout.events"))
        (results,) = await stack.enter_async_context(feeds(url, 1, "provider.results"))
        webhooks, more = await stack.enter_async_context(feeds(url, 2, "webhook.events"))
        yield Desk(shop, results, webhooks, more)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """A desk with one order that is paid."""
    async with desks(database.app_url) as opened:
        await opened.pay("o1")
        yield opened


async def as_answered(admin: Connection) -> None:
    """The gateway has kept an answer to every call, as it does before it tells of it."""
    rows = await admin.fetch("SELECT tenant, call_id FROM provider_calls WHERE status <> 'answered'")
    tenants, call_ids = [row["tenant"] for row in rows], [row["call_id"] for row in rows]
    same = {"tenants": tenants, "call_ids": call_ids}
    told: dict[str, list[Any]] = {
        "asked": ["execute"],
        "answers": ["Succeeded"],
        "details": [""],
        "raws": [b"{}"],
    }
    filled = {name: value * len(rows) for name, value in told.items()}
    await delivery.keep_answers(admin, **same, **filled, tries=[1] * len(rows))
    await delivery.calls_answered(admin, **same, tries=[None] * len(rows))


async def broken(admin: Connection, *, settled: bool = True) -> list[str]:
    """What all laws find, those of disputes included, also where `check` does not know them yet."""
    await as_answered(admin)
    found = await broken_laws(admin)
    known = {rule.title for rule in RULES}
    for law in LAWS:
        rule = Rule(*law)
        if rule.title not in known and (settled or not rule.settled):
            found += await offenders(admin, rule.title)
    return found


async def offenders(admin: Connection, title: str) -> list[str]:
    """What one rule finds."""
    rule = next(rule for rule in RULES if rule.title == title)
    async with admin.transaction(), rule.offenders(admin, **rule.parameters) as rows:
        return [row["offender"] async for row in rows]


async def end(admin: Connection) -> tuple[Any, ...]:
    """States and entries, without times and numbers."""
    disputes = await admin.fetch(
        "SELECT dispute_reference, state, standing, withdrawn_minor, fee_minor, fee_passed_minor FROM disputes"
        " ORDER BY 1"
    )
    payments = await admin.fetch("SELECT order_id, state, disputed_minor, metadata FROM payments ORDER BY 1")
    entries = await admin.fetch(
        "SELECT e.rule, e.object_id, array_agg((a.code, l.direction, l.amount_minor)::text ORDER BY l.line)"
        " FROM entries AS e JOIN lines AS l USING (tenant, entry_id) JOIN accounts AS a USING (account_id)"
        " GROUP BY e.entry_id, e.rule, e.object_id ORDER BY 1, 2, 3"
    )
    return tuple(tuple(map(tuple, rows)) for rows in (disputes, payments, entries))


async def balance(admin: Connection, code: str) -> int:
    """Debits less credits of an account code."""
    found = await admin.fetchval(
        "SELECT coalesce(sum(l.direction * l.amount_minor), 0)::bigint FROM lines AS l"
        " JOIN accounts AS a USING (account_id) WHERE a.code = $1",
        code,
    )
    return int(found)


async def test_a_dispute_from_report_through_evidence_to_its_end(desk: Desk, admin: Connection) -> None:
    await desk.shop.take(shipment("d1"))
    await desk.webhooks.take(report("needs_response", 0, by_reference=True))
    await desk.shop.take(evidence("e1"))
    assert await broken(admin, settled=False) == []
    assert await offenders(admin, "Nothing waits for its provider") != []
    call = await admin.fetchrow("SELECT * FROM provider_calls WHERE operation = 'submit_evidence'")
    assert call is not None
    assert (call["object_reference"], call["provider_reference"]) == ("dp_o1", "auth_o1")
    assert set(call["evidence"]) == {"customer_communication", "service_date"}
    await desk.results.take(answer("a1"))
    assert await admin.fetchval("SELECT state FROM disputes") == "evidence_submitted"
    await desk.webhooks.take(report("won", 9))
    assert await admin.fetchval("SELECT state FROM payments") == "chargeback_won"
    assert await balance(admin, "chargeback_clearing") == 0
    assert await balance(admin, "merchant_payable") == -(MINOR - 92)
    told = [message["type"] for message in await published(admin, "dispute.events")]
    assert told == ["dispute.opened.v1", "dispute.evidence_submitted.v1", "dispute.won.v1"]
    links = await admin.fetchval("SELECT links FROM dispute_evidence")
    assert [link["reference"] for link in links][2:] == ["1Z999", "terms"]
    assert await broken(admin) == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_a_day_s_reports_reordered_repeated_and_replayed_end_alike(
    database: Database, admin: Connection, seed: int, *, together: bool
) -> None:
    random = Random(seed)  # noqa: S311 - any order will do
    orders = ("o1", "o2", "o3")
    day = [
        report(status if order != "o2" or status != "lost" else "won", at, order, by_reference=order == "o3")
        for order in orders
        for status, at in DAY
    ]
    async with desks(database.app_url) as desk:
        await desk.pay(*orders)
        shuffled = random.sample(day, len(day))
        await (desk.webhooks.take if together else desk.webhooks.take_each)(*shuffled)
        first = await end(admin)
        await desk.webhooks.again()
        await desk.more_webhooks.take(*random.sample(day, len(day)))
        renamed = [body.replace(b'"id":"', b'"id":"again-') for body in random.sample(day, len(day))]
        await desk.more_webhooks.take(*renamed)
        assert await end(admin) == first
    expected = {"dp_o1": "lost", "dp_o2": "won", "dp_o3": "lost"}
    assert {row[0]: row[1] for row in first[0]} == expected
    rules = [row[0] for row in first[2] if row[1] == str(dispute_id_of(TENANT, "dp_o2"))]
    assert rules == ["dispute_fee_charged", "dispute_reinstated", "dispute_withdrawn"]
    assert await broken(admin) == []


async def test_reports_wait_for_a_payment_that_is_not_known_yet(
    database: Database, admin: Connection
) -> None:
    async with desks(database.app_url) as desk:
        await desk.webhooks.take(report("lost", 2), report("needs_response", 0, by_reference=True))
        await desk.shop.take(evidence("e1"))
        assert set((await outcomes(admin)).values()) == {"parked"}
        await desk.pay("o1")
        for feed in (desk.webhooks, desk.shop):
            await feed.settle_parked(admin)
        assert (await reasons(admin))["e1"] == "state_forbids"
    assert await admin.fetchval("SELECT state FROM disputes") == "lost"
    assert await broken(admin) == []


async def test_a_command_waits_for_the_report_of_its_dispute(desk: Desk, admin: Connection) -> None:
    await desk.shop.take(acceptance("c1"))
    assert (await reasons(admin))["c1"] == "dispute_unknown"
    await desk.webhooks.take(report("needs_response", 0))
    await desk.shop.settle_parked(admin)
    await desk.results.take(answer("a1", operation="accept_dispute"))
    assert await admin.fetchval("SELECT state FROM payments") == "chargeback_lost"
    audit = await admin.fetchrow("SELECT actor, action, object_id FROM audit_log")
    assert audit is not None
    assert tuple(audit) == ("ada", "dispute_accepted", str(dispute_id_of(TENANT, "dp_o1")))


async def test_two_engines_with_opposite_orders_end_as_one(database: Database, admin: Connection) -> None:
    orders = [f"o{number}" for number in range(30)]
    day = [report(status, at, order) for order in orders for status, at in DAY]
    async with desks(database.app_url) as desk:
        await desk.pay(*orders)
        for size in (7, 90):
            batches = [day[place : place + size] for place in range(0, len(day), size)]
            await asyncio.gather(_feed(desk.webhooks, batches), _feed(desk.more_webhooks, batches[::-1]))
    assert await admin.fetchval("SELECT count(*) FROM disputes WHERE state = 'lost'") == len(orders)
    assert await balance(admin, "merchant_payable") == len(orders) * (92 + 1500)
    assert await balance(admin, "chargeback_clearing") == 0
    assert await broken(admin) == []


async def _feed(feed: Feed, batches: Sequence[Sequence[bytes]]) -> None:
    for batch in batches:
        await feed.take(*batch)


async def test_fifty_engines_with_one_report_open_one_dispute(database: Database, admin: Connection) -> None:
    async with desks(database.app_url) as desk, feeds(database.app_url, 50, "webhook.events") as crowd:
        await desk.pay("o1")
        await asyncio.gather(
            *(feed.take(report("lost", 2, name=f"w{feed.partition}")) for feed in crowd),
            desk.shop.take(evidence("e1")),
        )
        await desk.shop.settle_parked(admin)
    assert await admin.fetchval("SELECT count(*) FROM disputes") == 1
    assert await balance(admin, "merchant_payable") == 92 + 1500
    assert await broken(admin) == []


async def test_a_dispute_of_refunded_money_is_explained_by_check(desk: Desk, admin: Connection) -> None:
    await admin.execute(
        "UPDATE payments SET refunded_minor = 2000, state = 'partially_refunded', version = version"
    )
    await desk.webhooks.take(report("lost", 2))
    assert await balance(admin, "suspense") == 2000
    assert await balance(admin, "merchant_payable") == -(MINOR - 92) + 500 + 1500
    assert (
        await offenders(admin, "Refunded and charged back are at most captured; the rest is suspense") == []
    )


@pytest.mark.parametrize(
    ("title", "tampering"),
    [
        ("Everything stands where its history leads", "UPDATE disputes SET state = 'won'"),
        ("What is disputed of a payment is what its disputes say", "UPDATE disputes SET standing = 'won'"),
        ("What is disputed of a payment is what its disputes say", "UPDATE payments SET disputed_minor = 1"),
        ("What disputes took and cost is what was posted", "UPDATE disputes SET withdrawn_minor = 1"),
        ("What disputes took and cost is what was posted", "UPDATE disputes SET fee_passed_minor = 0"),
        (
            "Refunded and charged back are at most captured; the rest is suspense",
            "UPDATE payments SET refunded_minor = 1",
        ),
        (
            "Refunded and charged back are at most captured; the rest is suspense",
            'UPDATE payments SET metadata = metadata || \'{"disputes in suspense": "7"}\'',
        ),
        (
            "Every call about a dispute is its dispute's care",
            "UPDATE disputes SET call_id = object_id, call_operation = 'accept_dispute'",
        ),
        (
            "Nothing waits for its provider",
            "UPDATE disputes SET call_id = object_id, call_operation = 'accept_dispute'",
        ),
        ("Evidence is what was sent, by its hash", "UPDATE disputes SET evidence_sha256 = 'x'"),
        (
            "Evidence is what was sent, by its hash",
            (
                "ALTER TABLE dispute_evidence DISABLE TRIGGER ALL;"
                "UPDATE dispute_evidence SET fields = jsonb_set(fields, '{service_date}', '7')"
            ),
        ),
        (
            "Every step of a dispute is published, and nothing else",
            "ALTER TABLE transitions DISABLE TRIGGER ALL; DELETE FROM transitions WHERE object_type = 'dispute'",
        ),
    ],
)
async def test_check_finds_what_was_tampered_with(
    desk: Desk, admin: Connection, title: str, tampering: str
) -> None:
    await desk.webhooks.take(report("needs_response", 0))
    await desk.shop.take(evidence("e1"))
    await desk.results.take(answer("a1"))
    await desk.webhooks.take(report("lost", 2))
    await as_answered(admin)
    assert await offenders(admin, title) == []
    await admin.execute(tampering)
    assert await offenders(admin, title) != []


@pytest.mark.parametrize("table", ["dispute_evidence", "order_documents"])
@pytest.mark.parametrize("change", ["UPDATE {} SET tenant = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_was_sent_and_recorded_is_never_changed(
    desk: Desk, admin: Connection, table: str, change: str
) -> None:
    await desk.shop.take(shipment("d1"))
    await desk.webhooks.take(report("needs_response", 0))
    await desk.shop.take(evidence("e1"))
    assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608 - our own names
    await admin.execute("SET session_replication_role = replica")
    with pytest.raises(Exception, match="is append-only"):
        await admin.execute(change.format(table))
