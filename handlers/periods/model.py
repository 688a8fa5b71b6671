"""A tenant's calendar and its bounds, and a period with its state."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from uuid import UUID

    from handlers.periods.states import State
    from schemas.period import Unit

CALENDAR: Final = "books"
"""The name of a tenant's calendar; it has one."""

MONTHS: Final[dict[Unit, int]] = {"month": 1, "quarter": 3, "year": 12}
LAST_YEAR: Final = 9998
_NAME: Final = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})))?")


@value
class Bounds:
    """How a tenant counts periods, and up to when they are closed: the last of its rows holds.

    What is effective before `closed_before` is closed; before `soft_closed_before`, which is never earlier, only
    manual journals are booked. None: nothing ever was. `step` is what moved the bounds, of which `period`.
    """

    tenant: str
    calendar: str
    number: int
    zone: str
    unit: Unit
    closed_before: datetime | None
    soft_closed_before: datetime | None
    step: str
    period: str | None
    set_at: datetime


BoundsHistory = tuple[Bounds, ...]


@value
class Period:
    """A period that somebody soft-closed or closed. Who asked for a reopening is kept until somebody else decides."""

    tenant: str
    object_id: UUID
    period: str
    state: State
    version: int
    starts_at: datetime
    ends_at: datetime
    reopening_requested_by: str | None
    changed_by: str
    updated_at: datetime


@value
class Span:
    """From `starts_at` up to but without `ends_at`."""

    name: str
    starts_at: datetime
    ends_at: datetime


def period_id_of(tenant: str, period: str) -> UUID:
    """The identity of a tenant's period."""
    return ids.derived_id(ids.NAMESPACE, f"period/{tenant}/{period}")


def span_of(name: str, zone: str, unit: Unit) -> Span | None:
    """The period of that name; None when the calendar has none.

    It begins and ends at midnight of the zone: a month with a change of clocks is an hour shorter or longer. Where
    clocks skip midnight, the day begins when they go on (as zoneinfo reads a time that does not exist, by the offset
    before it); where midnight comes twice, with the first.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    year, quarter, month = (int(part) if part else None for part in match.groups())
    named = "quarter" if quarter else "month" if month else "year"
    if year is None or not 1 <= year <= LAST_YEAR or named != unit:
        return None
    first = quarter * 3 - 2 if quarter else month or 1
    after = first + MONTHS[unit]
    begins = date(year, first, 1)
    ends = date(year + (after - 1) // 12, (after - 1) % 12 + 1, 1)
    return Span(name, _midnight(begins, zone), _midnight(ends, zone))


def period_at(moment: datetime, zone: str, unit: Unit) -> str:
    """The name of the period in which a moment lies; at the ends of time, where a zone has no date, that of UTC."""
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        local = moment
    if unit == "month":
        return f"{local.year:04}-{local.month:02}"
    if unit == "quarter":
        return f"{local.year:04}-Q{(local.month + 2) // 3}"
    return f"{local.year:04}"


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
