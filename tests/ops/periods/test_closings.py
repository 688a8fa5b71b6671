"""Balances start from closings: exactly, until a closing is undone; and `check` sees through all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from db.connection import connect
from handlers.ledger.model import AccountType
from ops.inspect.balances import balances_before, trial_balances_before
from ops.periods.closings import take_closings
from ops.statements.calendars import in_each_zone
from ops.statements.moments import RESOLUTION, Basis, end_of
from ops.statements.sheets import balance_sheets
from ops.statements.slices import slice_accounts
from tests.engines import broken_laws
from tests.ops.statements.ledgers import START, Sale, held_before, post, sale, some_sales

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.conftest import Connection, Database

MERCHANTS = ("m1", "m2", "m3")


@pytest.fixture
async def app(database: Database) -> AsyncIterator[Connection]:
    """The application's role."""
    connection = await connect(database.app_url, application="test")
    yield connection
    await connection.close()


async def bounds(app: Connection, number: int, before: datetime, step: str = "close") -> None:
    """The books of acme are closed before a moment, or open again from it on."""
    await app.execute(
        "INSERT INTO period_bounds (tenant, calendar, number, zone, unit, closed_before, soft_closed_before, step,"
        " period, set_at) VALUES ('acme', 'books', $1::integer, 'UTC', 'month', $2, $2, $3, 'p' || $1::integer::text,"
        " now())",
        number,
        before,
        step,
    )


async def law_two(admin: Connection) -> list[str]:
    """What `check` finds about balances."""
    return [law for law in await broken_laws(admin) if law.startswith("2")]


def from_then_on(sales: Sequence[Sale], closed: datetime) -> list[Sale]:
    """Sales as they are booked when the books are closed before a moment."""
    return [
        sold if sold.effective_at >= closed else sale(sold.minor, **_parts(sold) | {"effective_at": closed})
        for sold in sales
    ]


def _parts(sold: Sale) -> dict[str, object]:
    names = ("effective_at", "posted_at", "merchant", "fee_minor", "currency", "tenant", "object_id")
    return {name: getattr(sold, name) for name in names}


@pytest.mark.parametrize(("seed", "size"), [(1, 10_000), (2, 60), (3, 15)])
async def test_a_balance_as_of_any_moment_is_the_sum_of_its_lines_wherever_it_starts(
    app: Connection, admin: Connection, seed: int, size: int
) -> None:
    random = Random(seed)  # noqa: S311 - to be repeatable
    first, second = START + timedelta(days=11, hours=-1), START + timedelta(days=25)
    ahead = [
        sale(700 + n, merchant="m3", effective_at=START + timedelta(days=9 + n), posted_at=START)
        for n in range(20)
    ]
    sales = [*ahead, *some_sales(seed, 300)]
    random.shuffle(sales)
    parts = sales[:150], from_then_on(sales[150:260], first), from_then_on(sales[260:], second)
    for number, (part, closed) in enumerate(zip(parts, (first, second, None), strict=True), start=1):
        await post(app, part, stripe=number)
        await slice_accounts(app, size=size)
        if closed is not None:
            await bounds(app, number, closed)
            (taken,) = await take_closings(app)
            assert taken.lines == 3 * sum(
                one.effective_at < closed for one in [*parts[0], *parts[1]][: number * 150]
            )
    booked = [sold for part in parts for sold in part]
    moments = [
        *(one.effective_at + random.choice([timedelta(), RESOLUTION]) for one in random.sample(booked, 30)),
        *(START + timedelta(hours=random.randrange(-800, 24 * 40)) for _ in range(30)),
        *(closed + step for closed in (first, second) for step in (-RESOLUTION, timedelta(), RESOLUTION)),
    ]
    for before in moments:
        for basis in Basis:
            told = await balances_before(app, "merchant_payable", before, basis)
            naive = {merchant: held_before(booked, merchant, before, basis) for merchant in MERCHANTS}
            assert {held.owner: held.balance_minor for held in told} == naive
            books = await trial_balances_before(app, before, basis)
            sums = {code.code: code.balance_minor for book in books for code in book.codes}
            assert sums.get("merchant_payable", 0) == sum(naive.values())
            assert all(book.off_by_minor == 0 for book in books)
            assert all(one.off_by_minor == 0 for one in await balance_sheets(app, before, basis))
    starts = await admin.fetchval("SELECT count(*) FROM closing_balances WHERE from_entry_id > 1")
    assert starts > 0
    assert await law_two(admin) == []


async def test_a_balance_is_what_its_closing_says_until_that_is_undone(
    app: Connection, admin: Connection
) -> None:
    before = START + timedelta(days=10)
    await post(app, [sale(1_000, fee_minor=30)])
    await bounds(app, 1, before)
    await take_closings(app)
    await post(app, [sale(2_000, fee_minor=50, effective_at=before)])
    assert await _owed(app, before + timedelta(days=1)) == 970 + 1_950
    for table in ("closing_balances", "period_bounds"):
        await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await admin.execute(
        "UPDATE closing_balances SET credit_minor = credit_minor + 1 WHERE credit_minor = 970"
    )
    assert await _owed(app, before + timedelta(days=1)) == 971 + 1_950
    assert await _owed(app, before - RESOLUTION) == 970
    (broken,) = await law_two(admin)
    assert "was taken with 0 and 971 (1 lines), its lines come to 0 and 970 (1)" in broken
    await admin.execute("ALTER TABLE period_bounds ENABLE TRIGGER ALL")
    await bounds(app, 2, START, step="approve_reopening")
    assert await _owed(app, before + timedelta(days=1)) == 970 + 1_950


UNDONE = {
    "more": "UPDATE closing_balances SET debit_minor = debit_minor + 1 WHERE number = 1 AND debit_minor > 0",
    "less": "DELETE FROM closing_balances WHERE number = 1 AND debit_minor > 0",
    "a line": "UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 1",
}


@pytest.mark.parametrize("deed", UNDONE)
async def test_an_undone_closing_still_says_what_was_there_when_it_was_made(
    app: Connection, admin: Connection, deed: str
) -> None:
    before = START + timedelta(days=10)
    await post(app, [sale(1_000, fee_minor=30)])
    await bounds(app, 1, before)
    await take_closings(app)
    await bounds(app, 2, START, step="approve_reopening")
    await post(app, [sale(5_000, fee_minor=50)])
    await bounds(app, 3, before)
    (taken,) = await take_closings(app)
    assert (taken.period, taken.lines) == ("p3", 6)
    assert await law_two(admin) == []
    for table in ("closing_balances", "lines"):
        await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await admin.execute(UNDONE[deed])
    assert any("closing 1 of acme: account" in law for law in await law_two(admin))


async def test_a_balance_from_which_later_lines_were_skipped_is_found(
    app: Connection, admin: Connection
) -> None:
    before = START + timedelta(days=10)
    await post(app, [sale(1_000, fee_minor=30), sale(2_000, fee_minor=50, effective_at=before)])
    await bounds(app, 1, before)
    await take_closings(app)
    assert await _owed(app, before + RESOLUTION) == 970 + 1_950
    await admin.execute("ALTER TABLE closing_balances DISABLE TRIGGER ALL")
    await admin.execute("UPDATE closing_balances SET from_entry_id = 3")
    assert await _owed(app, before + RESOLUTION) == 970
    (broken,) = await law_two(admin)
    assert "has nothing later before entry 3, but entry 2 is effective" in broken


async def test_a_closing_is_taken_while_a_writer_with_an_older_number_commits(
    database: Database, app: Connection
) -> None:
    """Its entry is below the last number, but not there yet: nobody may start behind it."""
    before = START + timedelta(days=10)
    await post(app, [sale(1_000, fee_minor=30)])
    await bounds(app, 1, before)
    writer = await connect(database.app_url, application="late")
    async with writer.transaction():
        await post(writer, [sale(3_000, fee_minor=10, effective_at=before + timedelta(days=1))])
        await post(app, [sale(2_000, fee_minor=50, effective_at=before)], stripe=1)
    await writer.close()
    await take_closings(app)
    assert await _owed(app, before + timedelta(days=2)) == 970 + 1_950 + 2_990


async def test_each_tenant_s_day_ends_at_its_own_midnight(app: Connection) -> None:
    await app.execute(
        "INSERT INTO period_bounds (tenant, calendar, number, zone, unit, step, set_at)"
        " VALUES ('acme', 'books', 1, 'Europe/Berlin', 'month', 'set_calendar', now())"
    )
    midnight = datetime(2026, 3, 31, 22, tzinfo=UTC)  # Berlin's, with summer time since the 29th
    await post(app, [sale(1_000, effective_at=midnight - RESOLUTION), sale(2_000, effective_at=midnight)])
    await post(app, [sale(4_000, effective_at=midnight, tenant="other")])
    before = await in_each_zone(app, lambda zone: end_of("2026-03-31", zone))
    assert before == {"acme": midnight, "other": midnight + timedelta(hours=2)}
    told = await trial_balances_before(app, before, Basis.EFFECTIVE)
    assets = {
        book.tenant: code.balance_minor
        for book in told
        for code in book.codes
        if code.type is AccountType.ASSET
    }
    assert assets == {"acme": 1_000, "other": 4_000}
    named = await in_each_zone(app, lambda zone: end_of("2026-03-31", zone), "acme", "Asia/Tokyo")
    assert named == {"acme": datetime(2026, 3, 31, 15, tzinfo=UTC)}


async def _owed(connection: Connection, before: datetime) -> int:
    (held,) = await balances_before(connection, "merchant_payable", before, Basis.EFFECTIVE)
    return held.balance_minor
