"""What people mean by a date: ends that count, days of 23 and 25 hours, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops.statements.moments import RESOLUTION, MomentError, end_of, period_of, zone_of

UTC_ZONE = zone_of("UTC")
BERLIN = zone_of("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("2026-11-30", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2026-11-30T12:00:00Z", datetime(2026, 11, 30, 12, tzinfo=UTC) + RESOLUTION),
        ("2026-11-30T12:00:00+02:00", datetime(2026, 11, 30, 10, tzinfo=UTC) + RESOLUTION),
        ("2026-11-30T12:00:00", datetime(2026, 11, 30, 12, tzinfo=UTC) + RESOLUTION),
    ],
)
def test_a_date_is_over_at_its_end_and_a_moment_right_after_it(text: str, bound: datetime) -> None:
    assert end_of(text, UTC_ZONE) == bound


def test_a_date_ends_at_midnight_of_its_zone() -> None:
    assert end_of("2026-10-24", BERLIN) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert end_of("2026-10-25", BERLIN) == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("2026-10-25", 25), ("2026-03-29", 23), ("2026-11-23", 24), ("2026-03", 31 * 24 - 1), ("2026", 8760)],
)
def test_a_day_has_as_many_hours_as_its_clock_says(text: str, hours: int) -> None:
    period = period_of(text, BERLIN)
    assert period.before - period.since == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "since", "before"),
    [
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2026-02", (2026, 2, 1), (2026, 3, 1)),
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026-11-01..2026-11-15", (2026, 11, 1), (2026, 11, 16)),
    ],
)
def test_a_period_has_both_its_ends(
    text: str, since: tuple[int, int, int], before: tuple[int, int, int]
) -> None:
    period = period_of(text, UTC_ZONE)
    assert (period.since, period.before) == (datetime(*since, tzinfo=UTC), datetime(*before, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-1", "last month", "2026-02-30", "2026-11-15..2026-11-01", "9999", "0000"]
)
def test_what_is_no_period_is_told(text: str) -> None:
    with pytest.raises(MomentError, match="period"):
        period_of(text, UTC_ZONE)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "1795428000", "9999-12-31"])
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(MomentError, match="neither a date"):
        end_of(text, UTC_ZONE)


@pytest.mark.parametrize("name", ["Nowhere/City", "../../etc/passwd", ""])
def test_what_is_no_zone_is_told(name: str) -> None:
    with pytest.raises(MomentError, match="no time zone"):
        zone_of(name)
