"""The dispute's states and its transition table. What is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a dispute stands. An inquiry moves no money yet; from `opened` on the funds are withdrawn."""

    INQUIRY = "inquiry"
    OPENED = "opened"
    EVIDENCE_DUE = "evidence_due"
    EVIDENCE_SUBMITTED = "evidence_submitted"
    WON = "won"
    LOST = "lost"
    ACCEPTED = "accepted"
    EXPIRED = "expired"


class Trigger(StrEnum):
    """What happens to a dispute."""

    INQUIRE = "inquire"
    OPEN = "open"
    REMIND = "remind"
    SUBMIT_EVIDENCE = "submit_evidence"
    ACCEPT = "accept"
    WIN = "win"
    LOSE = "lose"
    EXPIRE = "expire"
    ESCALATE = "escalate"
    REOPEN = "reopen"


class Standing(StrEnum):
    """What a dispute means for its payment: nothing yet, its money is in question, came back, or is gone."""

    NONE = "none"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


_NEW: Final = None
_S, _T = State, Trigger
_WAITS: Final = (_S.OPENED, _S.EVIDENCE_DUE, _S.EVIDENCE_SUBMITTED)
_ENDED: Final = (_S.WON, _S.LOST, _S.ACCEPTED, _S.EXPIRED)

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    (_NEW, _T.INQUIRE): _S.INQUIRY,
    (_NEW, _T.OPEN): _S.OPENED,
    # a question of the bank's, before it takes the money
    (_S.INQUIRY, _T.SUBMIT_EVIDENCE): _S.INQUIRY,
    (_S.INQUIRY, _T.OPEN): _S.OPENED,
    (_S.INQUIRY, _T.WIN): _S.WON,
    (_S.INQUIRY, _T.ACCEPT): _S.ACCEPTED,
    (_S.INQUIRY, _T.EXPIRE): _S.EXPIRED,
    # the money is gone until somebody decides
    (_S.OPENED, _T.REMIND): _S.EVIDENCE_DUE,
    **{(state, _T.SUBMIT_EVIDENCE): _S.EVIDENCE_SUBMITTED for state in _WAITS},
    **{(state, _T.ACCEPT): _S.ACCEPTED for state in _WAITS},
    **{(state, _T.WIN): _S.WON for state in _WAITS},
    **{(state, _T.LOSE): _S.LOST for state in _WAITS},
    (_S.OPENED, _T.EXPIRE): _S.EXPIRED,
    (_S.EVIDENCE_DUE, _T.EXPIRE): _S.EXPIRED,
    # nobody answered in time, and yet the other side gave in, or the loss is confirmed
    (_S.EXPIRED, _T.WIN): _S.WON,
    (_S.EXPIRED, _T.LOSE): _S.LOST,
    (_S.ACCEPTED, _T.LOSE): _S.LOST,
    # the next stage: a chargeback after an inquiry, pre-arbitration or arbitration after that;
    # the provider's report of it may overtake the report of how the stage before ended
    **{(state, _T.ESCALATE): _S.OPENED for state in (*_WAITS, *_ENDED)},
    # the provider takes back, within a stage, what it had said
    (_S.EVIDENCE_SUBMITTED, _T.REOPEN): _S.OPENED,
    **{(state, _T.REOPEN): _S.OPENED for state in _ENDED},
    **{(state, _T.INQUIRE): _S.INQUIRY for state in (_S.WON, _S.ACCEPTED, _S.EXPIRED)},
}

ANSWERABLE: Final = frozenset({_S.INQUIRY, _S.OPENED, _S.EVIDENCE_DUE})
"""States in which the bank waits for our evidence; the due date ends them."""

STAGES: Final = ("inquiry", "chargeback", "second_chargeback")
"""In the order in which a dispute goes through them."""

_STANDING: Final = {
    _S.INQUIRY: Standing.NONE,
    _S.WON: Standing.WON,
    _S.LOST: Standing.LOST,
    _S.ACCEPTED: Standing.LOST,
}


def standing_of(state: State, stage: str, reported_status: str) -> Standing:
    """What a dispute means for the money.

    An inquiry takes none, however it ends. `expired` by our clock is not the end: whether the money is lost is for
    the provider to say (law 6).
    """
    if stage == "inquiry":
        return Standing.NONE
    if state is State.EXPIRED and reported_status == "expired":
        return Standing.LOST
    return _STANDING.get(state, Standing.OPEN)
