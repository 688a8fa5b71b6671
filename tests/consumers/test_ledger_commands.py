"""Wallets, holds and limits on the real database, and what protects and checks all that is asked of the books."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from handlers.journals.model import journal_uuid_of
from handlers.wallets.model import hold_uuid_of
from ops.rebuild.replay import replay
from tests.books import (
    LATER,
    LEDGER,
    WALLET,
    approve,
    balances,
    command,
    conversion,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    refuse,
    reversal,
    spent,
    wallet,
)
from tests.engines import Feed, broken_laws, content, feeds, reasons
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

CROWD = 50
TIMERS = "timer.events"
J1 = str(journal_uuid_of(TENANT, "j1"))
FIRST = {"object_id": J1, "number": 1}


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
    ("UPDATE holds SET version = 7", "Everything stands where its history leads"),
]
# fmt: on


@pytest.mark.parametrize(("deed", "law"), TAMPERED)
async def test_check_names_what_was_changed(books: Feed, admin: Connection, deed: str, law: str) -> None:
    await books.take(opened())
    await books.take(credited("c1", 100), held("h1", 60, LATER), journal("j1"), approve("j1"))
    assert await broken_laws(admin) == []
    await admin.execute(deed)
    assert any(law in told for told in await broken_laws(admin))
