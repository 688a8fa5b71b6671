"""When a journal is effective, as a person writes it: a date is the start of that day in the tenant's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from ops.statements.moments import MomentError, zone_of

_DATE: Final = len("2026-11-30")


def moment_of(text: str, zone: str) -> datetime:
    """'2026-11-30' or '2026-11-30T12:00', in `zone` unless it says otherwise; in UTC.

    Raises:
        MomentError: it is neither, or that day's clock does not show it.
    """
    place = zone_of(zone)
    try:
        if len(text) == _DATE:
            return datetime.combine(date.fromisoformat(text), time(), place).astimezone(UTC)
        told = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise MomentError(f"{text!r} is neither a date (2026-11-30) nor a moment (RFC 3339)") from error
    if told.tzinfo is not None:
        return told.astimezone(UTC)
    there = told.replace(tzinfo=place)
    if there.astimezone(UTC).astimezone(place).replace(tzinfo=None) != told:
        raise MomentError(f"{text} did not exist in {zone}: the clock went forward over it")
    return there.astimezone(UTC)
