"""The journal's states and its transition table. What is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a journal stands."""

    COLLECTING = "collecting"
    PROPOSED = "proposed"
    POSTED = "posted"
    REFUSED = "refused"
    LAPSED = "lapsed"


class Trigger(StrEnum):
    """What happens to a journal."""

    BEGIN = "begin"
    PROPOSE = "propose"
    COMPLETE = "complete"
    APPROVE = "approve"
    REFUSE = "refuse"
    LAPSE = "lapse"


_S, _T = State, Trigger

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    # the first of several parts; a journal of one part is proposed at once
    (None, _T.BEGIN): _S.COLLECTING,
    (None, _T.PROPOSE): _S.PROPOSED,
    (_S.COLLECTING, _T.COMPLETE): _S.PROPOSED,
    # somebody else agrees: its entries are in the books with this very step
    (_S.PROPOSED, _T.APPROVE): _S.POSTED,
    # somebody decides against it, or nobody decides, or its parts do not come
    (_S.COLLECTING, _T.REFUSE): _S.REFUSED,
    (_S.PROPOSED, _T.REFUSE): _S.REFUSED,
    (_S.COLLECTING, _T.LAPSE): _S.LAPSED,
    (_S.PROPOSED, _T.LAPSE): _S.LAPSED,
}

OPEN: Final = frozenset({_S.COLLECTING, _S.PROPOSED})
"""States in which somebody still has to act."""
