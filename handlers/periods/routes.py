"""The messages that periods handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.needs import Need, Route
from handlers.periods.model import CALENDAR, period_id_of
from handlers.periods.rules import (
    approve_reopening,
    close,
    refuse_reopening,
    request_reopening,
    set_calendar,
    soft_close,
)

if TYPE_CHECKING:
    from handlers.needs import Key
    from schemas.envelope import Message


def _calendar_key(message: Message) -> Key:
    return message.tenant, CALENDAR


def _period_key(message: Message) -> Key:
    return message.tenant, period_id_of(message.tenant, message.data.period)


BOUNDS: Final = Need("period_bounds", _calendar_key)
PERIOD: Final = Need("period", _period_key)

ROUTES: Final[dict[str, Route]] = {
    "ledger.calendar_set.v1": Route(set_calendar, (BOUNDS,)),
    "ledger.period_soft_close_requested.v1": Route(soft_close, (BOUNDS, PERIOD)),
    "ledger.period_close_requested.v1": Route(close, (BOUNDS, PERIOD)),
    "ledger.period_reopening_requested.v1": Route(request_reopening, (BOUNDS, PERIOD)),
    "ledger.period_reopening_approved.v1": Route(approve_reopening, (BOUNDS, PERIOD)),
    "ledger.period_reopening_refused.v1": Route(refuse_reopening, (BOUNDS, PERIOD)),
}
