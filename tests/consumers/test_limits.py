"""One limited account, and everything that may take from it at once: on the real database, exactly to its limit."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final

from ops.rebuild.replay import replay
from tests.books import (
    LEDGER,
    approve,
    conversion,
    credited,
    held,
    hold_posted,
    journal,
    leg,
    limited,
    opened,
    reversal,
    wallet,
)
from tests.consumers.test_disputes import Desk, as_answered, desks, report
from tests.engines import Feed, broken_laws, feeds, outcomes, published, reasons
from tests.shop import event, fees, sale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Connection, Database

NET: Final = 1919
"""What a sale of 19.99 leaves the merchant, and its refund takes from them."""
ROUNDS: Final = 200
ROOM: Final = 50
"""How many of the rounds there is money for."""
MINE: Final = {"family": "merchant", "owner_id": "m1"}


def policy() -> bytes:
    """Finance may refund anything."""
    limits = [{"role": "finance", "currency": "EUR", "at_most_minor": 10**9, "with_approval_of": None}]
    data = {"version": 1, "effective_from": "2020-01-01T00:00:00Z", "limits": limits}
    return event("policy", "checkout.refund_policy_set", data)


def refund(event_id: str, order: str) -> bytes:
    """All of a sale goes back."""
    data = {
        "idempotency_key": event_id,
        "order_id": order,
        "refund_id": event_id,
        "cause": "requested_by_customer",
        "actor": {"id": "ada", "role": "finance"},
    }
    return event(event_id, "checkout.refund_requested", data)


def withdrawn(event_id: str, minor: int = NET) -> bytes:
    """The merchant takes money out."""
    return wallet(event_id, "wallet_spent", way="withdrawal", payee="main", amount_minor=minor, **MINE)


def by_hand(event_id: str, minor: int = NET) -> bytes:
    """A journal that takes from the merchant."""
    legs = [leg("debit", "merchant_payable", minor, "m1"), leg("credit", "bank_clearing", minor)]
    return journal(event_id, legs)


def sold(event_id: str) -> bytes:
    """The merchant's euros become dollars."""
    return conversion(
        event_id,
        sold={"amount_minor": NET, "currency": "EUR"},
        sold_from={"account": "merchant_payable", "owner": "m1"},
        currency="USD",
        bought_into={"account": "merchant_payable", "owner": "m1"},
    )


async def owed(admin: Connection, code: str = "merchant_payable", currency: str = "EUR") -> int:
    """What the merchant's account holds."""
    minor = await admin.fetchval(
        "SELECT balance_minor FROM account_balances WHERE code = $1 AND owner = 'm1' AND currency = $2",
        code,
        currency,
    )
    return int(minor or 0)


async def in_batches(feed: Feed, bodies: Sequence[bytes], dice: Random) -> None:
    """Of any size; the connection may be lost before any of them, and the last batch comes again now and then."""
    left = list(bodies)
    while left:
        size = dice.randint(1, 9)
        connection = feed.engine._connection  # noqa: SLF001 - what a network does
        if connection is not None and feed.log and dice.random() < 0.1:
            connection.terminate()
            await feed.again(feed.log[-size:])
        await feed.take(*left[:size])
        del left[:size]


async def test_refunds_journals_conversions_withdrawals_and_holds_end_exactly_at_the_limit(
    database: Database, admin: Connection
) -> None:
    """Two engines of each topic, 200 rounds that take alike, in batches of any size; there is money for 50."""
    dice = Random(11)  # noqa: S311 - any order will do
    async with feeds(database.app_url, 2) as shops, feeds(database.app_url, 2, LEDGER) as books:
        setup, feed = books[0], shops[0]
        await feed.take(fees(), policy(), *(sale(f"s{number}", f"o{number}") for number in range(ROOM)))
        await setup.take(opened(**MINE))
        await setup.take(limited("l1", 1, 10 * NET, account="merchant_payable", **MINE))
        await setup.take(withdrawn("w-before", 10 * NET))
        each = ROUNDS // 5
        numbers = range(each)
        await setup.take(*(by_hand(f"j{number}") for number in numbers), *(sold(f"x{n}") for n in numbers))
        refunds = [refund(f"r{number}", f"o{number}") for number in numbers]
        asked = [approve(f"{kind}{number}") for kind in "jx" for number in numbers]
        asked += [withdrawn(f"w{number}") for number in numbers]
        asked += [held(f"h{number}", NET, **MINE) for number in numbers]
        dice.shuffle(asked)
        assert len(refunds) + len(asked) == ROUNDS
        for one in (shops[1], books[1]):
            one.partition = 1
        await asyncio.gather(
            in_batches(shops[0], refunds[::2], dice),
            in_batches(shops[1], refunds[1::2], dice),
            in_batches(books[0], asked[::2], dice),
            in_batches(books[1], asked[1::2], dice),
        )
        for one in (*shops, *books):
            assert one.watcher.retries["halved"] == 0
            await one.again()
    told = await reasons(admin)
    rounds = [
        reason
        for name, reason in told.items()
        if (name[0] in "rwh" and name[1:].isdigit()) or name.endswith("-approved")
    ]
    assert rounds.count(None) == ROOM
    assert rounds.count("limit_reached") == ROUNDS - ROOM
    kept = await admin.fetchval("SELECT sum(held_minor) FROM wallet_buckets")
    assert await owed(admin) - kept == -10 * NET, "to the last cent of the overdraft"
    assert await owed(admin, "limit_shortfall") == 0, "whoever asks is refused, and owes nothing"
    assert set((await outcomes(admin)).values()) == {"applied", "rejected"}
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


async def test_fifty_clients_and_a_limit_that_moves_leave_it_kept_and_everything_answered(
    database: Database, admin: Connection
) -> None:
    """Sales bring money while fifty clients take it in every way, hold it, post and void what they hold."""
    dice = Random(3)  # noqa: S311
    bodies = 4
    async with feeds(database.app_url, 2) as shops, feeds(database.app_url, 2, LEDGER) as books:
        await shops[0].take(fees(), policy(), *(sale(f"s{number}", f"o{number}") for number in range(10)))
        await books[0].take(opened(**MINE), *(by_hand(f"j{n}", dice.randint(1, 3000)) for n in range(50)))
        streams: list[list[bytes]] = [[], []]
        for client in range(50):
            streams[client % 2] += [
                held(f"h{client}", dice.randint(1, 3000), **MINE),
                approve(f"j{client}"),
                hold_posted(
                    f"p{client}",
                    f"h{client}",
                    1,
                    final=client % 3 == 0,
                    way="withdrawal",
                    payee="main",
                    **MINE,
                ),
                wallet(f"v{client}", "hold_voided", hold_id=f"h{client}", **MINE),
            ]
        moving = [
            limited(f"l{n}", n, dice.choice([0, 500, 5000]), account="merchant_payable", **MINE)
            for n in range(1, 30)
        ]
        for place, limit in enumerate(moving):
            streams[0].insert(place * 3, limit)
        for one in (shops[1], books[1]):
            one.partition = 1
        taken = [refund(f"r{number}", f"o{number}") for number in range(10)]
        brought = [sale(f"t{number}", f"p{number}") for number in range(30)]
        await asyncio.gather(
            in_batches(shops[0], brought, dice),
            in_batches(shops[1], taken, dice),
            in_batches(books[0], streams[0], dice),
            in_batches(books[1], streams[1], dice),
        )
        for feed in books:
            await feed.settle_parked(admin)
    assert len(await outcomes(admin)) == 2 + 10 + 1 + 50 + 50 * bodies + 29 + 10 + 30
    assert set((await outcomes(admin)).values()) == {"applied", "rejected"}
    assert "limit_reached" in (await reasons(admin)).values()
    assert await broken_laws(admin) == []


async def test_one_refused_refund_harms_no_other_message_of_its_batch(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,), feeds(database.app_url, 1, LEDGER) as (books,):
        await shop.take(fees(), policy(), sale("s1", "o1"), sale("s2", "o2"), fees("fees2", "m2"))
        await books.take(opened(**MINE))
        await books.take(withdrawn("w1", 2 * NET - 1))
        batch = (sale("s3", "o3", merchant="m2"), refund("r1", "o1"), sale("s4", "o4"), refund("r2", "o2"))
        await shop.take(*batch)
        assert shop.watcher.retries == {"wallets": 1}
        before = await published(admin)
        await shop.again()
        assert await published(admin) == before
        told = [m["data"] for m in before if m["topic"] == "rejections"]
    assert await reasons(admin) == {
        **dict.fromkeys(["fees", "fees2", "policy", "s1", "s2", "open", "w1", "s3", "s4"]),
        "r1": "limit_reached",
        "r2": None,  # the sale before it in the batch has brought enough
    }
    assert [(m["event_id"], m["reason"], m["fault"]) for m in told] == [("r1", "limit_reached", "customer")]
    assert told[0]["detail"] == (
        f"{NET} is above what account merchant_payable of m1 in EUR has available, 1: "
        "1 posted, 0 held, overdraft limit 0"
    )
    assert await owed(admin) == 1
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


async def test_a_refused_command_repeated_gets_the_same_answer_and_a_new_one_another(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,), feeds(database.app_url, 1, LEDGER) as (books,):
        await shop.take(fees(), policy(), sale("s1", "o1"))
        await books.take(opened(**MINE), by_hand("j1", NET + 1))
        await books.take(approve("j1"))
        await shop.take(sale("s2", "o2"))
        await books.take(
            approve("j1", event_id="again", idempotency_key="j1-approved"), approve("j1", event_id="anew")
        )
    told = await reasons(admin)
    assert (told["j1-approved"], told["again"], told["anew"]) == ("limit_reached", None, None)
    assert (await outcomes(admin))["again"] == "duplicate"
    assert await owed(admin) == NET - 1
    assert await broken_laws(admin) == []


async def test_a_chargeback_is_no_request_what_it_takes_beyond_the_limit_is_owed(
    database: Database, admin: Connection
) -> None:
    async with desks(database.app_url) as desk, feeds(database.app_url, 1, LEDGER) as (books,):
        await desk.pay("o1")
        net = await owed(admin)
        await books.take(opened(**MINE))
        await books.take(withdrawn("w1", net - 100))
        await _lose(desk)
        assert await admin.fetchval("SELECT state FROM disputes") == "lost"
        assert await owed(admin) == 0
        short = await owed(admin, "limit_shortfall")
        assert short > 0
        # finance collects it: nobody but a journal settles what is owed
        legs = [leg("credit", "limit_shortfall", short, "m1"), leg("debit", "bank_clearing", short)]
        await books.take(journal("j1", legs), approve("j1"))
    assert await owed(admin, "limit_shortfall") == 0
    await as_answered(admin)
    assert await broken_laws(admin) == []
    assert (await replay(database.app_url, database.admin_url)).ok


async def _lose(desk: Desk) -> None:
    await desk.webhooks.take(report("needs_response", 0), report("lost", 2))


async def test_a_wallet_that_is_opened_by_the_very_batch_that_takes_from_it_keeps_its_limit(
    database: Database, admin: Connection
) -> None:
    """Its balances are read when others can no longer post unseen; until then the message waits."""
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(by_hand("j1", 500), by_hand("j2", 1))
        await books.take(opened(**MINE), approve("j1"), approve("j2"))
        assert (await reasons(admin))["j1-approved"] == "wallet_unknown"
        await books.settle_parked(admin)
    found = await reasons(admin)
    assert (found["open"], found["j1-approved"], found["j2-approved"]) == (None, *["limit_reached"] * 2)
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await broken_laws(admin) == []


async def test_a_grant_that_is_used_up_cannot_be_taken_back(database: Database, admin: Connection) -> None:
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(opened())
        await books.take(credited("c1", 100))
        await books.take(
            wallet(
                "g1", "promotion_granted", grant_id="g1", amount_minor=50, expires_at="2999-01-01T00:00:00Z"
            )
        )
        await books.take(wallet("s1", "wallet_spent", way="purchase", payee="m1", amount_minor=50))
        name = await admin.fetchval("SELECT object_id FROM entries WHERE rule = 'promotion_granted'")
        await books.take(reversal("r1", name))
        await books.take(approve("r1", reverses={"object_id": name, "number": 1}))
    assert (await reasons(admin))["r1-approved"] == "limit_reached"
    assert await broken_laws(admin) == []
