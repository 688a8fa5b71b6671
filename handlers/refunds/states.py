"""The refund's states and its transition table. What is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    PENDING_APPROVAL = "pending_approval"
    SUBMITTED = "submitted"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Trigger(StrEnum):
    """What happens to a refund."""

    REQUEST = "request"
    HOLD_FOR_APPROVAL = "hold_for_approval"
    APPROVE = "approve"
    DISAPPROVE = "disapprove"
    LAPSE = "lapse"
    SUBMIT = "submit"
    PEND = "pend"
    SUCCEED = "succeed"
    DECLINE = "decline"
    RETURN = "return"
    CANCEL = "cancel"


_NEW: Final = None
_S, _T = State, Trigger

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    (_NEW, _T.REQUEST): _S.REQUESTED,
    # beyond the policy: somebody else must agree
    (_S.REQUESTED, _T.HOLD_FOR_APPROVAL): _S.PENDING_APPROVAL,
    (_S.PENDING_APPROVAL, _T.APPROVE): _S.REQUESTED,
    (_S.PENDING_APPROVAL, _T.DISAPPROVE): _S.CANCELED,
    (_S.PENDING_APPROVAL, _T.LAPSE): _S.CANCELED,
    (_S.PENDING_APPROVAL, _T.CANCEL): _S.CANCELED,
    # asked of the provider, or booked as service credit, or given as a void
    (_S.REQUESTED, _T.SUBMIT): _S.SUBMITTED,
    (_S.REQUESTED, _T.CANCEL): _S.CANCELED,
    (_S.SUBMITTED, _T.PEND): _S.PENDING,
    (_S.SUBMITTED, _T.SUCCEED): _S.SUCCEEDED,
    (_S.SUBMITTED, _T.DECLINE): _S.FAILED,
    (_S.PENDING, _T.SUCCEED): _S.SUCCEEDED,
    (_S.PENDING, _T.DECLINE): _S.FAILED,
    # it had arrived, and came back
    (_S.SUCCEEDED, _T.RETURN): _S.FAILED,
}
