"""Refunds on the real database: fifty at once, twice, out of order, and with connections that die."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest

from handlers.payments.model import payment_id_of
from handlers.refunds.model import refund_id_of
from tests.cable import cable_to
from tests.engines import RESULTS, Feed, broken_laws, content, feeds, outcomes, published, reasons
from tests.shop import TENANT, event, fees, request, succeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.conftest import Connection, Database

WEBHOOKS: Final = "webhook.events"
LINES: Final = [
    ("support", "EUR", 1_000, None),
    ("support", "EUR", 100_000, "manager"),
]


def policy(event_id: str = "policy", **members: Any) -> bytes:
    """The tenant's refund policy."""
    limits = [
        {"role": role, "currency": currency, "at_most_minor": most, "with_approval_of": approver}
        for role, currency, most, approver in LINES
    ]
    data = {"version": 1, "effective_from": "2020-01-01T00:00:00Z", "limits": limits}
    return event(event_id, "checkout.refund_policy_set", data | members)


def refund(event_id: str, order: str, minor: int | None = 10, **members: Any) -> bytes:
    """The command to give money back; the refund is called as the event."""
    data = {
        "idempotency_key": event_id,
        "order_id": order,
        "refund_id": event_id,
        "cause": "requested_by_customer",
        "actor": {"id": "ada", "role": "support"},
    }
    return event(
        event_id, "checkout.refund_requested", data | ({"amount_minor": minor} if minor else {}) | members
    )


def approve(event_id: str, order: str, refund_id: str) -> bytes:
    """Somebody else agrees."""
    data = {
        "idempotency_key": event_id,
        "order_id": order,
        "refund_id": refund_id,
        "actor": {"id": "max", "role": "manager"},
        "note": "agreed",
    }
    return event(event_id, "checkout.refund_approved", data)


def report(event_id: str, order: str, refund_id: str, status: str, second: int, minor: int = 10) -> bytes:
    """The provider's webhook."""
    data = {
        "webhook_id": "5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd",
        "provider": "sandbox",
        "account": "main",
        "provider_event_id": event_id,
        "provider_type": f"refund.{status}",
        "occurred_at": f"2026-11-23T11:00:{second:02}Z",
        "order_id": order,
        "provider_reference": f"auth_{order}",
        "refund_reference": f"re_{refund_id}",
        "refund_id": str(refund_id_of(TENANT, order, refund_id)),
        "status": status,
        "amount_minor": minor,
        "currency": "EUR",
    }
    return event(event_id, "webhook.refund_reported", data, source="/webhooks/sandbox/main")


async def answers(admin: Connection, outcome: str = "succeeded") -> list[bytes]:
    """The provider's answers to all calls for refunds that are open."""
    calls = await admin.fetch(
        "SELECT c.* FROM provider_calls AS c JOIN refunds AS r ON r.call_id = c.call_id ORDER BY c.call_id"
    )
    await _answer_kept(admin)
    more: dict[str, Any] = {}
    if outcome == "declined":
        more = {"reason": "refund_declined", "provider_code": "no"}
    return [
        event(
            f"a-{call['call_id']}",
            f"provider.call_{outcome}",
            {
                "call_id": str(call["call_id"]),
                "payment_id": str(call["payment_id"]),
                "object_id": str(call["object_id"]),
                "order_id": call["order_id"],
                "provider": call["provider"],
                "operation": call["operation"],
            }
            | (
                more
                or {
                    "provider_reference": f"re_{call['object_id']}",
                    "amount_minor": call["amount_minor"],
                    "captured": False,
                }
            ),
        )
        for call in calls
    ]


async def _answer_kept(admin: Connection) -> None:
    """What a gateway writes when all open calls are answered."""
    await admin.execute(
        "WITH done AS (UPDATE provider_calls SET status = 'answered', answered_at = now()"
        " WHERE status <> 'answered' RETURNING tenant, call_id)"
        " INSERT INTO provider_answers (tenant, call_id, try, asked, answer, detail, answered_at)"
        " SELECT tenant, call_id, 1, 'execute', 'any', '', now() FROM done"
    )


async def pay(feed: Feed, results: Feed, admin: Connection, order: str, minor: int) -> None:
    """An order that is paid by card."""
    await feed.take(request(f"pay-{order}", order, minor=minor))
    call_id = await admin.fetchval("SELECT call_id FROM payments WHERE order_id = $1", order)
    await _answer_kept(admin)
    await results.take(succeeded(f"paid-{order}", order, str(call_id), "authorize", minor, captured=True))


@pytest.fixture
async def shop(database: Database, admin: Connection) -> AsyncIterator[tuple[Feed, Feed, Feed]]:
    """Engines for commands, answers and webhooks; a merchant, a policy, and an order `o1` paid with 100."""
    async with (
        feeds(database.app_url, 1) as (commands,),
        feeds(database.app_url, 1, RESULTS) as (results,),
        feeds(database.app_url, 1, WEBHOOKS) as (webhooks,),
    ):
        await commands.take(fees(), policy())
        await pay(commands, results, admin, "o1", 100)
        yield commands, results, webhooks


async def sums(admin: Connection, order: str = "o1") -> tuple[str, int, int]:
    """State, refunding and refunded of an order's payment."""
    row = await admin.fetchrow(
        "SELECT state, refunding_minor, refunded_minor FROM payments WHERE order_id = $1", order
    )
    assert row is not None
    return row["state"], row["refunding_minor"], row["refunded_minor"]


async def test_of_fifty_refunds_of_ten_at_once_on_a_hundred_exactly_ten_succeed(
    database: Database, admin: Connection, shop: tuple[Feed, Feed, Feed]
) -> None:
    _, results, _ = shop
    async with feeds(database.app_url, 3) as (_, one, other):
        await asyncio.gather(
            *(
                feed.take_each(*(refund(f"{feed.partition}-{number}", "o1") for number in range(25)))
                for feed in (one, other)
            )
        )
    assert await sums(admin) == ("succeeded", 100, 0)
    refused = [reason for reason in (await reasons(admin)).values() if reason]
    assert refused == ["amount_above_refundable"] * 40
    await results.take(*await answers(admin))
    assert await sums(admin) == ("refunded", 0, 100)
    assert await admin.fetchval("SELECT count(*) FROM refunds WHERE state = 'succeeded'") == 10
    assert await balance(admin, "refund_clearing") == 0
    assert await balance(admin, "platform_fee_revenue") == 0, "all of the fee went back, no cent is lost"
    assert await broken_laws(admin) == []


async def balance(admin: Connection, code: str) -> int:
    """What an account code holds over all owners."""
    held: int = await admin.fetchval(
        "SELECT coalesce(sum(balance_minor), 0)::bigint FROM account_balances WHERE code = $1", code
    )
    return held


async def test_fifty_crowds_of_one_agent_are_counted_to_the_last(
    database: Database, admin: Connection, shop: tuple[Feed, Feed, Feed]
) -> None:
    """The agent's count is one row that nobody has written yet, wanted by many orders at once."""
    commands, results, _ = shop
    limits = {"velocity": [{"subject": "actor", "days": 30, "at_most": 7}], "version": 2}
    await commands.take(policy("policy-2", **limits))
    for number in range(20):
        await pay(commands, results, admin, f"c{number}", 100)
    async with feeds(database.app_url, 21) as crowd:
        await asyncio.gather(
            *(feed.take(refund(f"r{feed.partition}", f"c{feed.partition - 1}")) for feed in crowd[1:])
        )
    held = await admin.fetchval("SELECT count(*) FROM refunds WHERE state = 'pending_approval'")
    assert held == 13
    assert await broken_laws(admin) == []


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_webhooks_in_any_order_and_twice_leave_the_same(
    admin: Connection, shop: tuple[Feed, Feed, Feed], order: tuple[int, int, int]
) -> None:
    commands, results, webhooks = shop
    await commands.take(refund("r1", "o1"))
    (answer,) = await answers(admin)
    bodies = [
        report("w1", "o1", "r1", "pending", 1),
        report("w2", "o1", "r1", "succeeded", 2),
        report("w3", "o1", "r1", "succeeded", 3),
    ]
    await webhooks.take(*(bodies[place] for place in order))
    await webhooks.take_each(*bodies)
    assert await sums(admin) == ("partially_refunded", 0, 10)
    await results.take(answer.replace(b"re_" + str(refund_id_of(TENANT, "o1", "r1")).encode(), b"re_r1"))
    assert await sums(admin) == ("partially_refunded", 0, 10)
    assert await admin.fetchval("SELECT count(*) FROM entries WHERE object_type = 'refund'") == 2
    assert await admin.fetchval("SELECT count(*) FROM refunds WHERE call_id IS NOT NULL") == 0
    assert await broken_laws(admin) == []


async def test_a_webhook_that_comes_before_the_order_waits_for_it(
    admin: Connection, shop: tuple[Feed, Feed, Feed]
) -> None:
    commands, results, webhooks = shop
    console = report("w1", "o2", "r1", "succeeded", 1).replace(
        str(refund_id_of(TENANT, "o2", "r1")).encode().join([b'"', b'"']), b"null"
    )
    await webhooks.take(console.replace(b'"order_id":"o2"', b'"order_id":null'))
    assert (await outcomes(admin))["w1"] == "parked"
    await pay(commands, results, admin, "o2", 50)
    await webhooks.settle_parked(admin)
    assert (await outcomes(admin))["w1"] == "applied"
    assert await sums(admin, "o2") == ("partially_refunded", 0, 10)
    assert await admin.fetchval("SELECT cause FROM refunds") == "made_at_provider"
    assert await broken_laws(admin) == []


async def test_a_request_that_comes_before_its_policy_or_its_order_waits(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (feed,), feeds(database.app_url, 1, RESULTS) as (results,):
        await feed.take(fees(), refund("early", "o1"))
        await pay(feed, results, admin, "o1", 100)
        await feed.settle_parked(admin)
        assert (await outcomes(admin))["early"] == "parked"
        assert await admin.fetchval("SELECT reason FROM parked") == "policy_missing"
        await feed.take(policy())
        await feed.settle_parked(admin)
        assert (await outcomes(admin))["early"] == "applied"
        assert await sums(admin) == ("succeeded", 10, 0)


async def test_a_repeated_command_gets_the_first_one_s_outcome(
    admin: Connection, shop: tuple[Feed, Feed, Feed]
) -> None:
    commands, _, _ = shop
    again = refund("r2", "o1", refund_id="r1", idempotency_key="r1")
    await commands.take(refund("r1", "o1"), again, refund("r3", "o1", refund_id="r1"))
    found = await outcomes(admin)
    assert (found["r1"], found["r2"], found["r3"]) == ("applied", "duplicate", "rejected")
    assert (await reasons(admin))["r3"] == "refund_id_reused"
    assert await sums(admin) == ("succeeded", 10, 0)
    assert await broken_laws(admin) == []


async def test_an_approval_is_four_eyes_in_the_log_and_in_the_database(
    admin: Connection, shop: tuple[Feed, Feed, Feed]
) -> None:
    commands, results, _ = shop
    await pay(commands, results, admin, "big", 5_000)
    await commands.take(refund("r1", "big", 2_000), approve("y1", "big", "r1"))
    await results.take(*await answers(admin))
    assert await sums(admin, "big") == ("partially_refunded", 0, 2_000)
    log = await admin.fetch(
        "SELECT actor, action FROM audit_log WHERE object_type = 'refund' ORDER BY audit_id"
    )
    assert [tuple(row) for row in log] == [("ada", "refund.requested"), ("max", "refund.approved")]
    told = await published(admin, "refund.events")
    assert [message["type"] for message in told] == [
        "refund.requested.v1",
        "refund.pending_approval.v1",
        "refund.requested.v1",
        "refund.submitted.v1",
        "refund.succeeded.v1",
    ]
    assert {message["key"] for message in told} == {f"{TENANT}:{payment_id_of(TENANT, 'big')}"}
    for bad in ("approved_by = requested_by", "approved_by = NULL", "suspense_minor = amount_minor + 1"):
        with pytest.raises(asyncpg.CheckViolationError):
            await admin.execute(f"UPDATE refunds SET {bad}")  # noqa: S608 - our own words
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("UPDATE refund_policies SET service_credit = true")
    assert await broken_laws(admin) == []


TAMPERING: Final = [
    # what a superuser does, what `check` says about it
    ("UPDATE refunds SET state = 'failed', version = 9", "transitions end in succeeded at version 3"),
    ("UPDATE refunds SET amount_minor = 11", "given 11, fee"),
    ("UPDATE refunds SET fee_returned_minor = 0", "its refunds say 10 with 0"),
    ("UPDATE refund_counts SET amount_minor = 99", "counted 99"),
    ("UPDATE payments SET refunded_minor = 9", "refunded 9, captured 100"),
    ("UPDATE refunds SET call_id = gen_random_uuid()", "which is not there"),
    ("UPDATE provider_calls SET status = 'unknown' WHERE object_id IS NOT NULL", "and yet it is unknown"),
    ("DELETE FROM refunds", "is missing at version 0"),
    ("DELETE FROM outbox_batches WHERE topic = 'refund.events'", "which is not in the outbox"),
]


@pytest.mark.parametrize(("deed", "told"), TAMPERING, ids=[deed for deed, _ in TAMPERING])
async def test_what_is_changed_behind_the_guards_is_found(
    admin: Connection, shop: tuple[Feed, Feed, Feed], deed: str, told: str
) -> None:
    commands, results, _ = shop
    await commands.take(refund("r1", "o1"))
    await results.take(*await answers(admin))
    assert await broken_laws(admin) == []
    await admin.execute("ALTER TABLE outbox_batches DISABLE TRIGGER outbox_append_only")
    await admin.execute(deed)
    assert told in " ".join(await broken_laws(admin))


def a_day(number: int) -> Iterable[bytes]:
    """Refunds of one order: within the limits, again, and above what is left."""
    yield refund(f"a{number}", f"o{number}", 30)
    yield refund(f"b{number}", f"o{number}", 30)
    yield refund(f"a{number}", f"o{number}", 30)
    yield refund(f"c{number}", f"o{number}", 60)


@pytest.mark.faults
async def test_answers_to_commit_that_are_lost_repeat_no_refund(
    database: Database, admin: Connection
) -> None:
    async with (
        cable_to(database.app_url) as (cable, url),
        feeds(url, 1) as (commands,),
        feeds(url, 1, RESULTS) as (results,),
    ):
        await commands.take(fees(), policy())
        for number in range(6):
            await pay(commands, results, admin, f"o{number}", 100)
            cable.lose_answers_to = b"COMMIT"
            await commands.take(*a_day(number))
            cable.lose_answers_to = b"COMMIT"
            await results.take(*await answers(admin, "declined" if number % 2 else "succeeded"))
        assert cable.lost == 12
        before = await content(admin)
        await commands.again()
        await results.again()
        assert await content(admin) == before
    assert await admin.fetchval("SELECT count(*) FROM refunds") == 12
    assert [await sums(admin, f"o{number}") for number in (0, 1)] == [
        ("partially_refunded", 0, 60),
        ("succeeded", 0, 0),
    ]
    assert await balance(admin, "refund_clearing") == 0
    assert await broken_laws(admin) == []
