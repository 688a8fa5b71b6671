"""Journals, reversals, conversions, wallets and holds on the real database."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from handlers.journals.model import journal_uuid_of
from handlers.payments.model import payment_id_of
from handlers.periods.model import period_id_of
from handlers.wallets.model import hold_uuid_of
from ops.rebuild.replay import replay
from schemas.repeated import LedgerCommandRepeated
from tests.books import (
    LATER,
    LEDGER,
    PROPOSER,
    WALLET,
    approve,
    command,
    conversion,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    journal,
    leg,
    limited,
    opened,
    pair,
    part,
    refuse,
    reversal,
    spent,
    wallet,
)
from tests.contract.test_events import promised_and_published
from tests.engines import Feed, broken_laws, content, feeds, outcomes, published, reasons
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database

CROWD = 50
TIMERS = "timer.events"
PERIOD = {"period": "2026-10", "note": "the month's end"}
J1 = str(journal_uuid_of(TENANT, "j1"))
FIRST = {"object_id": J1, "number": 1}


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Feed]:
    """The engine of `ledger.commands`."""
    async with feeds(database.app_url, 1, LEDGER) as (only,):
        yield only


async def balances(admin: Connection) -> dict[str, int]:
    """What each account holds, by code, owner and currency."""
    rows = await admin.fetch("SELECT code, owner, currency, balance_minor FROM account_balances")
    return {f"{row['code']}/{row['owner']}/{row['currency']}": row["balance_minor"] for row in rows}


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


async def test_fifty_clients_at_once_cannot_spend_more_than_there_is(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    await books.take(limited("l1", 1, 300), credited("c1", 700))
    async with feeds(database.app_url, CROWD, LEDGER) as crowd:
        for feed in crowd:
            feed.partition += 1
        await asyncio.gather(
            *(
                feed.take(spent(f"s{number}", 100) if number % 2 else held(f"h{number}", 100))
                for number, feed in enumerate(crowd)
            )
        )
    found = [reason for event, reason in (await reasons(admin)).items() if event[0] in "sh"]
    assert found.count(None) == 10
    assert found.count("limit_reached") == CROWD - 10
    assert await broken_laws(admin) == []


async def test_two_engines_and_fifty_clients_keep_a_limit_exactly(
    database: Database, books: Feed, admin: Connection
) -> None:
    """Each client credits, spends, holds, posts and voids; the engines take their messages in batches of any size."""
    await books.take(opened())
    await books.take(credited("c1", 1_000))
    dice = Random(5)  # noqa: S311 - any order will do
    streams: list[list[bytes]] = [[], []]
    for client in range(CROWD):
        own = [
            held(f"{client}-h", 40),
            spent(f"{client}-s", 30),
            hold_posted(f"{client}-p", f"{client}-h", 15, final=dice.random() < 0.5),
            hold_voided(f"{client}-v", f"{client}-h"),
            credited(f"{client}-c", 5),
            spent(f"{client}-t", 25),
        ]
        streams[client % 2] += own
    async with feeds(database.app_url, 2, LEDGER) as engines:

        async def run(feed: Feed, bodies: list[bytes]) -> None:
            feed.partition += 1
            while bodies:
                size = dice.randint(1, 12)
                await feed.take(*bodies[:size])
                del bodies[:size]

        await asyncio.gather(*map(run, engines, streams))
        for feed in engines:
            await feed.settle_parked(admin)
        assert sum(feed.watcher.retries["halved"] for feed in engines) == 0
    spent_minor = await admin.fetchval(
        "SELECT sum(l.amount_minor) FROM lines AS l JOIN entries AS e USING (entry_id)"
        " WHERE e.rule = 'wallet_spent_purchase' AND l.direction = 1"
    )
    left = (await balances(admin))["prepaid_balance/cus_7/EUR"]
    assert left + spent_minor == 1_000 + 5 * CROWD
    kept = await admin.fetchval("SELECT sum(held_minor) FROM wallet_buckets")
    assert left - kept >= 0
    assert await admin.fetchval("SELECT count(*) FROM parked") == 0
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


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


async def test_the_database_itself_keeps_a_limit_whatever_rule_posts(books: Feed, admin: Connection) -> None:
    await books.take(opened())
    await books.take(credited("c1", 500), spent("s1", 400))
    credit_id = await admin.fetchval("SELECT object_id FROM entries WHERE rule LIKE 'wallet_credited%'")
    entry = {"object_id": credit_id, "number": 1}
    await books.take(reversal("r1", credit_id), approve("r1", reverses=entry))
    assert (await reasons(admin))["r1-approved"] == "limit_reached"
    assert (await balances(admin))["prepaid_balance/cus_7/EUR"] == 100
    assert await broken_laws(admin) == []


async def test_a_superuser_s_balanced_pair_cannot_overdraw_a_wallet(books: Feed, admin: Connection) -> None:
    await books.take(opened())
    await books.take(credited("c1", 500))
    ids = {
        row["code"]: row["account_id"] for row in await admin.fetch("SELECT code, account_id FROM accounts")
    }

    async def forge(minor: int) -> None:
        async with admin.transaction():
            await admin.execute("SET LOCAL session_replication_role = replica")
            number = await admin.fetchval("SELECT nextval('entry_id_seq')")
            await admin.execute(
                "INSERT INTO entries VALUES ($1, $2, 'forged', 'x', 'x', 'x', 'x', 2, now(), now())",
                TENANT,
                number,
            )
            await admin.executemany(
                "INSERT INTO lines SELECT $1, $2, n, a, d, $3, 'EUR'"
                " FROM unnest($4::bigint[]) WITH ORDINALITY AS k (a, n)"
                " CROSS JOIN LATERAL (SELECT CASE n WHEN 1 THEN 1 ELSE -1 END) AS s (d)",
                [(TENANT, number, minor, [ids["prepaid_balance"], ids["bank_clearing"]])],
            )
            await admin.execute(
                "UPDATE balances SET debit_minor = debit_minor + $1 WHERE account_id = $2",
                minor,
                ids["prepaid_balance"],
            )

    with pytest.raises(asyncpg.CheckViolationError, match="may be overdrawn by 0"):
        await forge(501)
    await forge(500)


async def test_an_account_joins_a_wallet_exactly_while_others_post_to_it(
    database: Database, admin: Connection
) -> None:
    """Sales credit the merchant and withdrawals debit it, while its wallet is being opened."""
    mine = {"family": "merchant", "owner_id": "m1"}
    async with feeds(database.app_url, 1) as (shop,), feeds(database.app_url, 2, LEDGER) as (one, two):
        two.partition = 1
        await shop.take(fees(), *(sale(f"s{number}", f"o{number}") for number in range(20)))
        out = [
            wallet(f"w{number}", "wallet_spent", way="withdrawal", payee="main", amount_minor=1919, **mine)
            for number in range(60)
        ]
        await asyncio.gather(
            shop.take_each(*(sale(f"t{number}", f"p{number}") for number in range(20))),
            one.take_each(opened(**mine)),
            two.take_each(*out),
        )
        await one.settle_parked(admin)
        await two.settle_parked(admin)
    paid = [reason for event, reason in (await reasons(admin)).items() if event[0] == "w"].count(None)
    assert paid <= 40
    assert (await balances(admin))["merchant_payable/m1/EUR"] == 1919 * (40 - paid)
    assert await broken_laws(admin) == []


async def test_time_ends_holds_promotions_and_proposals(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    await books.take(granted("g1", 500), held("h1", 200), journal("j1"))
    hold_id = str(hold_uuid_of(TENANT, WALLET, "h1"))
    rows = await admin.fetch("SELECT kind, object_id::text, order_id, due_at FROM timers ORDER BY kind")
    assert [row["kind"] for row in rows] == ["hold_expiry", "journal_expiry", "promotion_expiry"]
    assert rows[0]["object_id"] == hold_id
    await admin.execute("INSERT INTO clocks VALUES ($1, $2)", TENANT, max(row["due_at"] for row in rows))
    async with feeds(database.app_url, 1, TIMERS) as (timers,):
        fired = [
            due(row["kind"], row["object_id"], row["order_id"], row["due_at"].isoformat()) for row in rows
        ]
        await timers.take(*reversed(fired))
        await timers.again()
    assert await admin.fetchval("SELECT state FROM holds") == "expired"
    assert await admin.fetchval("SELECT state FROM journals") == "lapsed"
    assert (await balances(admin))["promotional_credit/cus_7/g1/EUR"] == 0
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


async def test_a_life_in_one_batch_or_many_with_redeliveries_ends_alike(
    database: Database, admin: Connection
) -> None:
    bodies = [
        opened(),
        credited("c1", 1_000),
        limited("l1", 1, 50),
        granted("g1", 100),
        held("h1", 300),
        hold_posted("p1", "h1", 120, final=False),
        spent("s1", 500),
        hold_voided("v1", "h1"),
        spent("s2", 10_000),
        journal("j1"),
        approve("j1"),
        conversion("x1", bought_minor=9_235),
        approve("x1"),
        refuse("x1"),
        command("k1", "journal_refused", {"journal_id": "x1", "note": "late"}),
    ]
    async with feeds(database.app_url, 1, LEDGER) as (feed,):
        await feed.take_each(*bodies)
        await feed.settle_parked(admin)
        before = await content(admin)
        await feed.again()
        await feed.again(reversed(feed.log))
    assert await content(admin) == before
    assert await broken_laws(admin) == []
    assert await admin.fetchval("SELECT count(*) FROM parked") == 0
    told = [reason for reason in (await reasons(admin)).values() if reason]
    assert sorted(told) == ["limit_reached", "state_forbids", "state_forbids"]
    assert (await replay(database.app_url, database.admin_url)).ok


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE journal_lines SET amount_minor = 1",
        "DELETE FROM entry_links",
        "UPDATE wallet_limits SET overdraft_minor = 10",
        "DELETE FROM wallet_buckets",
        "UPDATE entry_reversals SET reversed_minor = '{}'",
        "UPDATE entry_reversals SET reversed_minor = '{\"1\": 1001}'",
    ],
)
async def test_history_of_accounts_is_not_rewritten(books: Feed, admin: Connection, deed: str) -> None:
    await books.take(opened(), journal("j1"), approve("j1"), limited("l1", 1, 5))
    await books.settle_parked(admin)
    await books.take(reversal("r1", J1), approve("r1", reverses=FIRST))
    await books.settle_parked(admin)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await admin.execute(deed)


# fmt: off
TAMPERED = [
    ("UPDATE wallet_buckets SET held_minor = 0", "What a wallet keeps is the sum of its holds"),
    ("UPDATE holds SET posted_minor = 1, state = 'partly_posted'", "What is posted of a hold is in the books"),
    ("UPDATE journals SET state = 'refused'", "What is posted by hand is what was approved"),
    ("UPDATE wallet_buckets SET overdraft_minor = 9", "No account of a wallet is below its limit"),
    ("UPDATE holds SET version = 7", "Every journal and hold stands where its history leads"),
]
# fmt: on


@pytest.mark.parametrize(("deed", "law"), TAMPERED)
async def test_check_names_what_was_changed(books: Feed, admin: Connection, deed: str, law: str) -> None:
    await books.take(opened())
    await books.take(credited("c1", 100), held("h1", 60, LATER), journal("j1"), approve("j1"))
    assert await broken_laws(admin) == []
    await admin.execute(deed)
    assert any(law in told for told in await broken_laws(admin))
