"""Times to PostgreSQL and back: the codec of db.connection against PostgreSQL's own reading of the same text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from db.connection import connect

if TYPE_CHECKING:
    from tests.conftest import Database

TIMES = [
    datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2))),
    datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1))),
    datetime(2026, 3, 29, 2, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
]


@pytest.mark.parametrize("time", TIMES, ids=str)
async def test_a_time_is_the_same_to_us_and_to_postgresql(database: Database, time: datetime) -> None:
    connection = await connect(database.app_url, application="test")
    row = await connection.fetchrow(
        "SELECT $1::timestamptz = $2::text::timestamptz, $1::timestamptz", time, time.isoformat()
    )
    await connection.close()
    assert row is not None
    same, back = row
    assert same
    assert (back, back.utcoffset()) == (time, timedelta(0))


async def test_the_hour_that_comes_twice_is_two_hours(database: Database) -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    connection = await connect(database.app_url, application="test")
    back = [await connection.fetchval("SELECT $1::timestamptz", first.replace(fold=fold)) for fold in (0, 1)]
    await connection.close()
    assert back == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    connection = await connect(database.app_url, application="test")
    with pytest.raises(Exception, match="offset-naive"):
        await connection.fetchval("SELECT $1::timestamptz", datetime(2026, 1, 1))  # noqa: DTZ001
    await connection.close()
