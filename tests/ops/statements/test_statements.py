"""Balances as of any moment, and statements: always what a naive sum over the lines says, with slices and without."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from db.connection import connect
from db.queries import books as sql
from handlers.ledger.model import AccountType
from ops.inspect.balances import balances, balances_before, trial_balances, trial_balances_before
from ops.statements import sheets
from ops.statements.fence import UnsettledError, settled_entry_id
from ops.statements.moments import RESOLUTION, Basis, Period, period_of, zone_of
from ops.statements.slices import slice_accounts
from ops.statements.statement import accounts, movements, page, statement
from tests.ops.statements.ledgers import DAYS, START, Sale, held_before, post, post_within, sale, some_sales

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

UTC_ZONE = zone_of("UTC")


async def sold(app: Connection, seed: int, *, sliced: bool) -> list[Sale]:
    """Sales in several transactions; the first ones sliced while there were no others, the last ones not at all."""
    sales = some_sales(seed, 400)
    for first, last in ((0, 150), (150, 340), (340, 400)):
        await post(app, sales[first:last], stripe=first)
        if sliced and last < 400:
            assert await slice_accounts(app, size=20) > 0
    return sales


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize(("seed", "sliced"), [(1, True), (2, True), (3, False)])
async def test_a_balance_as_of_any_moment_is_the_sum_of_its_lines(
    app: Connection, reader: Connection, seed: int, basis: Basis, *, sliced: bool
) -> None:
    sales = await sold(app, seed, sliced=sliced)
    random = Random(seed)  # noqa: S311 - to be repeatable
    exact = [one.at(basis) for one in random.sample(sales, 25)]
    moments = [
        *exact,
        *(at + RESOLUTION for at in exact),
        *(START + timedelta(hours=random.randrange(-800, 24 * DAYS)) for _ in range(25)),
        *(START + timedelta(days=day) for day in range(-2, DAYS, 5)),
    ]
    for before in moments:
        told = await balances_before(reader, "merchant_payable", before, basis)
        assert {held.owner: held.balance_minor for held in told} == {
            merchant: held_before(sales, merchant, before, basis) for merchant in ("m1", "m2")
        }
    assert await sql.wrong_slices(reader) == []


@pytest.mark.parametrize("basis", Basis)
@pytest.mark.parametrize(("seed", "sliced"), [(4, True), (5, False)])
async def test_the_pages_of_a_statement_are_its_movements_in_order(
    app: Connection, reader: Connection, seed: int, basis: Basis, *, sliced: bool
) -> None:
    sales = await sold(app, seed, sliced=sliced)
    period = Period(START + timedelta(days=3, hours=5), START + timedelta(days=20), "some days")
    async with reader.transaction(isolation="repeatable_read"):
        (account,) = await accounts(reader, code="merchant_payable", owner="m1")
        told = await statement(reader, account, period, basis)
        pages = [await page(reader, told, most=7)]
        while pages[-1].next is not None:
            pages.append(await page(reader, told, pages[-1].next, most=7))
        at_once = [moved async for moved in movements(reader, told, at_once=33)]
    paged = [moved for here in pages for moved in here.movements]
    assert paged == at_once
    within = [one for one in sales if one.merchant == "m1" and period.since <= one.at(basis) < period.before]
    assert [(moved.at, moved.credit_minor) for moved in paged] == [
        (one.at(basis), one.minor - one.fee_minor) for one in sorted(within, key=lambda one: one.at(basis))
    ]
    assert told.opening_minor == held_before(sales, "m1", period.since, basis)
    assert told.closing_minor == held_before(sales, "m1", period.before, basis) == paged[-1].balance_minor
    assert told.lines == len(paged)
    for moved in paged:
        before = held_before(sales, "m1", moved.at, basis)
        assert moved.balance_minor > before  # what it held right before that instant, and more


async def test_months_follow_each_other_without_a_gap(app: Connection, reader: Connection) -> None:
    await sold(app, 6, sliced=True)
    berlin = zone_of("Europe/Berlin")  # clocks go forward on March 29
    (account,) = await accounts(reader, code="platform_fee_revenue")
    held = 0
    for month in ("2026-01", "2026-02", "2026-03", "2026-04"):
        told = await statement(reader, account, period_of(month, berlin), Basis.EFFECTIVE)
        assert told.opening_minor == held
        held = told.closing_minor
    (now,) = await balances(reader, "platform_fee_revenue")
    assert held == now.balance_minor


async def test_the_sheets_tie_to_the_trial_balance(app: Connection, reader: Connection) -> None:
    sales = await sold(app, 7, sliced=False)
    await post(app, [sale(123_456, currency="CLF", fee_minor=78), sale(5, currency="JPY", fee_minor=1)])
    end = START + timedelta(days=DAYS + 1)
    for before in (START, START + timedelta(days=17, hours=3), end):
        for basis in Basis:
            trial = {book.currency: book for book in await trial_balances_before(reader, before, basis)}
            for sheet in await sheets.balance_sheets(reader, before, basis):
                assert sheet.off_by_minor == 0
                codes = {code.code: code.balance_minor for code in trial[sheet.currency].codes}
                assert {line.code: line.amount_minor for line in sheet.assets + sheet.liabilities} == {
                    code.code: code.balance_minor
                    for code in trial[sheet.currency].codes
                    if code.type is not AccountType.REVENUE
                }
                assert sheet.result_minor == codes["platform_fee_revenue"]
    assert await trial_balances_before(reader, end, Basis.POSTING) == [
        *(book for book in await trial_balances(reader))
    ]
    earned = 0
    for month in ("2026-01", "2026-02", "2026-03", "2026-04"):
        period = period_of(month, UTC_ZONE)
        told = await sheets.income_statements(reader, period, Basis.EFFECTIVE, currency="EUR")
        earned += sum(one.result_minor for one in told)
    assert earned == sum(one.fee_minor for one in sales)


async def test_a_period_before_all_entries_is_empty(app: Connection, reader: Connection) -> None:
    await post(app, [sale()])
    (account,) = await accounts(reader, code="merchant_payable")
    told = await statement(reader, account, period_of("2020", UTC_ZONE), Basis.EFFECTIVE)
    assert (told.opening_minor, told.closing_minor, told.lines) == (0, 0, 0)
    assert (await page(reader, told)).movements == ()
    assert await sheets.balance_sheets(reader, told.period.before, Basis.EFFECTIVE) == []


async def test_two_slicers_at_once_slice_nothing_twice(database: Database, app: Connection) -> None:
    await post(app, some_sales(8, 300))
    other = await connect(database.app_url, application="test")
    added = await asyncio.gather(slice_accounts(app, size=10), slice_accounts(other, size=10))
    await other.close()
    assert await sql.wrong_slices(app) == []
    # receivable and fees have 300 lines each, m1 and m2 have 300 together; the last slice of each stays open
    assert sum(added) == await app.fetchval(
        "SELECT sum(div(lines - 1, 10)) FROM (SELECT sum(lines) AS lines FROM balances GROUP BY account_id) AS b"
    )
    assert await slice_accounts(app, size=10) == 0


async def test_an_entry_that_commits_late_is_in_no_slice_too_early(
    database: Database, app: Connection
) -> None:
    await post(app, [sale(merchant="m1"), sale(merchant="m2")])  # the accounts are there
    writer = await connect(database.app_url, application="late")
    late = writer.transaction()
    await late.start()
    (late_id,) = await post_within(writer, [sale(7_777)])
    await post(app, some_sales(9, 100), stripe=1)
    with pytest.raises(UnsettledError, match="has been writing"):
        await settled_entry_id(app, patience_s=0.05)
    slicing = asyncio.create_task(slice_accounts(app, size=10))
    await late.commit()
    assert await slicing > 0
    await writer.close()
    assert await sql.wrong_slices(app) == []
    (held,) = await balances_before(app, "merchant_payable", START + RESOLUTION, Basis.POSTING, owner="m1")
    assert held.balance_minor >= 7_747
    assert late_id < await settled_entry_id(app)


async def test_the_fence_is_not_asked_from_within_a_transaction(app: Connection) -> None:
    async with app.transaction():
        with pytest.raises(RuntimeError, match="wait for itself"):
            await settled_entry_id(app)


async def test_nothing_is_settled_before_the_first_entry(app: Connection) -> None:
    assert await settled_entry_id(app) == 0


DEEDS = {
    "an amount": "UPDATE account_slices SET credit_minor = credit_minor + 1 WHERE credit_minor > 0",
    "a date": "UPDATE account_slices SET last_at = last_at + interval '1 second'",
    "a row less": "DELETE FROM account_slices WHERE basis = 'posting'",
    "a mark": "UPDATE account_marks SET entry_id = entry_id + 1",
    "a mark less": "DELETE FROM account_marks",
    "a line": "UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 5",
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_a_slice_that_is_not_its_lines_is_found(app: Connection, admin: Connection, deed: str) -> None:
    await post(app, some_sales(10, 100))
    await slice_accounts(app, size=10)
    assert await sql.wrong_slices(app) == []
    for table in ("account_slices", "lines"):
        await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await admin.execute(DEEDS[deed])
    assert await sql.wrong_slices(app)


def _scans(node: dict[str, Any]) -> set[tuple[str, str]]:
    """(table, how it is read) of a plan."""
    here = {(node["Relation Name"], node["Node Type"])} if "Relation Name" in node else set()
    return here.union(*(_scans(child) for child in node.get("Plans", ())))


async def test_a_balance_reads_slices_from_their_index_alone_and_never_a_whole_table(
    app: Connection, admin: Connection
) -> None:
    await post(app, some_sales(11, 300))
    await slice_accounts(app, size=10)
    await admin.execute("VACUUM (ANALYZE) account_slices, account_marks, lines, entries, accounts")
    (account,) = await accounts(app, code="platform_fee_revenue")
    values = {
        "before": START + timedelta(days=20, hours=7),
        "basis": "effective",
        "account_id": account.account_id,
    }
    async with app.transaction():
        await sql.plan_for_lookups(app)
        prepared = await app.prepare(sql.balances_before.sql)
        names = sql.driver_adapter.var_sorted["balances_before"]
        ((plan),) = await prepared.explain(*(values.get(name) for name in names))
    read = _scans(plan["Plan"])
    assert {how for table, how in read if table == "account_slices"} == {"Index Only Scan"}
    assert "Seq Scan" not in {how for _table, how in read}
