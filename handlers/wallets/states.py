"""The hold's states and its transition table. What is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a hold stands."""

    PLACED = "placed"
    PARTLY_POSTED = "partly_posted"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Trigger(StrEnum):
    """What happens to a hold."""

    PLACE = "place"
    POST_PART = "post_part"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


_S, _T = State, Trigger

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    (None, _T.PLACE): _S.PLACED,
    # spent in parts; with the last one, what is left is free again
    (_S.PLACED, _T.POST_PART): _S.PARTLY_POSTED,
    (_S.PARTLY_POSTED, _T.POST_PART): _S.PARTLY_POSTED,
    (_S.PLACED, _T.POST): _S.POSTED,
    (_S.PARTLY_POSTED, _T.POST): _S.POSTED,
    # let go, by somebody or by time; what was posted before stays posted
    (_S.PLACED, _T.VOID): _S.VOIDED,
    (_S.PARTLY_POSTED, _T.VOID): _S.VOIDED,
    (_S.PLACED, _T.EXPIRE): _S.EXPIRED,
    (_S.PARTLY_POSTED, _T.EXPIRE): _S.EXPIRED,
}

RESERVING: Final = frozenset({_S.PLACED, _S.PARTLY_POSTED})
"""States in which a hold keeps what it has not posted."""
