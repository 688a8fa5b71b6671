"""The refund's states and its transition table. What is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a refund stands. `requested` is passed through; nothing rests there."""

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
    FIND = "find"
    HOLD_FOR_APPROVAL = "hold_for_approval"
    APPROVE = "approve"
    DISAPPROVE = "disapprove"
    LAPSE = "lapse"
    CANCEL = "cancel"
    VOID = "void"
    SUBMIT = "submit"
    PEND = "pend"
    SUCCEED = "succeed"
    DECLINE = "decline"
    RETURN = "return"


_NEW: Final = None
_S, _T = State, Trigger

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    (_NEW, _T.REQUEST): _S.REQUESTED,
    # made at the provider by somebody else; the provider tells us
    (_NEW, _T.FIND): _S.SUBMITTED,
    # beyond the policy: somebody else must agree
    (_S.REQUESTED, _T.HOLD_FOR_APPROVAL): _S.PENDING_APPROVAL,
    (_S.PENDING_APPROVAL, _T.APPROVE): _S.REQUESTED,
    (_S.PENDING_APPROVAL, _T.DISAPPROVE): _S.CANCELED,
    (_S.PENDING_APPROVAL, _T.LAPSE): _S.CANCELED,
    (_S.PENDING_APPROVAL, _T.CANCEL): _S.CANCELED,
    # nothing was captured: the payment is voided instead
    (_S.REQUESTED, _T.VOID): _S.CANCELED,
    # asked of the provider, or of people who hand it out, or booked as service credit
    (_S.REQUESTED, _T.SUBMIT): _S.SUBMITTED,
    (_S.SUBMITTED, _T.PEND): _S.PENDING,
    (_S.SUBMITTED, _T.SUCCEED): _S.SUCCEEDED,
    (_S.SUBMITTED, _T.DECLINE): _S.FAILED,
    (_S.PENDING, _T.SUCCEED): _S.SUCCEEDED,
    (_S.PENDING, _T.DECLINE): _S.FAILED,
    # we had given it up, and yet it arrived
    (_S.FAILED, _T.SUCCEED): _S.SUCCEEDED,
    # it had arrived, and came back
    (_S.SUCCEEDED, _T.RETURN): _S.FAILED,
}

RESERVING: Final = frozenset({_S.REQUESTED, _S.PENDING_APPROVAL, _S.SUBMITTED, _S.PENDING})
"""States in which the amount counts as being refunded of its payment; nobody else may promise it again."""

IN_FLIGHT: Final = frozenset({_S.SUBMITTED, _S.PENDING})
"""States in which the amount lies in refund clearing."""

TERMINAL: Final = frozenset(State) - {state for state, _ in TRANSITIONS if state is not None}
"""States that nothing leaves."""
