"""Accounting periods: commands on `ledger.commands`, and `period.events`. One order for all periods of a tenant.

A period is named by its calendar: a month `2026-10`, a quarter `2026-Q4`, a year `2026`. Its days begin at midnight of
the calendar's time zone. Who may do what is data (handlers/periods/states.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from schemas.actor import Actor
from schemas.envelope import Command, Message
from schemas.safe_text import SafeText
from schemas.value import message

if TYPE_CHECKING:
    from datetime import datetime

Unit = Literal["month", "quarter", "year"]
PeriodName = Annotated[str, Field(pattern=r"^[12][0-9]{3}(-(0[1-9]|1[0-2]|Q[1-4]))?$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = "no time zone of the IANA database"
        raise ValueError(msg) from error
    return name


ZoneName = Annotated[
    str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$"), AfterValidator(_known_zone)
]


class CalendarSetData(Command):
    """How the tenant counts its periods; before the first is closed. Without it: months in UTC."""

    zone: ZoneName
    unit: Unit = "month"
    actor: Actor

    def ordering_key(self) -> str:
        """One order for all that is said about a tenant's periods."""
        return "periods"


class PeriodCommandData(Command):
    """Something asked for of one period, by whom, and why."""

    period: PeriodName
    actor: Actor
    note: SafeText = ""

    def ordering_key(self) -> str:
        """One order for all that is said about a tenant's periods."""
        return "periods"


class PeriodNotedData(PeriodCommandData):
    """A command for which somebody must say why."""

    note: Annotated[SafeText, Field(min_length=1)]


class CalendarSet(Message):
    """ledger.calendar_set.v1."""

    type: Literal["ledger.calendar_set.v1"]
    data: CalendarSetData


class PeriodSoftCloseRequested(Message):
    """ledger.period_soft_close_requested.v1: from now on only manual journals reach the period."""

    type: Literal["ledger.period_soft_close_requested.v1"]
    data: PeriodCommandData


class PeriodCloseRequested(Message):
    """ledger.period_close_requested.v1: from now on nothing reaches the period."""

    type: Literal["ledger.period_close_requested.v1"]
    data: PeriodCommandData


class PeriodReopeningRequested(Message):
    """ledger.period_reopening_requested.v1: a closed period waits for approval, a soft-closed one is open at once."""

    type: Literal["ledger.period_reopening_requested.v1"]
    data: PeriodNotedData


class PeriodReopeningApproved(Message):
    """ledger.period_reopening_approved.v1: by somebody else than who asked."""

    type: Literal["ledger.period_reopening_approved.v1"]
    data: PeriodNotedData


class PeriodReopeningRefused(Message):
    """ledger.period_reopening_refused.v1: it stays closed; also who asked may say so."""

    type: Literal["ledger.period_reopening_refused.v1"]
    data: PeriodNotedData


PeriodMessage = (
    CalendarSet
    | PeriodSoftCloseRequested
    | PeriodCloseRequested
    | PeriodReopeningRequested
    | PeriodReopeningApproved
    | PeriodReopeningRefused
)
"""A part of the union of `ledger.commands`."""

PERIOD_EVENT_TYPES: Final = tuple(
    f"period.{state}.v1" for state in ("soft_closed", "closed", "reopening_requested", "reopened")
)


@message
class PeriodChanged:
    """The period as it is after the change. From `starts_at` up to but without `ends_at`.

    `closed_before` and `soft_closed_before` hold for the whole tenant: what is effective before is closed, or open to
    manual journals alone.
    """

    period: str
    state: str
    version: int
    starts_at: datetime
    ends_at: datetime
    zone: str
    closed_before: datetime | None
    soft_closed_before: datetime | None
    actor: str
    note: str
