"""What somebody took away or changed behind the guards is told, not hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.inspect.explain import (
    explain_balance,
    explain_dispute,
    explain_entry,
    explain_hold,
    explain_journal,
    explain_payment,
    explain_period,
    explain_refund,
)
from ops.periods.closings import take_closings
from tests.books import LEDGER, approve, credited, held, hold_posted, journal, opened, pair, part
from tests.consumers import test_disputes as disputes
from tests.consumers.test_refunds import approve as agree
from tests.consumers.test_refunds import policy, refund
from tests.engines import feeds
from tests.ops.busy import marketplace
from tests.ops.inspect.test_explain_aftersales import keep_webhook
from tests.ops.inspect.test_explain_books import about
from tests.ops.inspect.trees import fired, texts
from tests.shop import TENANT, fees, request, sale

if TYPE_CHECKING:
    from ops.inspect.node import Node
    from tests.conftest import Connection, Database


async def deed(admin: Connection, table: str, statement: str) -> None:
    """What a superuser can do when the guards are off."""
    await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL; {statement}")


async def first_entry(admin: Connection) -> Node:
    """The first entry, explained."""
    entry_id = await admin.fetchval("SELECT min(entry_id) FROM lines")
    (node,) = await explain_entry(admin, entry_id)
    return node


# fmt: off
OF_A_SALE = [
    # what is done, to what | what is said of the entry
    ("lines", "DELETE FROM lines WHERE line = 3", "written with 3 lines, of which 2 are there"),
    ("lines", "DELETE FROM lines", "written with 3 lines, of which 0 are there"),
    ("lines", "UPDATE lines SET amount_minor = 1 WHERE line = 2", "does NOT balance: off by 19.18 EUR"),
    ("lines", "UPDATE lines SET amount_minor = amount_minor + 1 WHERE line < 3", "published with other lines"),
    ("lines", "UPDATE lines SET account_id = 4 - account_id", "published with other lines"),
    ("payments", "DELETE FROM payments", "NOT there, though something was posted for it"),
    ("inbox", "DELETE FROM inbox WHERE event_id = 's1'", "s1 of /shops/a: NOT in the inbox"),
    ("outbox_batches", "DELETE FROM outbox_batches WHERE topic = 'ledger.entries'", "NOT in the outbox"),
    ("accounts", "DELETE FROM accounts WHERE code = 'merchant_payable'", "which is NOT there"),
]
# fmt: on


@pytest.mark.parametrize(("table", "statement", "said"), OF_A_SALE)
async def test_an_entry_tells_what_was_done_to_it(
    database: Database, admin: Connection, table: str, statement: str, said: str
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    assert texts(await first_entry(admin), "missing") == []
    entry_id = await admin.fetchval("SELECT min(entry_id) FROM entries")
    await deed(admin, table, statement)
    (node,) = await explain_entry(admin, entry_id)
    everything = "\n".join(text for kind in ("missing", "message", "line") for text in texts(node, kind))
    assert said in everything


async def test_an_entry_that_was_removed_is_known_by_its_traces(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    entry_id = await admin.fetchval("SELECT min(entry_id) FROM entries")
    await deed(admin, "entries", "DELETE FROM entries")
    (node,) = await explain_entry(admin, entry_id)
    assert node.text.startswith(f"entry {entry_id} of acme: NOT in the journal, but in 3 lines")
    (balance,) = await explain_balance(admin, "merchant_payable")
    assert f"entry {entry_id}: its header is NOT in the journal, which breaks law 9; its line is" in texts(
        balance, "missing"
    )
    assert await explain_entry(admin, entry_id + 1) == []


async def test_a_balance_says_when_its_lines_say_something_else(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"), sale("s2", "o2"))
    await deed(admin, "lines", "DELETE FROM lines WHERE entry_id = (SELECT max(entry_id) FROM lines)")
    (node,) = await explain_balance(admin, "merchant_payable")
    assert "BUT ITS LINES SAY: debits 0.00 EUR, credits 19.19 EUR, 1 lines, which breaks law 2" in texts(
        node, "missing"
    )
    assert "38.38 EUR" in node.text


# fmt: off
OF_A_REFUND = [
    ("transitions", "DELETE FROM transitions WHERE object_type = 'refund' AND version = 2", "NOT there: step 2,"),
    ("transitions", "DELETE FROM transitions WHERE object_type = 'refund'", "NOT there: step 1, 2, 3, 4, 5,"),
    ("provider_answers", "DELETE FROM provider_answers", "its answer is NOT there"),
    ("provider_calls", "DELETE FROM provider_calls", "so nobody can say what was answered"),
    ("inbox", "DELETE FROM inbox WHERE event_id = 'y1'", "y1 of /shops/a: NOT in the inbox"),
]
# fmt: on


@pytest.mark.parametrize(("table", "statement", "said"), OF_A_REFUND)
async def test_a_refund_tells_what_was_taken_from_its_story(
    database: Database, admin: Connection, table: str, statement: str, said: str
) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k1", "o1"))
        await market.settle()
        await market.receive(refund("r1", "o1", 2000), agree("y1", "o1", "r1"))
        await market.settle()
    (before,) = await explain_refund(admin, "r1")
    assert texts(before, "missing") == []
    await deed(admin, table, statement)
    (node,) = await explain_refund(admin, "r1")
    assert said in "\n".join((*texts(node, "missing"), *texts(node, "message")))


async def test_a_dispute_whose_evidence_or_webhook_is_gone_says_so(
    database: Database, admin: Connection
) -> None:
    async with disputes.desks(database.app_url) as desk:
        await desk.pay("o1")
        await keep_webhook(admin)
        await desk.webhooks.take(disputes.report("needs_response", 0))
        await desk.shop.take(disputes.evidence("e1"))
        await disputes.as_answered(admin)
        await desk.results.take(disputes.answer("a1"))
    (whole,) = await explain_dispute(admin, "dp_o1")
    assert texts(whole, "missing") == []
    await deed(admin, "dispute_evidence", "DELETE FROM dispute_evidence")
    await deed(admin, "webhooks", "DELETE FROM webhooks")
    (node,) = await explain_dispute(admin, "dp_o1")
    gone = "\n".join(texts(node, "missing"))
    assert "which was sent: NOT there, which breaks law 8" in gone
    assert "NOT there, so nobody can say what the provider said word for word" in gone


async def test_a_journal_without_some_of_its_legs_or_parts_says_so(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(journal("j1", pair(), parts=2), part("j1", 2, pair()), approve("j1"))
    (whole,) = await explain_journal(admin, "j1")
    assert texts(whole, "missing") == []
    await deed(admin, "journal_lines", "DELETE FROM journal_lines WHERE line > 3")
    await deed(admin, "idempotency_keys", "DELETE FROM idempotency_keys WHERE event_id = 'j1-part2'")
    (node,) = await explain_journal(admin, "j1")
    assert texts(node, "missing") == [
        "of its 4 legs 3 are there: this breaks law 9",
        "the messages of 1 parts are not found by their keys; their legs are in the journal",
    ]


async def test_a_hold_whose_timer_is_gone_says_so(database: Database, admin: Connection) -> None:
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(opened())
        await books.take(credited("c1", 700), held("h1", 200), held("h2", 100), hold_posted("p2", "h2"))
    await admin.execute("INSERT INTO clocks SELECT $1, max(due_at) FROM timers", TENANT)
    async with feeds(database.app_url, 1, "timer.events") as (timers,):
        await timers.take(*await fired(admin, "hold_expiry"))
    await admin.execute("DELETE FROM timers")
    (node,) = await explain_hold(admin, "h1")
    assert "NOT there, so nobody can say what made it due" in texts(node, "missing")[0]
    await deed(admin, "holds", "DELETE FROM holds WHERE hold_id = 'h2'")
    entry_id = await admin.fetchval("SELECT entry_id FROM entries WHERE rule LIKE 'wallet_spent%'")
    (entry,) = await explain_entry(admin, entry_id)
    assert "NOT there, though something was posted for it" in texts(entry, "missing")[0]


async def test_a_period_whose_kept_balances_are_gone_says_so(database: Database, admin: Connection) -> None:
    await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
    async with (
        feeds(database.app_url, 1) as (shop,),
        feeds(database.app_url, 1, LEDGER) as (books,),
    ):
        await shop.take(fees(), sale("s1", "o1", time="2026-10-20T10:00:00Z"))
        await books.take(about("close", "close_requested"))
    await take_closings(admin)
    await deed(admin, "closing_balances", "DELETE FROM closing_balances WHERE lines > 0")
    (node,) = await explain_period(admin, "2026-10")
    assert texts(node, "missing") == ["3 of these balances are NOT there, which breaks law 9"]


async def test_a_payment_without_its_last_step_says_so(database: Database, admin: Connection) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    await admin.execute("UPDATE payments SET version = version + 2")
    (node,) = await explain_payment(admin, "o1")
    assert texts(node, "missing")[0].startswith("it stands at version ")
