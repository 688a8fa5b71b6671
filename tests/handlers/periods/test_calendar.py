"""When periods begin and end: by name, zone and unit; over month ends, leap years and changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.periods.model import MONTHS, Span, period_at, span_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SPANS = [
    # name, zone, unit, starts (UTC), how long
    ("2026-10", "UTC", "month", "2026-10-01T00:00", 31 * DAY),
    ("2026-10", "Europe/Berlin", "month", "2026-09-30T22:00", 31 * DAY + HOUR),
    ("2026-03", "Europe/Berlin", "month", "2026-02-28T23:00", 31 * DAY - HOUR),
    ("2028-02", "Europe/Berlin", "month", "2028-01-31T23:00", 29 * DAY),
    ("2026-02", "Asia/Kathmandu", "month", "2026-01-31T18:15", 28 * DAY),
    ("2026-11", "America/New_York", "month", "2026-11-01T04:00", 30 * DAY + HOUR),
    ("2026-04", "Australia/Lord_Howe", "month", "2026-03-31T13:00", 30 * DAY + HOUR / 2),
    ("2011-12", "Pacific/Apia", "month", "2011-12-01T10:00", 30 * DAY),  # which had no 30th
    ("2026-Q4", "UTC", "quarter", "2026-10-01T00:00", 92 * DAY),
    ("2026-Q1", "Europe/Berlin", "quarter", "2025-12-31T23:00", 90 * DAY - HOUR),
    ("2028", "UTC", "year", "2028-01-01T00:00", 366 * DAY),
]


@pytest.mark.parametrize(("name", "zone", "unit", "starts", "length"), SPANS, ids=str)
def test_a_period_begins_and_ends_at_midnight_of_its_zone(
    name: str, zone: str, unit: str, starts: str, length: timedelta
) -> None:
    starts_at = datetime.fromisoformat(starts).replace(tzinfo=UTC)
    assert span_of(name, zone, unit) == Span(name, starts_at, starts_at + length)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("2026-Q4", "month"),
        ("2026", "month"),
        ("2026-10", "quarter"),
        ("2026-10", "year"),
        ("2026-13", "quarter"),
        ("9999-12", "month"),
        ("0000-01", "month"),
        ("2026-10-01", "month"),
        ("", "year"),
        ("\u0662\u0660\u0662\u0666", "month"),
    ],
)
def test_a_name_of_another_unit_or_of_none_names_no_period(name: str, unit: str) -> None:
    assert span_of(name, "UTC", unit) is None  # type: ignore[arg-type]


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timezone_keys(allow_prefix=False),
    st.sampled_from(sorted(MONTHS)),
)
def test_every_moment_lies_in_exactly_one_period_and_that_one_is_named(
    moment: datetime, zone: str, unit: str
) -> None:
    name = period_at(moment, zone, unit)  # type: ignore[arg-type]
    span = span_of(name, zone, unit)  # type: ignore[arg-type]
    assert span is not None
    assert span.starts_at <= moment < span.ends_at
    following = span_of(period_at(span.ends_at, zone, unit), zone, unit)  # type: ignore[arg-type]
    assert following is not None
    assert following.starts_at == span.ends_at
    assert following.name > name
    assert span.starts_at.astimezone(ZoneInfo(zone)).day in {1, 2}


def test_the_ends_of_time_have_a_period_too() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert period_at(first, "America/New_York", "month") == "0001-01"
    assert period_at(last, "Asia/Tokyo", "month") == "9999-12"
