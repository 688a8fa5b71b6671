"""What waits for a person is in one list, with who may decide, by when, and a command that decides it as it stands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest

from handlers.disputes.model import dispute_id_of
from handlers.payments.model import payment_id_of
from handlers.refunds.model import refund_id_of
from tests.consumers.test_disputes import evidence, report
from tests.consumers.test_payment_webhooks import call_of, opened
from tests.consumers.test_periods import about, close
from tests.consumers.test_refunds import policy, refund
from tests.engines import feeds
from tests.ops.clerk import Clerk, at_the_desk
from tests.shop import TENANT, event, fees, request, succeeded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Connection, Database

LEGS: Final = (
    "account,owner,side,amount,currency\nsuspense,s,debit,10,EUR\nbank_clearing,main,credit,10,EUR\n"
)


def unclear(order: str, call_id: str, operation: str = "authorize", object_id: str | None = None) -> bytes:
    """Nobody knows what became of a call."""
    data = {
        "call_id": call_id,
        "payment_id": str(payment_id_of(TENANT, order)),
        "order_id": order,
        "provider": "sandbox",
        "operation": operation,
        "detail": "timed out",
        **({"object_id": object_id} if object_id else {}),
    }
    return event(f"unclear-{call_id}", "provider.call_unknown", data)


async def paid(answers: Any, *orders: str) -> None:
    """Their charges were captured."""
    await answers.take(
        *(
            succeeded(f"paid-{order}", order, call_of(order), "authorize", 2500, captured=True)
            for order in orders
        )
    )


async def call_under_way(admin: Connection, table: str, object_id: object) -> str:
    """The call that a refund or dispute waits for; the gateway has not heard of it."""
    call = await admin.fetchval(f"SELECT call_id FROM {table} WHERE object_id = $1", object_id)  # noqa: S608
    await admin.execute("UPDATE provider_calls SET status = 'unknown' WHERE call_id = $1", call)
    return str(call)


@pytest.fixture
async def traffic(database: Database, admin: Connection) -> None:
    """One of each: a refund beyond the policy, unknown calls of all kinds, a dispute, a reopening."""
    orders = ("large", "lost", "fought", "asked")
    async with (
        opened(database.app_url) as (shop, answers, webhooks),
        feeds(database.app_url, 1, "ledger.commands") as (books,),
    ):
        await shop.take(fees(), policy(), *(request(f"r-{order}", order) for order in (*orders, "doubt")))
        await paid(answers, *orders)
        await shop.take(refund("much", "large", 2000), refund("small", "lost", 10))
        await webhooks.take(report("needs_response", 0, "fought"), report("needs_response", 0, "asked"))
        await shop.take(evidence("e-asked", "asked"))
        small, asked = refund_id_of(TENANT, "lost", "small"), dispute_id_of(TENANT, "dp_asked")
        await answers.take(
            unclear("doubt", call_of("doubt")),
            unclear("lost", await call_under_way(admin, "refunds", small), "refund", str(small)),
            unclear("asked", await call_under_way(admin, "disputes", asked), "submit_evidence", str(asked)),
        )
        await books.take(close(period="2026-01"), about("ask", "reopening_requested", period="2026-01"))


@pytest.mark.usefixtures("traffic")
async def test_each_thing_that_waits_is_listed_and_its_command_decides_it(
    database: Database, kafka: str, tmp_path: Path, admin: Connection
) -> None:
    async with at_the_desk(database, kafka, tmp_path, "ledger-commands", "checkout") as clerk:
        await clerk.run("journals", "propose", clerk.file(LEGS), "--tenant", TENANT, "--reason", "r", "--yes")
        listed = await clerk.json("approvals", "list", "--tenant", TENANT)
        assert sorted((one["kind"], one["name"]) for one in listed if one["kind"] != "call") == [
            ("dispute", "dp_fought"),
            ("journal", next(one["name"] for one in listed if one["kind"] == "journal")),
            ("period", "2026-01"),
            ("refund", "large much"),
        ]
        assert [one["since"] for one in listed] == sorted(one["since"] for one in listed)
        of = {one["kind"]: one for one in listed if one["kind"] != "call"}
        assert of["refund"]["who"] == "manager or finance, but not ada"
        assert of["refund"]["by"] is not None
        assert of["period"]["who"] == "finance, but not grace"
        assert of["dispute"]["by"] == "2099-12-07T00:00:00+00:00"
        calls = {one["about"].split(" for ")[1]: one for one in listed if one["kind"] == "call"}
        assert sorted(calls) == [
            "dispute dp_asked of order asked?", "order doubt?", "refund small of order lost?"
        ]  # fmt: skip
        assert calls["order doubt?"]["who"] == "finance or manager"
        assert calls["refund small of order lost?"]["who"].startswith("sandbox, by an answer")
        shown = await clerk.out("approvals", "list")
        assert all(command in shown for one in listed for command in one["commands"])

        for kind in ("refund", "journal", "period", "dispute"):
            decide = of[kind]["commands"][-1 if kind == "dispute" else 0]
            words = shlex.split(decide.removeprefix("counterfoil ").replace("WHY", "agreed"))
            yes = ["--yes"] if kind == "journal" else []
            await clerk.run(*words, "--actor", "max", *yes)
        left = await clerk.json("approvals", "list")
        assert {one["kind"] for one in left} == {"call"}
        assert "nothing waits" in await clerk.out("approvals", "list", "--kind", "refund")
    assert await admin.fetchval("SELECT state FROM refunds WHERE refund_id = 'much'") == "submitted"
    assert await admin.fetchval("SELECT state FROM journals") == "posted"
    assert await admin.fetchval("SELECT state FROM periods") == "reopened"
    assert await admin.fetchval(
        "SELECT call_operation FROM disputes WHERE dispute_reference = 'dp_fought'"
    ) == "accept_dispute"  # fmt: skip


@pytest.mark.usefixtures("traffic")
async def test_unknown_calls_of_refunds_and_disputes_are_listed_and_not_for_a_person_to_decide(
    database: Database, kafka: str, tmp_path: Path
) -> None:
    desk = Clerk(database, kafka, tmp_path)
    rows = {row["object_type"]: row for row in await desk.json("calls", "unknown")}
    assert {kind: (row["order_id"], row["object_name"]) for kind, row in rows.items()} == {
        "payment": ("doubt", "doubt"),
        "refund": ("lost", "small"),
        "dispute": ("asked", "dp_asked"),
    }
    assert rows["refund"]["call_amount_minor"] == 10
    assert rows["payment"]["deadline_at"] is not None
    shown = await desk.out("calls", "unknown")
    assert "refund small" in shown
    assert "the provider decides" in shown
    assert await desk.json("calls", "unknown", "--tenant", "other") == []
    resolve = ("calls", "resolve", rows["refund"]["call_id"], "no_effect", "--note", "n")
    assert "its provider decides" in await desk.refused(*resolve)


@pytest.mark.usefixtures("traffic")
async def test_who_asked_for_a_refund_does_not_approve_it_and_evidence_must_say_something(
    database: Database, kafka: str, tmp_path: Path
) -> None:
    async with at_the_desk(database, kafka, tmp_path, "checkout") as clerk:
        own = ("large", "much", "--tenant", TENANT, "--note", "n", "--actor", "ada")
        assert "four_eyes" in await clerk.refused("approvals", "approve-refund", *own)
        low = ("large", "much", "--tenant", TENANT, "--note", "n", "--actor", "sam", "--role", "support")
        assert "it needs manager" in await clerk.refused("approvals", "refuse-refund", *low)
        answer = ("approvals", "answer-dispute", "dp_fought")
        assert "is not JSON" in await clerk.refused(*answer, clerk.file("{"))
        assert "write an object with fields" in await clerk.refused(*answer, clerk.file('{"field": {}}'))
        assert "none of them has a text" in await clerk.refused(*answer, clerk.file('{"fields": {}}'))
        assert "there is no dispute" in await clerk.refused("approvals", "accept-dispute", "x", "--note", "n")
        told = await clerk.out(*answer, clerk.file('{"fields": {"uncategorized_text": "it came"}}'))
        assert "is on its way" in told
