"""The period's states, its transition table, and who may do what. What is not in it does not happen (law 5).

A period that nobody has touched is open and has no row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.actor import Role


class State(StrEnum):
    """Where a period stands; in `reopening_requested` it is still closed."""

    SOFT_CLOSED = "soft_closed"
    CLOSED = "closed"
    REOPENING_REQUESTED = "reopening_requested"
    REOPENED = "reopened"


class Trigger(StrEnum):
    """What people do to a period."""

    SOFT_CLOSE = "soft_close"
    CLOSE = "close"
    LIFT = "lift"
    REQUEST_REOPENING = "request_reopening"
    APPROVE_REOPENING = "approve_reopening"
    REFUSE_REOPENING = "refuse_reopening"


_NEW: Final = None
_S, _T = State, Trigger

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    (_NEW, _T.SOFT_CLOSE): _S.SOFT_CLOSED,
    (_NEW, _T.CLOSE): _S.CLOSED,
    (_S.SOFT_CLOSED, _T.CLOSE): _S.CLOSED,
    (_S.SOFT_CLOSED, _T.LIFT): _S.REOPENED,
    # a closed period opens again by two people
    (_S.CLOSED, _T.REQUEST_REOPENING): _S.REOPENING_REQUESTED,
    (_S.REOPENING_REQUESTED, _T.APPROVE_REOPENING): _S.REOPENED,
    (_S.REOPENING_REQUESTED, _T.REFUSE_REOPENING): _S.CLOSED,
    (_S.REOPENED, _T.SOFT_CLOSE): _S.SOFT_CLOSED,
    (_S.REOPENED, _T.CLOSE): _S.CLOSED,
}

MAY: Final[dict[Trigger, frozenset[Role]]] = {
    # a program may stop the machines' bookings at the month's end; people close the books
    _T.SOFT_CLOSE: frozenset({"system", "finance"}),
    _T.CLOSE: frozenset({"finance"}),
    _T.LIFT: frozenset({"finance"}),
    _T.REQUEST_REOPENING: frozenset({"finance"}),
    _T.APPROVE_REOPENING: frozenset({"finance"}),
    _T.REFUSE_REOPENING: frozenset({"finance"}),
}
"""Which roles may do it."""

SHUT: Final = frozenset({_S.CLOSED, _S.REOPENING_REQUESTED})
"""States of a period that nothing reaches."""
