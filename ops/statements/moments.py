"""Which dates count, and what people mean by a date: bounds in time for questions about the books."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RESOLUTION: Final = timedelta(microseconds=1)
"""Of timestamps in PostgreSQL: nothing is between a moment and the one after it."""

_PERIOD: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


class Basis(StrEnum):
    """Which of an entry's dates places it: when the business event happened, or when it was written."""

    EFFECTIVE = "effective"
    POSTING = "posting"


class MomentError(ValueError):
    """A date, moment, period or zone that cannot be understood; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to but without `before`, both in UTC; `name` is how it was asked for, `zone` whose days count."""

    since: datetime
    before: datetime
    name: str
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if self.since >= self.before:
            raise MomentError(f"{self.name}: a period ends after it begins")


def zone_of(name: str) -> ZoneInfo:
    """The time zone in which dates begin and end.

    Raises:
        MomentError: no such zone is known here.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MomentError(f"{name!r} is no time zone; use a name like Europe/Berlin or UTC") from error


def end_of(text: str, zone: ZoneInfo) -> datetime:
    """The bound above `text`: the end of a date (2026-11-30), or just after a moment (2026-11-30T12:00:00Z).

    What happened on that date, or at that very moment, is before the bound. A moment without an offset is the zone's.

    Raises:
        MomentError: it is neither.
    """
    try:
        if len(text) == len("2026-11-30"):
            return _midnight(date.fromisoformat(text) + timedelta(days=1), zone)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC) + RESOLUTION
    except (ValueError, OverflowError) as error:
        raise MomentError(f"{text!r} is neither a date (2026-11-30) nor a moment (RFC 3339)") from error


def period_of(text: str, zone: ZoneInfo) -> Period:
    """A year (2026), a month (2026-11), a day (2026-11-23), or first and last day (2026-11-01..2026-11-15).

    Days begin at midnight of the zone: the one on which clocks go back has 25 hours.

    Raises:
        MomentError: it is none of these.
    """
    first, dots, last = text.partition("..")
    try:
        if dots:
            since, before = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
        else:
            since, before = _span(text)
        return Period(_midnight(since, zone), _midnight(before, zone), text, zone)
    except MomentError:
        raise
    except (ValueError, OverflowError) as error:
        raise MomentError(f"{text!r} is no period: use 2026, 2026-11, 2026-11-23 or first..last") from error


def local(at: datetime, zone: tzinfo) -> str:
    """'2026-10-25 02:30:00 CEST', as clocks of the zone show it; an hour that comes twice has two abbreviations."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _span(text: str) -> tuple[date, date]:
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None  # noqa: S101 - the pattern has no match without it
    if month is None:
        return date(year, 1, 1), date(year + 1, 1, 1)
    if day is None:
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, day), date(year, month, day) + timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
