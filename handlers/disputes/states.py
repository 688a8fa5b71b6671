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


_NEW: Final = None
_S, _T = State, Trigger
_WAITS: Final = (_S.OPENED, _S.EVIDENCE_DUE, _S.EVIDENCE_SUBMITTED)

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
    # the second round: pre-arbitration after a win, arbitration after a loss
    (_S.WON, _T.ESCALATE): _S.OPENED,
    (_S.LOST, _T.ESCALATE): _S.OPENED,
}
