"""What people do to the books is explained to the last word: journals, conversions, wallets, holds, periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from handlers.journals.model import journal_uuid_of
from handlers.payments.model import payment_id_of
from handlers.wallets.model import hold_uuid_of
from ops.inspect.explain import (
    explain_entry,
    explain_event,
    explain_hold,
    explain_journal,
    explain_period,
    explain_wallet,
)
from ops.periods.closings import take_closings
from tests.books import (
    LEDGER,
    PROPOSER,
    WALLET,
    approve,
    command,
    conversion,
    credited,
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
)
from tests.engines import Feed, feeds
from tests.ops.inspect.trees import bodies, fired, texts, told_ids, walk
from tests.shop import TENANT, event, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.inspect.node import Node
    from tests.conftest import Connection, Database

OCTOBER = "2026-10-20T10:00:00Z"


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Feed]:
    """The engine of `ledger.commands`."""
    async with feeds(database.app_url, 1, LEDGER) as (only,):
        yield only


async def entry_of(admin: Connection, rule: str) -> Node:
    """The last entry by a rule, explained."""
    entry_id = await admin.fetchval("SELECT max(entry_id) FROM entries WHERE rule = $1", rule)
    (node,) = await explain_entry(admin, entry_id)
    return node


async def test_a_journal_tells_all_its_parts_who_proposed_and_who_approved(
    books: Feed, admin: Connection
) -> None:
    legs = [*pair(700), *pair(300)]
    proposed, second = journal("j1", legs[:2], parts=2), part("j1", 2, legs[2:])
    approval = approve("j1")
    await books.take(proposed, second, approve("j1", who=PROPOSER, event_id="own"), approval)
    (node,) = await explain_journal(admin, "j1")
    assert "manual journal j1" in node.text
    assert "posted" in node.text
    assert "proposed by ada (finance), approved by grace: to put it right" in node.text
    assert texts(node, "amounts")[0].startswith(
        "4 legs in 2 parts, 10.00 EUR on each side, effective 2026-11-20"
    )
    assert told_ids(node) == ["j1", "j1-part2", "own", "j1-approved"]
    assert bodies(node)[:2] == [proposed.decode(), second.decode()]
    assert "rejected (four_eyes" in texts(node, "message")[2]
    assert len(texts(node, "line")) == 4
    assert [text.split(" to ")[0] for text in texts(node, "published")][-1] == "ledger.entry_posted.v1"


async def test_a_journals_entry_leads_to_every_part_of_it(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1", pair(700), parts=2), part("j1", 2, pair(300)), approve("j1"))
    node = await entry_of(admin, "manual_journal")
    assert told_ids(node) == ["j1-approved", "j1", "j1-part2"]
    assert "approved by grace" in texts(node, "journal")[0]
    assert texts(node, "hint") == [f"counterfoil explain journal {journal_uuid_of(TENANT, 'j1')}"]
    assert texts(node, "missing") == []


async def test_a_crowd_of_refused_approvals_hides_no_part(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1", pair(700), parts=2), part("j1", 2, pair(300)))
    await books.take(*(approve("j1", who=PROPOSER, event_id=f"own-{number}") for number in range(80)))
    await books.take(approve("j1"))
    node = await entry_of(admin, "manual_journal")
    assert {"j1", "j1-part2", "j1-approved"} <= set(told_ids(node))
    (told,) = await explain_journal(admin, "j1")
    assert texts(told, "missing") == []
    assert len(told_ids(told)) < 60


async def test_an_entry_tells_what_it_is_called_elsewhere(books: Feed, admin: Connection) -> None:
    named = {"bank_line": "2026-11-20/17", "ticket": "T-9"}
    await books.take(journal("j1", references=named), approve("j1"))
    node = await entry_of(admin, "manual_journal")
    assert texts(node, "reference") == ["bank_line 2026-11-20/17", "ticket T-9"]


async def test_an_open_journal_says_for_whom_it_waits(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1"), journal("j2"), refuse("j2"))
    (waits,) = await explain_journal(admin, "j1")
    (refused,) = await explain_journal(admin, "j2")
    assert texts(waits, "wait")[0].startswith("waits for finance until ")
    assert "refused by grace" in refused.text
    assert texts(refused, "reason")[0].startswith("disapproved: ")


async def test_a_reversal_and_what_it_reverses_name_each_other_and_stand_in_one_group(
    database: Database, books: Feed, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    sale_id = str(payment_id_of(TENANT, "o1"))
    right = pair(1999, debit="terminal_receivable", credit="merchant_payable")
    await books.take(
        reversal("r1", sale_id, legs=right), approve("r1", reverses={"object_id": sale_id, "number": 1})
    )
    old, back, new = [
        await entry_of(admin, rule) for rule in ("terminal_sale", "entry_reversal", "entry_correction")
    ]
    first, second, third = (node.facts["entry_id"] for node in (old, back, new))
    assert texts(old, "link") == [f"reversed by entry {second}", f"replaced by entry {third}"]
    assert texts(old, "reversed") == [
        "taken back so far: 19.99 EUR of line 1, 19.19 EUR of line 2, 0.80 EUR of line 3"
    ]
    assert texts(back, "link") == [f"reverses entry {first}"]
    assert texts(new, "link") == [f"replaces entry {first}"]
    for node in (old, back, new):
        assert texts(node, "group") == [f"stands in one group with what began as entry {first}"]
        assert [text.split(":")[0] for text in texts(node, "member")] == [
            f"entry {first} original",
            f"entry {second} reverses {first}",
            f"entry {third} replaces {first}",
        ]
    (told,) = await explain_journal(admin, "r1")
    assert texts(told, "hint") == [f"that is entry {first}: counterfoil explain entry {first}"]
    assert told_ids(told) == ["r1", "r1-approved"]


async def test_a_conversion_tells_its_rate_its_source_and_the_rounding_difference(
    books: Feed, admin: Connection
) -> None:
    await books.take(conversion("x1", bought_minor=9_235), approve("x1"))
    node = await entry_of(admin, "currency_conversion")
    (terms,) = texts(node, "terms")
    assert terms == (
        "rate 0.9234 of ecb, 2026-11-20T15:00:00+00:00: exactly 9234.0000 minor units, 92.34 EUR rounded half_even; "
        "0.01 EUR more arrived: the rounding difference"
    )
    lines = [" ".join(text.split()) for text in texts(node, "line")]
    assert "credit 0.01 EUR rounding_difference of acme" in lines
    assert told_ids(node) == ["x1-approved", "x1"]


@pytest.mark.parametrize(
    ("currency", "bought"), [("JPY", "9,234 JPY"), ("KWD", "92.340 KWD"), ("CLF", "92.3400 CLF")]
)
async def test_a_conversion_is_told_with_the_decimals_of_its_currency(
    books: Feed, admin: Connection, currency: str, bought: str
) -> None:
    rate = "92.34" if currency == "JPY" else "0.9234"
    await books.take(conversion("x1", currency=currency, rate=rate), approve("x1"))
    (node,) = await explain_journal(admin, "x1")
    assert f"{bought} rounded half_even; there is no rounding difference" in texts(node, "terms")[0]


async def test_a_wallet_tells_its_accounts_limits_holds_and_what_moved_it(
    books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    await books.take(limited("l1", 1, 300), credited("c1", 700), granted("g1", 100))
    await books.take(held("h1", 40), spent("s1", 200))
    (node,) = await explain_wallet(admin, "cus_7", "EUR")
    assert "wallet customer/cus_7/EUR (acme): 6.00 EUR in 3 accounts, of which 0.40 EUR are held" in node.text
    accounts = [text.split(" (priority")[0] for text in texts(node, "account")]
    assert accounts == [
        "promotional_credit of cus_7/g1: 0.40 EUR, 0.40 EUR held, until 2999-01-01 00:00:00 UTC",
        "customer_credit of cus_7: 0.00 EUR",
        "prepaid_balance of cus_7: 5.60 EUR, may be overdrawn by 3.00 EUR",
    ]
    assert "prepaid_balance may be overdrawn by 3.00 EUR, set by ada" in texts(node, "limit")[0]
    assert "hold h1" in texts(node, "hold")[0]
    moved = [found.facts["rule"] for found in node.children if found.kind == "entry"]
    assert moved == ["wallet_spent_purchase", "promotion_granted", "wallet_credited_bank_transfer"]
    assert told_ids(node) == ["open", "l1", "s1", "g1", "c1"]


async def test_a_purchase_across_accounts_leads_to_its_command_and_its_wallet(
    books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    purchase = spent("s1", 200)
    await books.take(credited("c1", 700), granted("g1", 100), purchase)
    node = await entry_of(admin, "wallet_spent_purchase")
    assert [" ".join(text.split()) for text in texts(node, "line")] == [
        "debit 1.00 EUR promotional_credit of cus_7/g1",
        "debit 1.00 EUR prepaid_balance of cus_7",
        "credit 2.00 EUR merchant_payable of m1",
    ]
    assert texts(node, "wallet") == ["moves wallet customer/cus_7/EUR (acme)"]
    assert texts(node, "hint") == ["counterfoil explain wallet cus_7 EUR --family customer"]
    assert bodies(node) == [purchase.decode()]


async def test_a_hold_tells_how_it_was_placed_partly_posted_and_let_go(
    books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    await books.take(credited("c1", 700), held("h1", 500))
    await books.take(hold_posted("p1", "h1", 120, final=False))
    (partly,) = await explain_hold(admin, "h1")
    assert "still keeps 3.80 EUR of prepaid_balance of cus_7" in texts(partly, "amounts")[0]
    await books.take(hold_voided("v1", "h1"))
    (node,) = await explain_hold(admin, str(hold_uuid_of(TENANT, WALLET, "h1")), wallet=WALLET)
    assert [text.split(" (")[0] for text in texts(node, "transition")] == [
        "hold became placed",
        "hold was placed, became partly_posted",
        "hold was partly_posted, became voided",
    ]
    assert told_ids(node) == ["h1", "p1", "v1"]
    assert "5.00 EUR placed" in texts(node, "amounts")[0]
    assert "1.20 EUR posted; keeps nothing any more" in texts(node, "amounts")[0]
    entry = await entry_of(admin, "wallet_spent_purchase")
    assert told_ids(entry) == ["p1", "h1"]
    assert "hold h1" in texts(entry, "hold")[0]


async def test_an_expiry_leads_to_its_timer_and_to_what_set_it(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    grant, hold = granted("g1", 500), held("h1", 200)  # of the grant
    await books.take(grant, hold, journal("j1"))
    await admin.execute("INSERT INTO clocks SELECT $1, max(due_at) FROM timers", TENANT)
    async with feeds(database.app_url, 1, "timer.events") as (timers,):
        for kind in ("promotion_expiry", "journal_expiry"):
            await timers.take(*await fired(admin, kind))
        free = await entry_of(admin, "promotion_expired")
        await timers.take(*await fired(admin, "hold_expiry"))
        kept = await entry_of(admin, "promotion_expired")
    assert texts(free, "timer")[0].startswith("timer promotion_expiry of customer/cus_7/EUR, due 2999-01-01")
    assert grant.decode() in bodies(free)
    assert texts(kept, "timer")[0].startswith("timer hold_expiry of customer/cus_7/EUR, due 2999-01-01")
    assert [hold.decode(), grant.decode()] == [body for body in bodies(kept) if "timer" not in body]
    (expired,) = await explain_hold(admin, "h1")
    assert "expired" in expired.text
    assert texts(expired, "timer")[0].startswith("timer hold_expiry of customer/cus_7/EUR, due 2999-01-01")
    assert texts(expired, "named") == ["ledger.hold_placed.v1 h1 of /shops/a, told above"]
    (lapsed,) = await explain_journal(admin, "j1")
    assert "lapsed" in lapsed.text
    assert texts(lapsed, "timer")[0].startswith("timer journal_expiry of j1")


async def test_a_timer_is_not_laid_at_the_door_of_another_sender_with_the_same_id(
    database: Database, books: Feed, admin: Connection
) -> None:
    await books.take(opened())
    await books.take(credited("c1", 700), held("h1", 200))
    await books.take(event("h1", "ledger.journal_refused", _refusal(), source="/shops/b"))
    await admin.execute("INSERT INTO clocks SELECT $1, max(due_at) FROM timers", TENANT)
    async with feeds(database.app_url, 1, "timer.events") as (timers,):
        await timers.take(*await fired(admin, "hold_expiry"))
    (node,) = await explain_hold(admin, "h1")
    assert texts(node, "named") == ["ledger.hold_placed.v1 h1 of /shops/a, told above"]


def _refusal() -> dict[str, Any]:
    return {
        "idempotency_key": "h1",
        "journal_id": "j9",
        "note": "no",
        "actor": {"id": "ada", "role": "finance"},
    }


def about(event_id: str, name: str, who: str = "grace", **members: Any) -> bytes:
    """A command about October."""
    return command(event_id, f"period_{name}", {"period": "2026-10", "note": "as agreed"}, who, **members)


async def test_what_came_late_names_its_period_and_the_one_it_is_booked_in(
    database: Database, books: Feed, admin: Connection
) -> None:
    await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1", time=OCTOBER))
        early = await entry_of(admin, "terminal_sale")
        await books.take(about("close", "close_requested"))
        app = await asyncpg.connect(database.app_url)
        await take_closings(app)
        await app.close()
        await shop.take(sale("late", "o2", time=OCTOBER))
        node = await entry_of(admin, "terminal_sale")
    assert texts(early, "period") == []
    (late,) = texts(node, "late")
    assert late == (
        "came late: it happened 2026-10-20 10:00:00 UTC, in period 2026-10, which was closed by then; so it is booked "
        "as of 2026-11-01 00:00:00 UTC"
    )
    (old,) = await explain_entry(admin, early.facts["entry_id"])
    assert texts(old, "period") == [
        "belongs to period 2026-10, which is closed (counterfoil explain period 2026-10)"
    ]
    (period,) = await explain_period(admin, "2026-10")
    assert told_ids(period) == ["close"]
    assert texts(period, "closing")[0].startswith("balances kept of closing 1")
    assert "3 accounts with 3 lines" in texts(period, "closing")[0]
    assert texts(period, "late_entry") == ["came late: happened 2026-10-20 10:00:00 UTC"]
    assert [found.facts["entry_id"] for found in walk(period) if found.kind == "entry"] == [
        node.facts["entry_id"]
    ]


async def test_a_period_tells_who_asked_to_open_it_again_and_who_agreed(
    books: Feed, admin: Connection
) -> None:
    await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
    await books.take(about("close", "close_requested"))
    await books.take(about("ask", "reopening_requested"), about("own", "reopening_approved"))
    await books.take(about("agree", "reopening_approved", "ada"))
    (node,) = await explain_period(admin, "2026-10", TENANT)
    assert "reopened, version 3, by ada" in node.text
    assert [text.split(" (")[0] for text in texts(node, "transition")] == [
        "period became closed",
        "period was closed, became reopening_requested",
        "period was reopening_requested, became reopened",
    ]
    assert told_ids(node) == ["close", "ask", "agree"]
    assert [text.split(", ")[1].split(" ")[0] for text in texts(node, "bounds")] == [
        "close",
        "approve_reopening",
    ]


async def test_a_journal_of_ten_thousand_legs_is_told_in_bounds(books: Feed, admin: Connection) -> None:
    legs = [leg("debit", "suspense", 1 + number, owner=f"owner-{number}") for number in range(1500)]
    legs += [leg("credit", "bank_clearing", 1 + number, owner=f"bank-{number}") for number in range(1500)]
    await books.take(journal("j1", legs[:1500], parts=2), part("j1", 2, legs[1500:]), approve("j1"))
    node = await entry_of(admin, "manual_journal")
    assert len(texts(node, "line")) == 100
    assert "and 2,900 more lines; see them with --lines" in texts(node, "rest")
    assert texts(node, "missing") == []
    (whole,) = await explain_entry(admin, node.facts["entry_id"], lines=10_000)
    assert len(texts(whole, "line")) == 3_000
    assert texts(whole, "missing") == []


async def test_an_event_about_a_wallet_tells_what_it_moved(books: Feed, admin: Connection) -> None:
    await books.take(opened())
    await books.take(credited("c1", 700), held("h1", 200), hold_posted("p1", "h1", 150))
    (credit,) = await explain_event(admin, "c1")
    assert [found.facts["rule"] for found in walk(credit) if found.kind == "entry"] == [
        "wallet_credited_bank_transfer"
    ]
    (posted,) = await explain_event(admin, "p1")
    assert [found.facts["rule"] for found in walk(posted) if found.kind == "entry"] == [
        "wallet_spent_purchase"
    ]
    assert [text.split(" (")[0] for text in texts(posted, "transition")] == ["hold was placed, became posted"]
