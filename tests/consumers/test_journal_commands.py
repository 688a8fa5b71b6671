"""Journals, reversals and repeats on the real database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from handlers.journals.model import journal_uuid_of
from handlers.payments.model import payment_id_of
from handlers.periods.model import period_id_of
from ops.rebuild.replay import replay
from schemas.repeated import LedgerCommandRepeated
from tests.books import (
    LEDGER,
    PROPOSER,
    WALLET,
    approve,
    balances,
    command,
    credited,
    held,
    hold_posted,
    journal,
    leg,
    opened,
    pair,
    part,
    reversal,
)
from tests.contract.test_events import promised_and_published
from tests.engines import Feed, broken_laws, feeds, outcomes, published, reasons
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

CROWD = 50
PERIOD = {"period": "2026-10", "note": "the month's end"}
J1 = str(journal_uuid_of(TENANT, "j1"))
FIRST = {"object_id": J1, "number": 1}


async def test_a_journal_is_in_the_books_when_somebody_else_agrees(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1"), approve("j1", who=PROPOSER, event_id="own"), approve("j1"))
    assert await reasons(admin) == {"j1": None, "own": "four_eyes", "j1-approved": None}
    assert await balances(admin) == {"suspense/main/EUR": -1000, "bank_clearing/main/EUR": -1000}
    told = [message["type"] for message in await published(admin, "account.events")]
    assert told == ["journal.proposed.v1", "journal.posted.v1"]
    assert [m["data"]["about"] for m in await published(admin, "notification.requests")] == [
        "journal.approval_needed"
    ]
    assert await admin.fetchval("SELECT count(*) FROM audit_log") == 2
    assert await broken_laws(admin) == []


async def test_ten_thousand_legs_post_at_once_from_several_messages(books: Feed, admin: Connection) -> None:
    legs = [leg("debit", "suspense", 1 + number, owner=f"owner-{number}") for number in range(5000)]
    legs += [leg("credit", "bank_clearing", 1 + number, owner=f"bank-{number}") for number in range(5000)]
    bodies = [journal("j1", legs[:2000], parts=5)]
    bodies += [part("j1", number, legs[2000 * (number - 1) : 2000 * number]) for number in range(2, 6)]
    await books.take(*bodies)
    await books.take(approve("j1"))
    assert set((await outcomes(admin)).values()) == {"applied"}
    row = await admin.fetchrow("SELECT count(*) AS entries, max(legs) AS legs FROM entries")
    assert row is not None
    assert tuple(row) == (1, 10_000)
    (told,) = await published(admin, "ledger.entries")
    assert len(told["data"]["legs"]) == 10_000
    assert await broken_laws(admin) == []


async def test_a_payment_s_entry_is_taken_back_by_hand_and_stands_in_one_group(
    database: Database, books: Feed, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    sale_id = str(payment_id_of(TENANT, "o1"))
    entry = {"object_id": sale_id, "number": 1}
    right = pair(1999, debit="terminal_receivable", credit="merchant_payable")
    await books.take(reversal("r1", sale_id, legs=right), approve("r1", reverses=entry))
    await books.take(reversal("r2", sale_id))
    assert (await reasons(admin))["r2"] == "already_reversed"
    assert (await balances(admin))["merchant_payable/m1/EUR"] == 0
    rows = await admin.fetch("SELECT kind, rule FROM entry_groups ORDER BY entry_id")
    assert [tuple(row) for row in rows] == [
        ("original", "terminal_sale"),
        ("reverses", "entry_reversal"),
        ("replaces", "entry_correction"),
    ]
    # the replacement may be replaced, and is of the same group
    r1 = str(journal_uuid_of(TENANT, "r1"))
    mine = {"object_id": r1, "number": 2}
    await books.take(reversal("r3", r1, 2), approve("r3", reverses=mine))
    assert await admin.fetchval("SELECT count(DISTINCT root_entry_id) FROM entry_groups") == 1
    assert await broken_laws(admin) == []


async def test_what_a_batch_posts_it_also_takes_back(
    database: Database, books: Feed, admin: Connection
) -> None:
    """The entry, a part of it taken back, the rest with what should have been posted, and that taken back, too."""
    right = pair(700, debit="suspense", credit="bank_clearing")
    some = [{"line": number, "amount_minor": 400} for number in (1, 2)]
    r2 = str(journal_uuid_of(TENANT, "r2"))
    await books.take(
        journal("j0"),
        approve("j0"),
        journal("j1"),
        approve("j1"),
        reversal("r1", J1, lines=some),
        approve("r1", reverses=FIRST),
        reversal("r2", J1, legs=right),
        reversal("r3", J1, lines=some),
        approve("r2", reverses=FIRST),
        approve("r3", reverses=FIRST),
        reversal("r4", r2, 2),
        approve("r4", reverses={"object_id": r2, "number": 2}),
    )
    found = await reasons(admin)
    assert {name: reason for name, reason in found.items() if reason} == {"r3-approved": "already_reversed"}
    rows = await admin.fetch(
        "SELECT g.kind, g.rule, l.entry_id AS linked FROM entry_groups AS g"
        " LEFT JOIN entries AS l ON l.entry_id = g.linked_entry_id ORDER BY g.entry_id"
    )
    first = await admin.fetchval("SELECT entry_id FROM entries WHERE object_id = $1", J1)
    assert [tuple(row) for row in rows] == [
        ("original", "manual_journal", None),
        ("reverses", "entry_reversal", first),
        ("reverses", "entry_reversal", first),
        ("replaces", "entry_correction", first),
        ("reverses", "entry_reversal", first + 3),
    ]
    assert await admin.fetchval("SELECT count(DISTINCT root_entry_id) FROM entry_groups") == 1
    assert await balances(admin) == {"suspense/main/EUR": -1000, "bank_clearing/main/EUR": -1000}, "j0 alone"
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


async def test_a_reversal_that_came_too_early_is_woken_by_its_entry(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1"))
    await books.take(reversal("r1", J1))
    await admin.execute("UPDATE parked SET due_at = clock_timestamp() + interval '1 hour'")
    await books.take(approve("j1"))
    assert await books.engine.retry_parked() == 1
    assert (await outcomes(admin))["r1"] == "applied"


async def test_fifty_reversals_at_once_take_back_no_more_than_there_was(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(journal("j1"), approve("j1"))
    lines = [{"line": number, "amount_minor": 100} for number in (1, 2)]
    await books.take(*(reversal(f"r{number}", J1, lines=lines) for number in range(CROWD)))
    await books.settle_parked(admin)
    async with feeds(database.app_url, CROWD, LEDGER) as crowd:
        for feed in crowd:
            feed.partition += 1
        await asyncio.gather(
            *(feed.take(approve(f"r{number}", reverses=FIRST)) for number, feed in enumerate(crowd))
        )
    found = [reason for event, reason in (await reasons(admin)).items() if event.endswith("-approved")]
    assert found.count(None) == 1 + 10
    assert found.count("already_reversed") == CROWD - 10
    assert set((await balances(admin)).values()) == {0}
    assert await broken_laws(admin) == []


async def test_a_repeated_command_is_answered_where_its_object_s_events_go(
    books: Feed, admin: Connection
) -> None:
    first = [journal("j1"), opened(), held("h1", 10), command("p1", "period_close_requested", PERIOD)]
    again = [
        journal("j1-again", journal_id="j1", idempotency_key="j1"),
        opened("open-again", idempotency_key="open"),
        held("h1", 10).replace(b'"id":"h1"', b'"id":"h1-again"'),
        command("p1-again", "period_close_requested", PERIOD | {"idempotency_key": "p1"}),
    ]
    await books.take(*first)
    await books.settle_parked(admin)
    await books.take(*again)
    assert {(await outcomes(admin))[name] for name in ("j1-again", "open-again", "h1-again", "p1-again")} == {
        "duplicate"
    }
    told = [m for m in await published(admin) if m["type"].endswith(".command_repeated.v1")]
    assert {m["causation"]: (m["topic"], m["type"].split(".")[0], m["key"]) for m in told} == {
        "j1-again": ("account.events", "journal", f"acme:{J1}"),
        "open-again": ("account.events", "wallet", f"acme:{WALLET}"),
        "h1-again": ("account.events", "wallet", f"acme:{WALLET}"),
        "p1-again": ("period.events", "period", f"acme:{period_id_of(TENANT, '2026-10')}"),
    }
    assert {
        m["causation"]: (m["data"]["object_id"], m["data"]["outcome"], m["data"]["reason"]) for m in told
    } == {
        "j1-again": ("j1", "applied", None),
        "open-again": (WALLET, "applied", None),
        "h1-again": (WALLET, "rejected", "limit_reached"),
        "p1-again": ("periods", "applied", None),
    }
    for one in told:
        promised_and_published(one["type"], LedgerCommandRepeated(**one["data"]))
    assert await broken_laws(admin) == []


STATEMENT = {"statement_line": "2026-11-20/17", "ticket": "FIN-7"}


async def test_external_references_stay_with_the_entries_of_journals_and_wallets(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(
        opened(), journal("j1", references=STATEMENT), approve("j1"), journal("j2"), approve("j2")
    )
    await books.take(
        credited("c1", 100, references={"statement_line": "2026-11-20/18"}),
        held("h1", 60),
        hold_posted("p1", "h1", references={"order": "o7"}),
        reversal("r1", J1, references={"ticket": "FIN-8"}),
        approve("r1", reverses=FIRST),
    )
    rows = await admin.fetch(
        "SELECT e.rule, r.name, r.value FROM entry_references AS r JOIN entries AS e USING (tenant, entry_id)"
        " ORDER BY e.entry_id, r.name"
    )
    assert [tuple(row) for row in rows] == [
        ("manual_journal", "statement_line", "2026-11-20/17"),
        ("manual_journal", "ticket", "FIN-7"),
        ("wallet_credited_bank_transfer", "statement_line", "2026-11-20/18"),
        ("wallet_spent_purchase", "order", "o7"),
        ("entry_reversal", "ticket", "FIN-8"),
    ]
    told = [m["data"] for m in await published(admin, "ledger.entries")]
    assert [one["references"] for one in told] == [
        STATEMENT,
        None,
        {"statement_line": "2026-11-20/18"},
        {"order": "o7"},
        {"ticket": "FIN-8"},
    ]
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok
    with pytest.raises(asyncpg.CheckViolationError, match="from the transaction that wrote it"):
        await admin.execute(
            "SET session_replication_role = replica;"
            "INSERT INTO entry_references SELECT tenant, entry_id, 'late', 'x' FROM entries LIMIT 1"
        )
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await admin.execute("UPDATE entry_references SET value = 'x'")
