"""Journals from a CSV file to the statement, by two people, on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from handlers.journals.model import journal_uuid_of
from tests.engines import broken_laws, feeds
from tests.ops.clerk import Clerk, at_the_desk
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ops.desk.asking import Answer
    from tests.conftest import Connection, Database

LEGS: Final = (
    "account,owner,side,amount,currency\n"
    "suspense,stripe,debit,1234.56,EUR\n"
    "bank_clearing,main,credit,1234.56,EUR\n"
)
ADA: Final = ("--actor", "ada")
GRACE: Final = ("--actor", "grace")
BOOKED: Final = ("--tenant", TENANT, "--reason", "late bank fee", "--yes")


@pytest.fixture
async def clerk(database: Database, kafka: str, tmp_path: Path) -> AsyncIterator[Clerk]:
    """Somebody at the desk."""
    async with at_the_desk(database, kafka, tmp_path) as clerk:
        yield clerk


async def test_a_journal_goes_from_a_file_by_two_people_into_the_statement(
    clerk: Clerk, admin: Connection
) -> None:
    proposed = await clerk.out(
        "journals", "propose", clerk.file(LEGS), *BOOKED, *ADA, "--effective", "2026-11-20"
    )
    (row,) = await clerk.json("journals", "list", "--state", "proposed")
    name = row["journal_id"]
    assert (row["proposed_by"], row["legs"], row["sums"]["EUR/debit"]) == ("ada", 2, 123456)
    assert f"counterfoil journals approve {name} --tenant acme" in proposed
    assert "finance, but not ada" in proposed
    note = ("--note", "agreed", "--yes")
    own = await clerk.refused("journals", "approve", name, *note, *ADA)
    assert "four_eyes" in own
    assert "ada" in own
    posted = await clerk.out("journals", "approve", name, *note, *GRACE)
    assert "posted as entry" in posted
    shown = await clerk.out("journals", "show", name)
    assert "is posted" in shown
    assert "decided by grace" in shown
    statement = await clerk.out("statement", "suspense", "--period", "2026-11")
    assert "1,234.56" in statement
    assert "2026-11-20" in statement
    assert await broken_laws(admin) == []


async def posted(clerk: Clerk, *propose: str) -> int:
    """Propose something as ada, approve it as grace; the number of its first entry."""
    told = await clerk.out("journals", *propose, "--reason", "r", "--yes", *ADA)
    name = told.strip().rsplit("journals approve ", 1)[1].split()[0]
    await clerk.run("journals", "approve", name, "--note", "agreed", "--yes", *GRACE)
    return int((await clerk.json("journals", "show", name))["entries"][0]["entry_id"])


async def balances(admin: Connection) -> dict[str, int]:
    """What each account holds."""
    rows = await admin.fetch("SELECT code, currency, balance_minor FROM account_balances")
    return {f"{row['code']}/{row['currency']}": row["balance_minor"] for row in rows}


async def test_the_same_file_proposed_twice_is_one_journal_unless_it_is_named(
    clerk: Clerk, admin: Connection
) -> None:
    file = clerk.file(LEGS)
    first = await clerk.out("journals", "propose", file, *BOOKED, *ADA)
    again = await clerk.out("journals", "propose", file, *BOOKED, *ADA)
    assert "was proposed before" not in first
    assert "was proposed before, and is proposed" in again
    by_another = await clerk.refused("journals", "propose", file, *BOOKED, *GRACE)
    assert "journal_id_reused" in by_another
    await clerk.run("journals", "propose", file, *BOOKED, *ADA, "--id", "on-purpose")
    assert await admin.fetchval("SELECT count(*) FROM journals") == 2
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_nothing_is_sent_unless_the_person_says_so(clerk: Clerk, admin: Connection) -> None:
    file, asked = clerk.file(LEGS), ("--tenant", TENANT, "--reason", "r", *ADA)
    shown = await clerk.run("journals", "propose", file, *asked, typed="n\n", code=1)
    assert "1,234.56 EUR" in shown.stdout
    assert "nothing was sent" in shown.stderr
    assert await admin.fetchval("SELECT count(*) FROM inbox") == 0
    assert "is proposed" in (await clerk.run("journals", "propose", file, *asked, typed="y\n")).stdout


async def test_ten_thousand_legs_go_in_parts_and_are_one_entry(clerk: Clerk, admin: Connection) -> None:
    rows = [
        f"{account},owner-{number}-{'x' * 100},{side},{number + 1}.10,EUR"
        for number in range(5_000)
        for account, side in (("suspense", "debit"), ("bank_clearing", "credit"))
    ]
    entry = await posted(
        clerk,
        "propose",
        clerk.file("\n".join(["account,owner,side,amount,currency", *rows])),
        "--tenant",
        TENANT,
    )
    assert await admin.fetchval("SELECT parts FROM journals") > 5
    assert await admin.fetchval("SELECT legs FROM entries WHERE entry_id = $1", entry) == 10_000
    shown = await clerk.out("journals", "show", (await clerk.json("journals", "list"))[0]["journal_id"])
    assert "and 9,900 more" in shown
    assert await broken_laws(admin) == []


async def test_an_entry_is_taken_back_in_part_then_whole_with_what_should_have_been(
    clerk: Clerk, admin: Connection
) -> None:
    entry = str(
        await posted(clerk, "propose", clerk.file(LEGS), "--tenant", TENANT, "--effective", "2026-11-20")
    )
    lines = ("--lines", "1=234.56,2=234.56")
    part = await posted(clerk, "reverse", entry, *lines, "--effective", "original")
    assert (await balances(admin)) == {"suspense/EUR": -100_000, "bank_clearing/EUR": -100_000}
    same = await admin.fetchval(
        "SELECT count(DISTINCT effective_at) FROM entries WHERE entry_id = ANY($1::bigint[])",
        [int(entry), part],
    )
    assert same == 1
    asked = ("--reason", "r", "--yes")
    assert "is above what is left" in await clerk.refused(
        "journals", "reverse", entry, "--lines", "1=1000.01,2=1", *asked
    )
    right = LEGS.replace("bank_clearing", "processor_receivable").replace("1234.56", "1000.00")
    whole = await posted(clerk, "reverse", entry, "--instead", clerk.file(right))
    assert (await balances(admin)) == {
        "suspense/EUR": -100_000, "bank_clearing/EUR": 0, "processor_receivable/EUR": -100_000
    }  # fmt: skip
    assert "nothing of it is left" in await clerk.refused("journals", "reverse", entry, *asked)
    original = (await clerk.json("journals", "list", "--state", "posted"))[-1]["journal_id"]
    shown = await clerk.out("journals", "show", original)
    assert f"reversed by entry {part}" in shown
    assert f"reversed by entry {whole}" in shown
    assert f"replaced by entry {whole + 1}" in shown
    assert await broken_laws(admin) == []


async def test_an_entry_is_booked_anew_by_a_rule_of_today(
    database: Database, clerk: Clerk, admin: Connection
) -> None:
    async with feeds(database.app_url, 1) as (shop,):
        await shop.take(fees(), sale("s1", "o1"))
    entry = str(await admin.fetchval("SELECT entry_id FROM entries"))
    reverse = ("reverse", entry, "--by-rule", "transfer_received")
    for options, why in (
        ((), "transfer_received needs holder"),
        (("--owner", "holder=main", "--owner", "holder=other"), "each name once"),
        (("--owner", "nobody=x", "--owner", "holder=main"), "does not know nobody"),
        (("--amount", "fee=0.801"), "more decimals than EUR"),
        (("--by-rule", "no_rule"), "there are"),
        (("--by-rule", "two words"), "rule: "),
    ):
        refused = await clerk.refused("journals", *reverse, *options, "--reason", "r", "--yes")
        assert why in refused
    alone = ("journals", "reverse", entry, "--reason", "r", "--yes")
    assert "--by-rule" in await clerk.refused(*alone, "--amount", "fee=1")
    both = (*alone, "--by-rule", "terminal_sale", "--instead", clerk.file(LEGS))
    assert "legs, repost" in await clerk.refused(*both)
    anew = ("--owner", "holder=main", "--amount", "gross=19.99", "--amount", "net=19.99", "--amount", "fee=0")
    await posted(clerk, *reverse, *anew)
    assert await balances(admin) == {
        "terminal_receivable/EUR": 0,
        "merchant_payable/EUR": 1999,
        "platform_fee_revenue/EUR": 0,
        "bank_clearing/EUR": 1999,
    }
    assert await broken_laws(admin) == []


async def test_lines_of_a_reversal_that_make_no_sense_are_refused(clerk: Clerk) -> None:
    entry = str(await posted(clerk, "propose", clerk.file(LEGS), "--tenant", TENANT))
    for lines, why in (
        ("3=1", "write a line from 1 to 2"),
        ("0", "write a line from 1 to 2"),
        ("one", "write a line from 1 to 2"),
        ("1=1.005,2=1", "more decimals"),
        ("1=1,1=2", "line 1 is there twice"),
        ("1=10.00,2=9.00", "debits of"),
        ("", "write a line from 1 to 2"),
    ):
        asked = ("--lines", lines, "--reason", "r", "--yes")
        assert why in await clerk.refused("journals", "reverse", entry, *asked)


async def test_a_conversion_shows_its_rounding_difference_and_goes_through_trading(
    clerk: Clerk, admin: Connection
) -> None:
    convert = (
        *("convert", "--tenant", TENANT, "--sell", "100.00 USD", "--from", "bank_clearing/main"),
        *("--buy", "EUR", "--into", "bank_clearing/main", "--rate-source", "ecb", "--rate-at", "2026-11-20"),
    )
    await posted(clerk, *convert, "--rate", "0.9234", "--arrived", "92.35")
    assert await balances(admin) == {
        "bank_clearing/USD": -10_000,
        "bank_clearing/EUR": 9_235,
        "trading/USD": -10_000,
        "trading/EUR": 9_234,
        "rounding_difference/EUR": -1,
    }
    asked = ("journals", *convert, "--reason", "r", "--yes")
    assert "differs from" in await clerk.refused(*asked, "--rate", "0.9", "--arrived", "92.35")
    assert "rate" in await clerk.refused(*asked, "--rate", "1e-2")
    assert "write account/owner" in await clerk.refused(*asked, "--rate", "1", "--from", "bank_clearing")
    assert await broken_laws(admin) == []


async def test_who_proposed_may_withdraw_and_what_is_decided_stays(clerk: Clerk) -> None:
    told = await clerk.out("journals", "propose", clerk.file(LEGS), *BOOKED, *ADA, "--id", "mine")
    assert "journals approve mine" in told
    assert await clerk.out("journals", "refuse", "mine", "--note", "typo", *ADA) == "mine is refused\n"
    assert "state_forbids" in await clerk.refused(
        "journals", "approve", "mine", "--note", "n", "--yes", *GRACE
    )
    assert "there is no journal" in await clerk.refused("journals", "show", "other")
    again = await clerk.out("journals", "propose", clerk.file(LEGS), *BOOKED, *ADA, "--id", "mine")
    assert "was proposed before, and is refused" in again


async def test_parts_that_belong_to_another_journal_of_that_name_are_not_sent(
    clerk: Clerk, admin: Connection
) -> None:
    await admin.execute(
        "INSERT INTO journals SELECT 'acme', $1, 'taken', 'manual', 'collecting', 1, 'n', now(), '{}', 9, '{}', 1,"
        " '{}', '{}', NULL, NULL, 'finance', 'ada', 'finance', NULL, NULL, now() + interval '1 day', now(), now()",
        journal_uuid_of(TENANT, "taken"),
    )
    row = "suspense,{},debit,1.00,EUR\nbank_clearing,{},credit,1.00,EUR\n".format("x" * 120, "y" * 120)
    file = clerk.file(LEGS.splitlines()[0] + "\n" + row * 1000)
    refused = await clerk.refused("journals", "propose", file, *BOOKED, *ADA, "--id", "taken")
    assert "journal_id taken is collecting (journal_id_reused)" in refused
    assert await admin.fetchval("SELECT count(*) FROM inbox") == 1, "the parts stayed at home"


async def test_a_proposal_that_broke_off_goes_on_where_it_was(clerk: Clerk, admin: Connection) -> None:
    row = "suspense,{},debit,1.00,EUR\nbank_clearing,{},credit,1.00,EUR\n".format("x" * 120, "y" * 120)
    file = clerk.file(LEGS.splitlines()[0] + "\n" + row * 1000)
    propose = ("journals", "propose", file, *BOOKED, *ADA, "--id", "long")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ops.desk.asking._answer_to", _broken_off)
        await clerk.run(*propose, code=1)
    again = await clerk.out(*propose)
    assert "is proposed" in again
    row_of = await admin.fetchrow("SELECT state, parts, legs FROM journals")
    assert row_of is not None
    assert (row_of["state"], row_of["legs"]) == ("proposed", 2000)
    assert row_of["parts"] > 1
    assert await broken_laws(admin) == []


async def _broken_off(*_: object) -> Answer:
    msg = "the line is dead"
    raise RuntimeError(msg)


async def test_what_was_refused_may_be_proposed_anew_when_it_is_allowed(
    clerk: Clerk, admin: Connection
) -> None:
    await clock(admin, "2026-11-01 12:00Z")
    propose = ("journals", "propose", clerk.file(LEGS), *BOOKED, *ADA, "--effective", "2026-11-20")
    assert "effective_too_late" in await clerk.refused(*propose)
    await clock(admin, "2026-11-20 12:00Z")
    assert "is proposed" in await clerk.out(*propose)


async def clock(admin: Connection, at: str) -> None:
    """Set the tenant's test clock."""
    await admin.execute(
        "INSERT INTO clocks VALUES ($1, $2::text::timestamptz)"
        " ON CONFLICT (tenant) DO UPDATE SET now_at = excluded.now_at", TENANT, at
    )  # fmt: skip


async def test_what_a_stranger_wrote_is_shown_as_it_is_and_steers_no_terminal(clerk: Clerk) -> None:
    odd = ("--actor", "[/x]", "--id", "[/j]", "--reason", "[/b] \x1b[31m red", "--reference", "[a]=[/b]")
    await clerk.run("journals", "propose", clerk.file(LEGS), "--tenant", TENANT, "--yes", *odd)
    for shown in (
        await clerk.out("journals", "list"),
        await clerk.out("journals", "show", "[/j]"),
        await clerk.out("approvals", "list"),
    ):
        assert "[/j]" in shown
        assert "but not [/x]" in shown
        assert "[/b] \\x1b[31m red" in shown
        assert "\x1b" not in shown


async def test_a_closed_period_takes_no_journal(clerk: Clerk) -> None:
    await clerk.run("periods", "close", TENANT, "2026-01", "--note", "n", "--actor", "grace")
    propose = (
        "journals",
        "propose",
        clerk.file(LEGS),
        *BOOKED,
        *ADA,
        "--effective",
        "2026-01-31",
        "--id",
        "late",
    )
    await clerk.run(*propose)
    refused = await clerk.refused("journals", "approve", "late", "--note", "n", "--yes", *GRACE)
    assert "period_closed" in refused


async def test_what_cannot_be_a_journal_is_told_before_anything_is_sent(
    database: Database, kafka: str, tmp_path: Path, admin: Connection
) -> None:
    desk = Clerk(database, kafka, tmp_path)
    off = LEGS.replace("credit,1234.56", "credit,1234.55")
    for text, why in (
        (off, "debits of 1,234.56 EUR, credits of 1,234.55 EUR: 0.01 EUR more debits"),
        (
            LEGS.replace("credit,1234.56,EUR", "credit,1235,JPY"),
            "credits of 1,235 JPY: 1,235 JPY more credits",
        ),
        (LEGS.replace("1234.56", '"1,234.56"'), "line 2, amount: '1,234.56': write no thousands separators"),
        (LEGS.rsplit("bank", 1)[0], "credits of 0.00 EUR: 1,234.56 EUR more debits"),
        (
            LEGS.replace("suspense", "refund_clearing"),
            "line 2, account: account refund_clearing takes journals of nobody",
        ),
    ):
        assert why in await desk.refused("journals", "propose", desk.file(text), *BOOKED)
    file = desk.file(LEGS)
    for option, text, why in (
        ("--effective", "2026-02-30", "neither a date"),
        ("--effective", "", "neither a date"),
        ("--actor", "", "actor"),
        ("--id", "", "journal_id"),
        ("--zone", "Mars/Olympus", "no time zone"),
        ("--reference", "no sign", "write name=value"),
        ("--actor", "two words", "actor"),
        ("--id", "two words", "journal_id"),
        ("--reason", "", "reason"),
    ):
        assert why in await desk.refused("journals", "propose", file, *BOOKED, option, text)
    assert "there is no entry 99" in await desk.refused("journals", "reverse", "99", "--reason", "r", "--yes")
    assert await admin.fetchval("SELECT count(*) FROM inbox") == 0
