"""The payment's states and its transition table. The table is the design: what is not in it does not happen (law 5)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a payment stands."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    SETTLING = "settling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CHARGEBACK_OPEN = "chargeback_open"
    CHARGEBACK_WON = "chargeback_won"
    CHARGEBACK_LOST = "chargeback_lost"


class Trigger(StrEnum):
    """What happens to a payment."""

    OPEN_WITHOUT_METHOD = "open_without_method"
    OPEN_WITH_METHOD = "open_with_method"
    OPEN_CONFIRMED = "open_confirmed"
    RECORD = "record"
    DEFER = "defer"
    CONFIRM = "confirm"
    CHALLENGE = "challenge"
    RETURN_FROM_CHALLENGE = "return_from_challenge"
    ABANDON_CHALLENGE = "abandon_challenge"
    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    COMPLETE = "complete"
    DECLINE = "decline"
    GIVE_UP = "give_up"
    FIND_UNAVAILABLE = "find_unavailable"
    EXPIRE = "expire"
    CANCEL = "cancel"
    RELEASE = "release"
    PEND = "pend"
    RETURN = "return"
    AUTHORIZE_LATE = "authorize_late"
    CAPTURE_LATE = "capture_late"
    MISS_COLLECTION = "miss_collection"
    REFUND_PART = "refund_part"
    REFUND_WHOLE = "refund_whole"
    RETURN_REFUND = "return_refund"
    OPEN_CHARGEBACK = "open_chargeback"
    WIN_CHARGEBACK = "win_chargeback"
    LOSE_CHARGEBACK = "lose_chargeback"


_NEW: Final = None
_S, _T = State, Trigger
_UNPAID: Final = (_S.REQUIRES_PAYMENT_METHOD, _S.REQUIRES_CONFIRMATION, _S.FAILED, _S.EXPIRED)

TRANSITIONS: Final[dict[tuple[State | None, Trigger], State]] = {
    # opened by the shop, or learned of afterwards
    (_NEW, _T.OPEN_WITHOUT_METHOD): _S.REQUIRES_PAYMENT_METHOD,
    (_NEW, _T.OPEN_WITH_METHOD): _S.REQUIRES_CONFIRMATION,
    (_NEW, _T.OPEN_CONFIRMED): _S.PROCESSING,
    (_NEW, _T.RECORD): _S.SUCCEEDED,
    (_NEW, _T.DEFER): _S.SETTLING,
    # waiting for the customer; paid otherwise; given up
    (_S.REQUIRES_PAYMENT_METHOD, _T.CONFIRM): _S.PROCESSING,
    (_S.REQUIRES_PAYMENT_METHOD, _T.RECORD): _S.SUCCEEDED,
    (_S.REQUIRES_PAYMENT_METHOD, _T.DEFER): _S.SETTLING,
    (_S.REQUIRES_PAYMENT_METHOD, _T.CANCEL): _S.CANCELED,
    (_S.REQUIRES_CONFIRMATION, _T.CONFIRM): _S.PROCESSING,
    (_S.REQUIRES_CONFIRMATION, _T.RECORD): _S.SUCCEEDED,
    (_S.REQUIRES_CONFIRMATION, _T.DEFER): _S.SETTLING,
    (_S.REQUIRES_CONFIRMATION, _T.CANCEL): _S.CANCELED,
    # the provider has been asked
    (_S.PROCESSING, _T.CHALLENGE): _S.REQUIRES_ACTION,
    (_S.PROCESSING, _T.AUTHORIZE): _S.AUTHORIZED,
    (_S.PROCESSING, _T.CAPTURE): _S.CAPTURED,
    (_S.PROCESSING, _T.DECLINE): _S.REQUIRES_PAYMENT_METHOD,
    (_S.PROCESSING, _T.FIND_UNAVAILABLE): _S.REQUIRES_CONFIRMATION,
    (_S.PROCESSING, _T.GIVE_UP): _S.FAILED,
    # the customer authenticates, or does not
    (_S.REQUIRES_ACTION, _T.RETURN_FROM_CHALLENGE): _S.PROCESSING,
    (_S.REQUIRES_ACTION, _T.ABANDON_CHALLENGE): _S.PROCESSING,
    (_S.REQUIRES_ACTION, _T.CANCEL): _S.CANCELED,
    # the provider's webhook was faster than the customer's browser
    (_S.REQUIRES_ACTION, _T.AUTHORIZE): _S.AUTHORIZED,
    (_S.REQUIRES_ACTION, _T.CAPTURE): _S.CAPTURED,
    (_S.REQUIRES_ACTION, _T.DECLINE): _S.REQUIRES_PAYMENT_METHOD,
    (_S.REQUIRES_ACTION, _T.GIVE_UP): _S.FAILED,
    # money is held
    (_S.AUTHORIZED, _T.CAPTURE): _S.CAPTURED,
    (_S.AUTHORIZED, _T.CANCEL): _S.CANCELED,
    (_S.AUTHORIZED, _T.EXPIRE): _S.EXPIRED,
    # money is taken, in part or whole
    (_S.CAPTURED, _T.CAPTURE): _S.CAPTURED,
    (_S.CAPTURED, _T.COMPLETE): _S.SUCCEEDED,
    (_S.CAPTURED, _T.RELEASE): _S.SUCCEEDED,
    # the provider or a bank decides later, a debit's bank in days; that one may think better of it afterwards
    (_S.PROCESSING, _T.PEND): _S.SETTLING,
    (_S.SETTLING, _T.AUTHORIZE): _S.AUTHORIZED,
    (_S.SETTLING, _T.CAPTURE): _S.CAPTURED,
    (_S.SETTLING, _T.DECLINE): _S.REQUIRES_PAYMENT_METHOD,
    (_S.SETTLING, _T.GIVE_UP): _S.FAILED,
    (_S.SUCCEEDED, _T.RETURN): _S.FAILED,
    # money is promised
    (_S.SETTLING, _T.RECORD): _S.SUCCEEDED,
    (_S.SETTLING, _T.MISS_COLLECTION): _S.FAILED,
    # given up, and yet the money is handed over: a fact is not refused
    (_S.FAILED, _T.RECORD): _S.SUCCEEDED,
    (_S.EXPIRED, _T.RECORD): _S.SUCCEEDED,
    (_S.CANCELED, _T.RECORD): _S.SUCCEEDED,
    # given up, and the provider did it all the same: attached where the policy says so, else reversed
    **{(state, _T.AUTHORIZE_LATE): _S.AUTHORIZED for state in _UNPAID},
    **{(state, _T.CAPTURE_LATE): _S.CAPTURED for state in _UNPAID},
    # given back
    (_S.SUCCEEDED, _T.REFUND_PART): _S.PARTIALLY_REFUNDED,
    (_S.SUCCEEDED, _T.REFUND_WHOLE): _S.REFUNDED,
    (_S.PARTIALLY_REFUNDED, _T.REFUND_PART): _S.PARTIALLY_REFUNDED,
    (_S.PARTIALLY_REFUNDED, _T.REFUND_WHOLE): _S.REFUNDED,
    # a refund that had succeeded comes back: the customer's account was closed
    (_S.PARTIALLY_REFUNDED, _T.RETURN_REFUND): _S.SUCCEEDED,
    (_S.REFUNDED, _T.RETURN_REFUND): _S.SUCCEEDED,
    (_S.CHARGEBACK_OPEN, _T.RETURN_REFUND): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_WON, _T.RETURN_REFUND): _S.CHARGEBACK_WON,
    (_S.CHARGEBACK_LOST, _T.RETURN_REFUND): _S.CHARGEBACK_LOST,
    # the customer's bank takes it back; a card network knows a second round after either end
    (_S.SUCCEEDED, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.PARTIALLY_REFUNDED, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.REFUNDED, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_WON, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_LOST, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_OPEN, _T.OPEN_CHARGEBACK): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_OPEN, _T.WIN_CHARGEBACK): _S.CHARGEBACK_WON,
    (_S.CHARGEBACK_OPEN, _T.LOSE_CHARGEBACK): _S.CHARGEBACK_LOST,
    # a refund that was under way when the dispute came, and refunds of what is not disputed
    (_S.CHARGEBACK_OPEN, _T.REFUND_PART): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_OPEN, _T.REFUND_WHOLE): _S.CHARGEBACK_OPEN,
    (_S.CHARGEBACK_WON, _T.REFUND_PART): _S.PARTIALLY_REFUNDED,
    (_S.CHARGEBACK_WON, _T.REFUND_WHOLE): _S.REFUNDED,
    (_S.CHARGEBACK_LOST, _T.REFUND_PART): _S.CHARGEBACK_LOST,
    (_S.CHARGEBACK_LOST, _T.REFUND_WHOLE): _S.CHARGEBACK_LOST,
}

REFUNDABLE: Final = frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.CHARGEBACK_WON, _S.CHARGEBACK_LOST})
"""States in which a refund may begin; while a chargeback is open the customer would get the money twice."""

TERMINAL: Final = frozenset(State) - {state for state, _ in TRANSITIONS if state is not None}
"""States that nothing leaves."""
