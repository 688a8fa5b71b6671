"""Periods on the real database: what is late, who may close, and closes that race with bookings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import pytest

from ops.periods.closings import take_closings
from tests.engines import broken_laws, content, feeds, outcomes, published, reasons
from tests.shop import TENANT, event, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database
    from tests.engines import Feed

LEDGER: Final = "ledger.commands"
OCTOBER: Final = "2026-10-20T10:00:00Z"
NOVEMBER: Final = "2026-11-20T10:00:00Z"
BEFORE: Final = datetime(2026, 11, 1, tzinfo=UTC)


def about(event_id: str, command: str, period: str = "2026-10", who: str = "grace", **members: Any) -> bytes:
    """A command about a period."""
    data = {
        "idempotency_key": event_id,
        "period": period,
        "actor": {"id": who, "role": "finance"},
        "note": "as agreed",
    }
    return event(event_id, f"ledger.period_{command}", data | members)


def close(event_id: str = "close", period: str = "2026-10", **members: Any) -> bytes:
    """Close a month."""
    return about(event_id, "close_requested", period, **members)


def calendar(zone: str, unit: str = "month", event_id: str = "calendar") -> bytes:
    """How the tenant counts."""
    data = {
        "idempotency_key": event_id,
        "zone": zone,
        "unit": unit,
        "actor": {"id": "grace", "role": "finance"},
    }
    return event(event_id, "ledger.calendar_set", data)


class Shop:
    """Two engines, one for what shops say and one for commands to the books."""

    def __init__(self, shops: Feed, books: Feed) -> None:
        self.shops = shops
        self.books = books

    async def take(self, *bodies: bytes) -> None:
        """In this order; what goes to the same topic without a break is a batch."""
        for to_books, batch in groupby(bodies, lambda body: b'"type":"ledger.' in body):
            await (self.books if to_books else self.shops).take(*batch)


@pytest.fixture
async def shop(database: Database, admin: Connection) -> AsyncIterator[Shop]:
    """A merchant, a sale in October and one in November; it is December."""
    await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
    async with feeds(database.app_url, 1) as (shops,), feeds(database.app_url, 1, LEDGER) as (books,):
        shop = Shop(shops, books)
        await shop.take(fees(), sale("s1", "o1", time=OCTOBER), sale("s2", "o2", time=NOVEMBER))
        yield shop


async def dates(admin: Connection) -> dict[str, tuple[datetime, datetime | None, str | None]]:
    """Event -> effective date of its entry, and its origin."""
    rows = await admin.fetch(
        "SELECT e.event_id, e.effective_at, o.origin_effective_at, o.period FROM entries AS e"
        " LEFT JOIN entry_origins AS o ON o.entry_id = e.entry_id AND o.tenant = e.tenant"
    )
    return {row["event_id"]: (row[1], row[2], row[3]) for row in rows}


async def test_what_comes_late_is_booked_into_the_open_period_and_names_its_origin(
    admin: Connection, shop: Shop
) -> None:
    await shop.take(close())
    await shop.take(sale("late", "o3", time=OCTOBER), sale("timely", "o4", time=NOVEMBER))
    found = await dates(admin)
    happened = datetime(2026, 10, 20, 10, tzinfo=UTC)
    assert found["late"] == (BEFORE, happened, "2026-10")
    assert found["timely"][1:] == (None, None)
    assert found["s1"] == (happened, None, None)
    origins = {
        message["causation"]: message["data"]["origin"]
        for message in await published(admin, "ledger.entries")
    }
    assert origins == {
        "s1": None,
        "s2": None,
        "timely": None,
        "late": {"effective_at": "2026-10-20T10:00:00+00:00", "period": "2026-10"},
    }
    assert await broken_laws(admin) == []


async def test_what_is_taken_in_before_the_close_is_in_and_what_comes_after_is_late(
    admin: Connection, shop: Shop
) -> None:
    await shop.take(sale("in", "o3", time=OCTOBER), close(), sale("late", "o4", time=OCTOBER))
    found = await dates(admin)
    assert (found["in"][2], found["late"][2]) == (None, "2026-10")
    assert await broken_laws(admin) == []


async def test_a_closing_keeps_what_every_account_held(
    admin: Connection, shop: Shop, database: Database
) -> None:
    await shop.take(close(), sale("late", "o3", time=OCTOBER))
    assert len(await broken_laws(admin)) == 0
    connection = await asyncpg.connect(database.app_url)
    (taken,) = await take_closings(connection)
    assert (taken.period, taken.lines) == ("2026-10", 3)
    assert await take_closings(connection) == []
    held = await connection.fetch(
        "SELECT a.code, b.debit_minor, b.credit_minor FROM closing_balances AS b JOIN accounts AS a USING (account_id)"
    )
    assert {tuple(row) for row in held} == {
        ("terminal_receivable", 1999, 0),
        ("merchant_payable", 0, 1919),
        ("platform_fee_revenue", 0, 80),
    }
    await connection.close()
    assert await broken_laws(admin) == []


async def test_a_reopened_period_takes_entries_and_is_closed_anew_with_balances_of_its_own(
    admin: Connection, shop: Shop, database: Database
) -> None:
    connection = await asyncpg.connect(database.app_url)
    await shop.take(close())
    await take_closings(connection)
    await shop.take(
        about("ask", "reopening_requested"),
        about("mine", "reopening_approved"),
        sale("late", "o3", time=OCTOBER),
        about("yours", "reopening_approved", who="ada"),
        sale("in", "o4", time=OCTOBER),
    )
    assert (await reasons(admin))["mine"] == "four_eyes"
    found = await dates(admin)
    assert (found["late"][2], found["in"][2]) == ("2026-10", None)
    assert await take_closings(connection) == []
    assert await broken_laws(admin) == []
    await shop.take(close("again"))
    (taken,) = await take_closings(connection)
    assert taken.lines == 6
    await connection.close()
    assert await admin.fetchval("SELECT count(*) FROM period_closings") == 2
    assert [message["type"] for message in await published(admin, "period.events")] == [
        "period.closed.v1",
        "period.reopening_requested.v1",
        "period.reopened.v1",
        "period.closed.v1",
    ]
    log = await admin.fetch(
        "SELECT actor, action FROM audit_log WHERE object_type = 'period' ORDER BY audit_id"
    )
    assert [tuple(row) for row in log] == [
        ("grace", "period.close"),
        ("grace", "period.request_reopening"),
        ("ada", "period.approve_reopening"),
        ("grace", "period.close"),
    ]
    assert await broken_laws(admin) == []


async def test_what_may_not_be_done_to_a_period_is_refused_with_the_reason(
    admin: Connection, shop: Shop
) -> None:
    await shop.take(
        close("early", "2026-12"),
        close("odd", "2026-Q4"),
        close("agent", actor={"id": "ada", "role": "support"}),
        close("close"),
        close("twice"),
        close("close-2", "2026-11", idempotency_key="close"),
        close("close-3", idempotency_key="close"),
        calendar("Europe/Berlin"),
        close("before", "2026-09"),
    )
    found = await reasons(admin)
    assert {
        name: found[name] for name in ("early", "odd", "agent", "twice", "close-2", "calendar", "before")
    } == {
        "early": "period_not_over",
        "odd": "period_unknown",
        "agent": "actor_not_allowed",
        "twice": "state_forbids",
        "close-2": "idempotency_key_reused",
        "calendar": "calendar_in_use",
        "before": "period_out_of_order",
    }
    assert (await outcomes(admin))["close-3"] == "duplicate"
    assert await broken_laws(admin) == []


async def test_a_month_ends_at_midnight_of_its_zone_on_the_day_when_clocks_change(
    admin: Connection, shop: Shop
) -> None:
    """October 2026 in Berlin ends at 23:00 UTC: summer time ended on the 25th. March began in winter time."""
    await shop.take(calendar("Europe/Berlin"), close())
    await shop.take(
        sale("last", "o3", time="2026-10-31T22:59:59.999999Z"),
        sale("first", "o4", time="2026-10-31T23:00:00Z"),
    )
    found = await dates(admin)
    assert found["last"][2] == "2026-10"
    assert found["last"][0] == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert found["first"][1] is None
    assert await broken_laws(admin) == []


async def test_the_database_itself_refuses_what_is_dated_into_a_closed_period(
    admin: Connection, shop: Shop
) -> None:
    await shop.take(close())
    await shop.take(about("soft", "soft_close_requested", "2026-11"))
    entry = "INSERT INTO entries VALUES ($1, nextval('entry_id_seq'), 'r', $2, 'x', '/s', 'e', 2, $3, now())"
    october, november = datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    await admin.execute("SET session_replication_role = replica")
    for kind, moment in (("payment", october), ("journal", october), ("payment", november)):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
            await admin.execute(entry, TENANT, kind, moment)
    with pytest.raises(asyncpg.CheckViolationError, match="READ COMMITTED"):
        async with admin.transaction(isolation="repeatable_read"):
            await admin.execute(entry, TENANT, "payment", datetime(2026, 12, 1, tzinfo=UTC))
    async with admin.transaction():
        await admin.execute(entry, TENANT, "journal", november)
        await admin.execute(entry, "other", "payment", october)
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute(
            "INSERT INTO period_bounds SELECT tenant, calendar, number + 1, zone, unit,"
            " closed_before - interval '1 day', soft_closed_before, 'close', period, set_at, snapshot, xid"
            " FROM period_bounds ORDER BY number DESC LIMIT 1"
        )


async def test_a_manual_journal_into_a_soft_closed_period_is_the_only_thing_that_is_not_moved(
    admin: Connection, shop: Shop
) -> None:
    await shop.take(about("soft", "soft_close_requested"), sale("late", "o3", time=OCTOBER))
    assert (await dates(admin))["late"] == (BEFORE, datetime(2026, 10, 20, 10, tzinfo=UTC), "2026-10")
    await shop.take(about("lift", "reopening_requested"), sale("in", "o4", time=OCTOBER))
    assert (await dates(admin))["in"][1] is None
    assert await broken_laws(admin) == []


async def test_closes_that_race_with_two_engines_leave_no_entry_behind(
    database: Database, admin: Connection, shop: Shop
) -> None:
    """Months close and open again while two engines book into them: what is booked is late or was there before."""
    async with feeds(database.app_url, 3) as (_, one, other):
        commands = shop.books

        async def book(feed: Feed) -> None:
            for batch in range(25):
                names = (f"{feed.partition}-{batch}-{number}" for number in range(20))
                await feed.take(*(sale(name, name, time=OCTOBER) for name in names))

        async def open_and_close() -> None:
            for turn in range(8):
                await commands.take_each(
                    about(f"soft-{turn}", "soft_close_requested"),
                    close(f"close-{turn}"),
                    about(f"ask-{turn}", "reopening_requested"),
                    about(f"yes-{turn}", "reopening_approved", who="ada"),
                )
            await commands.take(close())

        await asyncio.gather(book(one), book(other), open_and_close())
        connection = await asyncpg.connect(database.app_url)
        await take_closings(connection)
        await connection.close()
        assert await admin.fetchval("SELECT count(*) FROM entries") == 1002
        assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 0
        assert set((await outcomes(admin)).values()) == {"applied"}
        assert await broken_laws(admin) == []
        before = await content(admin)
        await one.again()
        await commands.again()
        assert await content(admin) == before


SMUGGLED: Final = """
ALTER TABLE entries DISABLE TRIGGER entries_xid;
INSERT INTO entries
VALUES ('acme', nextval('entry_id_seq'), 'r', 'payment', 'x', '/s', 'e', 2, '2026-10-31', now());
ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_xid
"""

TAMPERING: Final = [
    # what a superuser does, what `check` says about it
    (
        SMUGGLED,
        "was written after the books were closed before",
    ),
    ("UPDATE closing_balances SET debit_minor = debit_minor + 1", "its lines come to"),
    ("DELETE FROM closing_balances", "counts 3 accounts with 3 lines, it has 0 with 0"),
    ("DELETE FROM period_closings", "has balances, but was never taken"),
    ("UPDATE period_closings SET period = '2026-09'", "is not one of its bounds"),
    (
        "UPDATE period_bounds SET closed_before = closed_before - interval '1 day'",
        "but the books are closed before",
    ),
    ("DELETE FROM period_bounds", "but the books are closed before nothing"),
    ("UPDATE periods SET state = 'reopened'", "its transitions end in closed"),
    ("DELETE FROM periods", "is missing at version 0"),
    ("DELETE FROM entry_origins", "and was published with"),
    ("UPDATE entry_origins SET origin_effective_at = '2026-12-24'", "had not been closed until then"),
    ("UPDATE entry_origins SET entry_id = 999", "has no entry"),
    ("DELETE FROM outbox_batches WHERE topic = 'period.events'", "which is not in the outbox"),
    (
        "ALTER TABLE period_bounds DISABLE TRIGGER period_bounds_follow",
        "period_bounds_follow on period_bounds is",
    ),
]


@pytest.mark.parametrize(("deed", "told"), TAMPERING, ids=[deed[:60] for deed, _ in TAMPERING])
async def test_what_is_changed_behind_the_guards_is_found(
    admin: Connection, shop: Shop, database: Database, deed: str, told: str
) -> None:
    await shop.take(close())
    await shop.take(sale("late", "o3", time=OCTOBER))
    connection = await asyncpg.connect(database.app_url)
    await take_closings(connection)
    await connection.close()
    assert await broken_laws(admin) == []
    for table in ("outbox_batches", "period_bounds", "period_closings", "closing_balances", "entry_origins"):
        await admin.execute(
            f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only".replace("batches_a", "a")
        )
    await admin.execute(deed)
    assert told in " ".join(await broken_laws(admin))
