"""Nothing that somebody asks or sends breaks an explanation, makes it endless, or shows another tenant's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest

from db.connection import connect
from handlers.payments.model import payment_id_of
from ops.inspect import explain
from ops.inspect.explain import explain_entry, explain_event, explain_journal, explain_payment, explain_refund
from tests.books import LEDGER, approve, credited, held, journal, opened, spent
from tests.consumers.test_refunds import policy, refund
from tests.db.test_tenants import fill, logged_in
from tests.engines import feeds
from tests.ops.busy import marketplace
from tests.ops.inspect.trees import texts, walk
from tests.shop import TENANT, capture, event, fees, request, sale

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.inspect.node import Node
    from tests.conftest import Connection, Database
    from tests.ops.inspect.conftest import Commands, PointedAt

HOSTILE = [
    "",
    "'; DROP TABLE entries; --",
    "%",
    "\u202etxt.exe",
    "\x1b[2J",
    "../../etc/passwd",
    "x" * 5_000,
    "{00000000-0000-0000-0000-000000000000}",
    "00000000-0000-0000-0000-000000000000",
    "99999999999999999999999999",
    "[bold]x[/]",
    "\udce4",
]
KINDS = ("payment", "refund", "dispute", "journal", "hold", "period", "event", "balance")


@pytest.mark.parametrize("kind", KINDS)
async def test_names_that_are_none_are_refused_in_a_line(cli: Commands, kind: str) -> None:
    for name in HOSTILE:
        result = await cli.run("explain", kind, "--", name, code=1)
        assert result.stderr.startswith("counterfoil: ")
        assert "Traceback" not in result.stderr


async def test_numbers_that_are_none_are_refused(cli: Commands) -> None:
    for number, code in (
        ("0", 1),
        ("-1", 2),
        ("9223372036854775807", 1),
        ("9223372036854775808", 2),
        ("x", 2),
    ):
        await cli.run("explain", "entry", "--", number, code=code)
    await cli.run("explain", "wallet", "nobody", "EUR", code=1)
    await cli.run("explain", "total", "everything", code=2)
    await cli.run("explain", "balance", "merchant_payable", "--as-of", "9999-12-31T23:59:59.999999Z", code=1)


# What a message in an internal topic may claim; none of it is there, or is its own.
CLAIMS: list[Any] = [None, 17, [], {}, "x", str(uuid4()), "\u0000", {"call_id": {}}]


@pytest.mark.parametrize("topic", ["provider.results", "webhook.events", "timer.events"])
async def test_a_body_that_points_to_nothing_is_told_as_it_came(
    database: Database, admin: Connection, topic: str
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    member = {"provider.results": "call_id", "webhook.events": "webhook_id", "timer.events": "timer_id"}[
        topic
    ]
    bodies = [b"", b"null", b"[]", b"\xff\xfe", b'{"data":[]}', b"[" * 100_000, b'{"data":' * 5_000]
    bodies += [orjson.dumps({"data": {member: claim}}) for claim in CLAIMS]
    await admin.execute("ALTER TABLE inbox DISABLE TRIGGER ALL")
    for body in bodies:
        await admin.execute("UPDATE inbox SET topic = $1, body = $2 WHERE event_id = 's1'", topic, body)
        (node,) = await explain_entry(admin, await admin.fetchval("SELECT max(entry_id) FROM entries"))
        (shown,) = (found for found in walk(node) if found.kind == "body")
        kept = shown.facts.get("body")
        assert kept is None or kept.encode() == body
        node.as_tree()


async def test_a_message_that_names_another_tenants_call_shows_nothing_of_it(
    database: Database, admin: Connection
) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), request("k1", "o1", data={"metadata": {"secret": "of-acme"}}))
        await market.receive(fees(tenant="zeta"), sale("s1", "o9", tenant="zeta"))
    call_id = await admin.fetchval("SELECT call_id FROM provider_calls")
    body = orjson.dumps({"data": {"call_id": str(call_id)}})
    await admin.execute("ALTER TABLE inbox DISABLE TRIGGER ALL")
    await admin.execute(
        "UPDATE inbox SET topic = 'provider.results', body = $1 WHERE event_id = 's1' AND tenant = 'zeta'",
        body,
    )
    (node,) = await explain_event(admin, "s1")
    told = orjson.dumps(node.as_json(), default=str).decode()
    assert "of-acme" not in told
    assert f"call {call_id}: NOT there" in told


ASKED: list[tuple[str, Callable[[Connection, str | None], Awaitable[list[Node]]]]] = [
    ("payment", lambda c, t: explain.explain_payment(c, "o1", t)),
    ("payment id", lambda c, t: explain.explain_payment(c, str(payment_id_of("zeta", "o1")), t)),
    ("event", lambda c, t: explain.explain_event(c, "s", t)),
    ("balance", lambda c, t: explain.explain_balance(c, "merchant_payable", tenant=t)),
    ("total", lambda c, t: explain.explain_total(c, explain.Total.ASSETS, tenant=t)),
    ("period", lambda c, t: explain.explain_period(c, "2026-10", t)),
]


@pytest.mark.parametrize(("what", "ask"), ASKED)
async def test_a_tenants_reader_is_told_its_own_and_nothing_of_another_s(
    database: Database,
    admin: Connection,
    what: str,
    ask: Callable[[Connection, str | None], Awaitable[list[Node]]],
) -> None:
    await fill(database, admin)
    entry_ids = await admin.fetch("SELECT entry_id FROM entries WHERE tenant = 'zeta'")
    async with logged_in(database, admin, "reader_of_acme", "acme") as acme:
        nodes = await ask(acme, None)
        assert await ask(acme, "zeta") == []
        assert (nodes == []) == (what == "payment id")
        for row in entry_ids:
            assert await explain_entry(acme, row["entry_id"]) == []
        told = orjson.dumps([node.as_json() for node in nodes], default=str).decode()
    assert "zeta" not in told
    if what in {"payment", "event"}:
        assert "what was published is not for this role to see" in told


async def test_asking_for_one_tenant_shows_no_other(database: Database, admin: Connection) -> None:
    await fill(database, admin)
    for _, ask in ASKED:
        told = orjson.dumps([node.as_json() for node in await ask(admin, "acme")], default=str).decode()
        assert "zeta" not in told


async def test_an_order_with_thousands_of_captures_is_told_in_bounds(
    database: Database, admin: Connection
) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), request("k", "o1", minor=100_000, capture="manual"))
        await market.settle()
        for start in range(0, 240, 40):
            for number in range(start, start + 40):
                await market.receive(capture(f"c{number}", "o1", 10, final=False))
                await market.answer_calls()
            await market.settle()
    assert await admin.fetchval("SELECT count(*) FROM entries") >= 240
    (node,) = await explain_payment(admin, "o1")
    assert len(texts(node, "message")) == 50
    assert any("earlier; see them with --last" in text for text in texts(node, "rest"))
    assert texts(node, "missing") == []
    (whole,) = await explain_payment(admin, "o1", last=5_000)
    assert len(texts(whole, "message")) == 1 + 1 + 2 * 240
    entry_id = await admin.fetchval("SELECT max(entry_id) FROM entries")
    (entry,) = await explain_entry(admin, entry_id)
    assert len(list(walk(entry))) < 400
    fifth = await admin.fetchrow("SELECT * FROM entries ORDER BY entry_id OFFSET 4 LIMIT 1")
    assert fifth is not None
    (early,) = await explain_entry(admin, fifth["entry_id"])
    led = [found.facts["received_at"] for found in walk(early) if found.kind == "message"]
    assert len(led) > 5
    assert max(led) <= fifth["posted_at"], "what came later did not lead to it"


async def test_many_refunds_of_one_order_are_told_in_bounds(database: Database, admin: Connection) -> None:
    async with marketplace(database) as market:
        await market.receive(fees(), policy(), request("k", "o1", minor=100_000))
        await market.settle()
        await market.receive(*(refund(f"r{number}", "o1", 10) for number in range(200)))
        await market.settle()
        await market.settle()
    (node,) = await explain_payment(admin, "o1")
    assert len(texts(node, "refund")) == 50
    assert "and 150 earlier refunds and disputes; see them with --last" in texts(node, "rest")
    (one,) = await explain_refund(admin, "r7", TENANT)
    assert {found.facts.get("event_id") for found in walk(one) if found.kind == "message"} >= {"r7"}


async def test_explanations_ask_as_often_for_many_entries_as_for_few(
    database: Database, admin: Connection
) -> None:
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(opened())
        await books.take(credited("c", 100_000), *(spent(f"s{number}", 10) for number in range(100)))
        await books.take(*(held(f"h{number}", 10) for number in range(100)))
    asked: list[str] = []
    admin.add_query_logger(lambda query: asked.append(query.query))
    counts = []
    for last in (1, 1, 100):  # the first time, asyncpg asks about types
        asked.clear()
        (balance,) = await explain.explain_balance(
            admin, "prepaid_balance", shown=explain.Shown(last=last, accounts=100)
        )
        (wallet,) = await explain.explain_wallet(admin, "cus_7", "EUR", last=last)
        counts.append(len(asked))
        assert len([found for found in walk(balance) if found.kind == "entry"]) == last
        assert len(texts(wallet, "hold")) == last
    assert counts[1] == counts[2]


async def test_words_of_senders_cannot_steer_the_terminal(database: Database, pointed_at: PointedAt) -> None:
    evil = "\x1b[2J\u202e[red]\u2028x"
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(journal("j1", reason=evil.replace("\x1b", "")), approve("j1", note="[link=x]y"))
    cli = pointed_at(database)
    shown = await cli.out("explain", "journal", "j1")
    assert "\u202e" not in shown
    assert "\\u202e[red]\\u2028x" in shown
    (told,) = await cli.json("explain", "journal", "j1")
    assert "\u202e[red]\u2028x" in told["facts"]["note"]


async def test_a_body_of_a_megabyte_is_cut_in_the_tree_and_whole_for_programs(
    database: Database, pointed_at: PointedAt
) -> None:
    legs = [
        {"side": side, "account": "suspense", "owner": f"o{number}", "amount_minor": 1, "currency": "EUR"}
        for number in range(1_400)
        for side in ("debit", "credit")
    ]
    body = journal("j1", legs)
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(body)
    cli = pointed_at(database)
    shown = await cli.out("explain", "event", "j1")
    assert f"... and {len(body) - 4_000:,} more characters, which --json shows" in shown
    (told,) = await cli.json("explain", "event", "j1")
    assert told["children"][0]["facts"]["body"] == body.decode()


async def test_two_messages_that_set_each_other_s_timers_do_not_go_round_for_ever(
    database: Database, admin: Connection
) -> None:
    """Only a forger can do that, and still the tree ends."""
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(journal("j1"), approve("j1"))
    timer_id = await admin.fetchval("SELECT timer_id FROM timers")
    await admin.execute("ALTER TABLE inbox DISABLE TRIGGER ALL")
    body = event("j1-approved", "timer.due", {"timer_id": str(timer_id)})
    await admin.execute("UPDATE inbox SET topic = 'timer.events', body = $1", body)
    await admin.execute("UPDATE timers SET causation = 'j1-approved'")
    (node,) = await explain_journal(admin, "j1")
    assert texts(node, "named") != []
    node.as_tree()


async def test_a_database_without_its_tables_says_what_to_do(busy: Database, pointed_at: PointedAt) -> None:
    admin = await connect(busy.admin_url, application="test")
    await admin.execute("CREATE DATABASE without_tables")
    await admin.close()
    bare = type(busy)(
        "without_tables",
        *(url.replace(busy.name, "without_tables") for url in (busy.app_url, busy.admin_url, busy.read_url)),
    )
    result = await pointed_at(bare).run("explain", "entry", "1", code=2)
    assert "run `counterfoil migrate` first" in result.stderr
