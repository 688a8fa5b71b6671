"""Every number of a statement or sheet leads to the accounts and lines that make it, now and as of any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db.connection import prepare
from ops.inspect.balances import trial_balances
from ops.inspect.explain import Shown, Span, Total, explain_balance, explain_total
from ops.inspect.explain.balances import START_OF_TIME
from ops.statements.moments import Basis, period_of, zone_of
from ops.statements.sheets import balance_sheets, income_statements
from ops.statements.slices import slice_accounts
from ops.statements.statement import accounts, movements, statement
from tests.books import LEDGER
from tests.consumers.test_periods import calendar
from tests.engines import feeds
from tests.ops.inspect.trees import texts, walk
from tests.ops.statements.ledgers import START, held_before, post, sale, some_sales

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ops.inspect.node import Node
    from tests.conftest import Connection, Database
    from tests.ops.inspect.conftest import Commands, PointedAt
    from tests.ops.statements.ledgers import Sale

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def as_of(before: datetime, basis: Basis) -> Span:
    """Everything before a moment."""
    return Span(START_OF_TIME, before, basis, "as of then")


def shown_entries(node: Node) -> list[int]:
    """Numbers of the entries that are told, in their order."""
    return [found.facts["entry_id"] for found in walk(node) if found.kind in {"entry", "moved"}]


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Connection]:
    """The application's role."""
    connection = await asyncpg.connect(database.app_url)
    await prepare(connection)
    yield connection
    await connection.close()


def naive(
    sales: Sequence[Sale], ids: Sequence[int], since: datetime, before: datetime, basis: Basis
) -> list[int]:
    """A merchant's entries of a time, newest first, found line by line."""
    found = [
        (sold.at(basis), entry_id)
        for sold, entry_id in zip(sales, ids, strict=True)
        if sold.merchant == "m1" and since <= sold.at(basis) < before
    ]
    return [entry_id for _, entry_id in sorted(found, reverse=True)]


@pytest.mark.parametrize("sliced", [False, True])
@pytest.mark.parametrize("basis", list(Basis))
async def test_a_balance_as_of_any_moment_leads_to_the_newest_lines_before_it(
    writer: Connection, basis: Basis, *, sliced: bool
) -> None:
    sales = some_sales(3, 3_000)
    ids = await post(writer, sales)
    if sliced:
        assert await slice_accounts(writer, size=50) > 0
    random = Random(4)  # noqa: S311 - to be repeatable
    for _ in range(12):
        before = START + timedelta(minutes=random.randrange(60 * 24 * 45))
        since = before - timedelta(minutes=random.randrange(1, 60 * 24 * 10))
        for first in (START_OF_TIME, since):
            span = Span(first, before, basis, "then")
            (node,) = await explain_balance(writer, "merchant_payable", owner="m1", span=span)
            expected = naive(sales, ids, first, before, basis)
            assert shown_entries(node) == expected[:10]
            assert node.facts["balance_minor"] == held_before(sales, "m1", before, basis)
            rest = f"and {len(expected) - 10} earlier lines; see them with --last"
            assert texts(node, "rest")[-1:] == ([rest] if len(expected) > 10 else [])
            for opening in (found for found in walk(node) if found.kind == "opening"):
                assert opening.facts["opening_minor"] == held_before(sales, "m1", since, basis)


async def test_the_largest_lines_of_a_time_are_told_first(writer: Connection) -> None:
    sales = [sale(minor, fee_minor=0) for minor in (500, 9_000, 100, 9_000, 2_500)]
    ids = await post(writer, sales)
    for span in (None, as_of(END_OF_TIME, Basis.EFFECTIVE)):
        (node,) = await explain_balance(
            writer, "merchant_payable", span=span, shown=Shown(last=3, largest=True)
        )
        assert shown_entries(node) == [ids[3], ids[1], ids[4]]


async def test_a_code_of_many_accounts_is_told_by_the_largest_and_counts_the_others(
    writer: Connection,
) -> None:
    await post(writer, [sale(1_000 + number, merchant=f"m{number:02}", fee_minor=0) for number in range(30)])
    for span in (None, as_of(END_OF_TIME, Basis.POSTING)):
        (node,) = await explain_balance(
            writer, "merchant_payable", span=span, shown=Shown(last=1, accounts=4)
        )
        assert node.kind == "total"
        assert "304.35 EUR in 30 accounts, 30 lines; the largest first" in node.text
        assert [found.facts["owner"] for found in node.children if found.kind == "balance"] == [
            "m29",
            "m28",
            "m27",
            "m26",
        ]
        assert "and 26 more accounts that hold 263.25 EUR together" in node.children[-1].text


@pytest.mark.parametrize("basis", list(Basis))
async def test_totals_are_those_of_the_sheets_and_their_accounts_add_up(
    writer: Connection, basis: Basis
) -> None:
    await post(writer, some_sales(5, 400))
    before = START + timedelta(days=20)
    (sheet,) = await balance_sheets(writer, before, basis)
    expected = {
        Total.ASSETS: sheet.assets_minor,
        Total.LIABILITIES: sheet.liabilities_minor,
        Total.RESULT: sheet.result_minor,
        Total.CLAIMS: sheet.claims_minor,
    }
    for total, minor in expected.items():
        (node,) = await explain_total(writer, total, span=as_of(before, basis))
        assert node.facts["amount_minor"] == minor
        accounts_minor = sum(found.facts["balance_minor"] for found in walk(node) if found.kind == "balance")
        assert accounts_minor == minor, "three accounts of a code are shown, and none has more"
    period = period_of("2026-03-05..2026-03-09", zone_of("UTC"))
    (told,) = await income_statements(writer, period, basis)
    span = Span(period.since, period.before, basis, period.name)
    (node,) = await explain_total(writer, Total.RESULT, span=span)
    assert node.facts["amount_minor"] == told.result_minor
    lines = [found for found in walk(node) if found.kind == "moved"]
    assert 0 < len(lines) <= 3
    amounts = [found.facts["amount_minor"] for found in lines]
    assert amounts == sorted(amounts, reverse=True)


async def test_a_total_now_is_that_of_the_trial_balance(writer: Connection) -> None:
    await post(writer, some_sales(6, 100))
    await post(writer, [sale(1_500, currency="JPY", fee_minor=0)])
    books = {book.currency: book for book in await trial_balances(writer)}
    for node in await explain_total(writer, Total.ASSETS):
        held = [code.balance_minor for code in books[node.facts["currency"]].codes if code.type == "asset"]
        assert node.facts["amount_minor"] == sum(held)


async def test_every_line_of_a_statement_has_a_number_that_explain_takes(
    writer: Connection,
) -> None:
    ids = await post(writer, some_sales(7, 60))
    (account,) = await accounts(writer, code="merchant_payable", owner="m1")
    period = period_of("2026", zone_of("UTC"))
    told = await statement(writer, account, period, Basis.EFFECTIVE)
    numbers = [moved.entry_id async for moved in movements(writer, told)]
    assert set(numbers) <= set(ids)
    span = Span(period.since, period.before, Basis.EFFECTIVE, period.name)
    (node,) = await explain_balance(
        writer, "merchant_payable", owner="m1", span=span, shown=Shown(last=1_000, brief=True)
    )
    assert shown_entries(node)[::-1] == numbers
    assert node.facts["balance_minor"] == told.closing_minor


async def test_a_day_ends_where_the_tenant_s_periods_end(
    database: Database, writer: Connection, pointed_at: PointedAt
) -> None:
    async with feeds(database.app_url, 1, LEDGER) as (books,):
        await books.take(calendar("Europe/Berlin"))
    evening = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)  # of the 30th in Berlin
    await post(writer, [sale(1_000, fee_minor=0, effective_at=evening, posted_at=evening)])
    cli = pointed_at(database)
    asked = ("explain", "balance", "merchant_payable", "--as-of", "2026-11-29")
    assert "merchant_payable of m1 (acme), as of 2026-11-29 by effective date: 0.00 EUR" in await cli.out(
        *asked
    )
    assert "effective date: 10.00 EUR" in await cli.out(*asked, "--zone", "UTC")
    on_day = ("explain", "total", "liabilities", "--period", "2026-11-30")
    assert "10.00 EUR merchant_payable" in await cli.out(*on_day)
    await cli.run(*on_day, "--zone", "UTC", code=1)
    shown = await cli.out("trial-balance", "--as-of", "2026-11-30", "--zone", "UTC")
    assert "--as-of 2026-11-30 --zone UTC" in shown
    assert "no time zone" in (await cli.run(*on_day, "--zone", "Mars", code=1)).stderr


async def test_the_commands_of_a_trial_balance_and_sheets_explain_them(cli: Commands) -> None:
    shown = await cli.out("trial-balance", "--currency", "KWD")
    assert "counterfoil explain balance ACCOUNT --tenant acme --currency KWD" in shown
    told = await cli.out("explain", "balance", "merchant_payable", "--tenant", "acme", "--currency", "KWD")
    assert "11.916 KWD" in told
    assert "terminal_sale" in told
    total = await cli.out("explain", "total", "assets", "--currency", "EUR", "--as-of", "2099-01-01")
    assert "assets of acme in EUR, as of 2099-01-01 by effective date: 69.99 EUR" in total
    assert "50.00 EUR processor_receivable (asset), 1 account." in total
    (node,) = await cli.json("explain", "total", "result", "--period", "2026-11", "--currency", "JPY")
    assert node["facts"]["amount_minor"] == 78
    for wrong in (
        ("--as-of", "yesterday"),
        ("--period", "11/2026"),
        ("--as-of", "2026-01-01", "--period", "2026"),
    ):
        assert "counterfoil: " in (await cli.run("explain", "total", "assets", *wrong, code=1)).stderr
