"""Refunds and disputes are explained from the request and its approval to the provider's own words, and the money."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from db.queries import webhooks as webhook_sql
from handlers.payments.model import payment_id_of
from handlers.refunds.model import refund_id_of
from ops.inspect.explain import explain_dispute, explain_entry, explain_event, explain_payment, explain_refund
from tests.consumers import test_disputes as disputes
from tests.consumers.test_refunds import WEBHOOKS, answers, approve, pay, policy, refund, report
from tests.engines import RESULTS, feeds
from tests.ops.busy import marketplace
from tests.ops.inspect.trees import bodies, fired, texts, told_ids, walk
from tests.shop import TENANT, fees, request

if TYPE_CHECKING:
    from ops.inspect.node import Node
    from tests.conftest import Connection, Database

WEBHOOK_ID = UUID("5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd")
RAW = b'{"object":"refund","id":"re_r1","livemode":false}'


async def keep_webhook(admin: Connection, body: bytes = RAW, tenant: str = TENANT) -> None:
    """The request as the ingress keeps it."""
    await webhook_sql.keep_webhooks(
        admin,
        tenants=[tenant],
        webhook_ids=[WEBHOOK_ID],
        digests=[sha256(body).digest()],
        providers=["sandbox"],
        accounts=["main"],
        received_ats=[await admin.fetchval("SELECT now()")],
        headers=[orjson.dumps([["content-type", "application/json"]]).decode()],
        bodies=[body],
        event_ids=["w1"],
        unreadables=[None],
    )


async def entry_of(admin: Connection, rule: str) -> Node:
    """The last entry by a rule, explained."""
    entry_id = await admin.fetchval("SELECT max(entry_id) FROM entries WHERE rule = $1", rule)
    (node,) = await explain_entry(admin, entry_id)
    return node


async def test_a_refund_tells_who_asked_who_approved_and_what_the_provider_answered(
    database: Database, admin: Connection
) -> None:
    asked, agreed = refund("r1", "o1", 2000), approve("y1", "o1", "r1")
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k1", "o1"))
        await market.settle()
        await market.receive(asked, agreed)
        await market.settle()
    (node,) = await explain_refund(admin, "r1", order_id="o1")
    assert "refund r1" in node.text
    assert "20.00 EUR: succeeded" in node.text
    assert "asked for by ada (support), approved by max" in node.text
    assert [text.split(" (")[0] for text in texts(node, "transition")] == [
        "refund became requested",
        "refund was requested, became pending_approval",
        "refund was pending_approval, became requested",
        "refund was requested, became submitted",
        "refund was submitted, became succeeded",
        "was succeeded, became partially_refunded",
    ]
    assert told_ids(node)[:2] == ["r1", "y1"]
    assert bodies(node)[:2] == [asked.decode(), agreed.decode()]
    (call,) = texts(node, "call")
    assert call.startswith("asked sandbox to refund 20.00 EUR: answered after 1 try")
    assert '"operation":"refund"' in "".join(bodies(node))
    rules = [found.facts["rule"] for found in walk(node) if found.kind == "entry"]
    assert rules == ["refund_submitted", "refund_paid_card"]


async def test_a_refunds_entries_lead_from_the_answer_through_the_call_to_approval_and_request(
    database: Database, admin: Connection
) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k1", "o1"))
        await market.settle()
        await market.receive(refund("r1", "o1", 2000), approve("y1", "o1", "r1"))
        await market.settle()
    node = await entry_of(admin, "refund_paid_card")
    chain = [found for found in walk(node) if found.kind in {"message", "call"}]
    assert [found.kind for found in chain] == ["message", "call", "message", "message"]
    assert told_ids(node)[1:] == ["y1", "r1"]
    assert "approved by max" in texts(node, "refund")[0]
    assert [text.split(" to ")[0] for text in texts(node, "published")] == ["ledger.entry_posted.v1"]
    (sent,) = await explain_event(admin, "y1")
    assert [found.facts["rule"] for found in walk(sent) if found.kind == "entry"] == ["refund_submitted"]
    assert texts(sent, "call") != []


async def test_a_refund_that_a_webhook_decided_leads_to_the_request_as_it_came(
    database: Database, admin: Connection
) -> None:
    async with (
        feeds(database.app_url, 1) as (shop,),
        feeds(database.app_url, 1, RESULTS) as (results,),
        feeds(database.app_url, 1, WEBHOOKS) as (webhooks,),
    ):
        await shop.take(fees(), policy())
        await pay(shop, results, admin, "o1", 100)
        await shop.take(refund("r1", "o1", 100))
        await keep_webhook(admin)
        await webhooks.take(report("w1", "o1", "r1", "succeeded", 1, minor=100))
    node = await entry_of(admin, "refund_paid_card")
    assert texts(node, "webhook")[0].startswith(f"webhook {WEBHOOK_ID} of sandbox, account main, received ")
    assert RAW.decode() in bodies(node)
    assert told_ids(node) == ["w1", "r1"]
    (told,) = await explain_refund(admin, "re_r1")
    assert told.facts["object_id"] == refund_id_of(TENANT, "o1", "r1")
    assert RAW.decode() in bodies(told)


async def test_a_refund_that_nobody_approved_leads_to_its_timer(
    database: Database, admin: Connection
) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k1", "o1"))
        await market.settle()
        await market.receive(refund("r1", "o1", 2000))
        await admin.execute("INSERT INTO clocks SELECT $1, max(due_at) FROM timers", TENANT)
        async with feeds(database.app_url, 1, "timer.events") as (timers,):
            await timers.take(*await fired(admin, "refund_approval_expiry"))
    (node,) = await explain_refund(admin, str(refund_id_of(TENANT, "o1", "r1")))
    assert "approved by nobody" in node.text
    assert texts(node, "timer")[0].startswith("timer refund_approval_expiry of o1, due ")
    assert texts(node, "named") == ["checkout.refund_requested.v1 r1 of /shops/a, told above"]
    assert texts(node, "reason")[0].startswith("approval_lapsed: ")


async def test_a_payment_tells_its_refunds_too(database: Database, admin: Connection) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k1", "o1"))
        await market.settle()
        await market.receive(refund("r1", "o1", 500), refund("r2", "o1", 700))
        await market.settle()
    (node,) = await explain_payment(admin, "o1")
    assert "of that 12.00 EUR refunded" in texts(node, "back")
    assert {text.split(" (")[0] for text in texts(node, "refund")} == {"refund r1", "refund r2"}
    assert [text.split(":")[0] for text in texts(node, "call")] == [
        "asked sandbox to authorize 25.00 EUR",
        "asked sandbox to refund 5.00 EUR",
        "asked sandbox to refund 7.00 EUR",
    ]


async def test_a_dispute_tells_reports_evidence_and_its_decision(
    database: Database, admin: Connection
) -> None:
    async with disputes.desks(database.app_url) as desk:
        await desk.pay("o1")
        await keep_webhook(admin, b'{"object":"dispute"}')
        first, last = disputes.report("needs_response", 0), disputes.report("lost", 9)
        await desk.webhooks.take(first)
        await desk.shop.take(disputes.evidence("e1"))
        await disputes.as_answered(admin)
        await desk.results.take(disputes.answer("a1"))
        await desk.webhooks.take(last)
    (node,) = await explain_dispute(admin, "dp_o1")
    assert "dispute dp_o1" in node.text
    assert "25.00 EUR: lost" in node.text
    assert texts(node, "evidence")[0].startswith("evidence version 1, sent by ada")
    assert any("customer_communication: Zürich" in text for text in texts(node, "field"))
    assert told_ids(node) == ["o1-needs_response-0", "e1", "a1", "o1-lost-9"]
    assert '{"object":"dispute"}' in bodies(node)
    assert f"webhook {WEBHOOK_ID}, told above" in texts(node, "named")
    steps = [text.split(" (")[0] for text in texts(node, "transition") if text.startswith("dispute")]
    assert steps[0] == "dispute became opened"
    assert steps[-1].endswith("became lost")
    lost = await entry_of(admin, "dispute_lost")
    assert told_ids(lost) == ["o1-lost-9", "o1-needs_response-0", "e1", "a1"]
    assert "dispute dp_o1" in texts(lost, "dispute")[0]
    (paid,) = await explain_payment(admin, str(payment_id_of(TENANT, "o1")))
    assert "dispute dp_o1" in texts(paid, "dispute")[0]


async def test_a_webhook_of_another_tenant_is_not_told(database: Database, admin: Connection) -> None:
    async with (
        feeds(database.app_url, 1) as (shop,),
        feeds(database.app_url, 1, RESULTS) as (results,),
        feeds(database.app_url, 1, WEBHOOKS) as (webhooks,),
    ):
        await shop.take(fees(), policy())
        await pay(shop, results, admin, "o1", 100)
        await shop.take(refund("r1", "o1", 100))
        await keep_webhook(admin, b'{"secret":"of zeta"}', tenant="zeta")
        await webhooks.take(report("w1", "o1", "r1", "succeeded", 1, minor=100))
        await results.take(*await answers(admin))
    (node,) = await explain_refund(admin, "r1")
    assert "zeta" not in orjson.dumps(node.as_json(), default=str).decode()
    assert texts(node, "missing") == [
        f"webhook {WEBHOOK_ID}: NOT there, so nobody can say what the provider said word for word"
    ]
