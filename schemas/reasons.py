"""Every reason for which the system says no, in one enum; what each means for the caller is a row of REASONS."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from schemas.value import value


class Reason(StrEnum):
    """Reason codes, as published in `rejections`, dead letters and payment events."""

    # the message itself
    INVALID_JSON = "invalid_json"
    INVALID_MESSAGE = "invalid_message"
    UNKNOWN_TYPE = "unknown_type"
    MESSAGE_TOO_LARGE = "message_too_large"
    CARD_NUMBER_PRESENT = "card_number_present"
    EVENT_ID_REUSED = "event_id_reused"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    # references that may still arrive
    PAYMENT_UNKNOWN = "payment_unknown"
    MERCHANT_FEES_UNKNOWN = "merchant_fees_unknown"
    BEHIND_PARKED = "behind_parked"
    HANDLER_ERROR = "handler_error"
    DATABASE_REFUSED = "database_refused"
    # payment rules
    ORDER_ALREADY_HAS_PAYMENT = "order_already_has_payment"
    STATE_FORBIDS = "state_forbids"
    PAYMENT_METHOD_MISSING = "payment_method_missing"
    AMOUNT_ABOVE_AUTHORIZED = "amount_above_authorized"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    MERCHANT_DIFFERS = "merchant_differs"
    CALL_IN_PROGRESS = "call_in_progress"
    CALL_STALE = "call_stale"
    FEE_VERSION_EXISTS = "fee_version_exists"
    OVERCAPTURE_NOT_ALLOWED = "overcapture_not_allowed"
    INCREASE_NOT_ALLOWED = "increase_not_allowed"
    REPORT_OUTDATED = "report_outdated"
    PROVIDER_OBJECT_UNKNOWN = "provider_object_unknown"
    ACTOR_NOT_ALLOWED = "actor_not_allowed"
    FOUR_EYES = "four_eyes"
    POLICY_VERSION_EXISTS = "policy_version_exists"
    POLICY_MISSING = "policy_missing"
    # refund rules
    REFUND_UNKNOWN = "refund_unknown"
    REFUND_ID_REUSED = "refund_id_reused"
    AMOUNT_ABOVE_REFUNDABLE = "amount_above_refundable"
    REFUND_NOT_ALLOWED = "refund_not_allowed"
    REFUND_TOO_OLD = "refund_too_old"
    DISPUTE_OPEN = "dispute_open"
    DESTINATION_NOT_ALLOWED = "destination_not_allowed"
    APPROVAL_LAPSED = "approval_lapsed"
    DISAPPROVED = "disapproved"
    REFUND_RETURNED = "refund_returned"
    REFUND_DECLINED = "refund_declined"
    # dispute rules
    DISPUTE_UNKNOWN = "dispute_unknown"
    EVIDENCE_TOO_LATE = "evidence_too_late"
    # period rules
    PERIOD_CLOSED = "period_closed"
    PERIOD_UNKNOWN = "period_unknown"
    PERIOD_NOT_OVER = "period_not_over"
    PERIOD_OUT_OF_ORDER = "period_out_of_order"
    CALENDAR_IN_USE = "calendar_in_use"
    # journal rules
    JOURNAL_UNKNOWN = "journal_unknown"
    JOURNAL_ID_REUSED = "journal_id_reused"
    JOURNAL_UNBALANCED = "journal_unbalanced"
    CURRENCIES_MIXED = "currencies_mixed"
    PART_EXISTS = "part_exists"
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_NOT_POSTABLE = "account_not_postable"
    EFFECTIVE_TOO_LATE = "effective_too_late"
    ENTRY_UNKNOWN = "entry_unknown"
    RULE_UNKNOWN = "rule_unknown"
    RULE_UNFILLED = "rule_unfilled"
    ALREADY_REVERSED = "already_reversed"
    RATE_MISMATCH = "rate_mismatch"
    # wallet rules
    WALLET_UNKNOWN = "wallet_unknown"
    WALLET_EXISTS = "wallet_exists"
    WAY_UNKNOWN = "way_unknown"
    LIMIT_REACHED = "limit_reached"
    GRANT_ID_REUSED = "grant_id_reused"
    HOLD_UNKNOWN = "hold_unknown"
    HOLD_ID_REUSED = "hold_id_reused"
    HOLD_EXPIRED = "hold_expired"
    AMOUNT_ABOVE_HELD = "amount_above_held"
    # the provider declined
    INSUFFICIENT_FUNDS = "insufficient_funds"
    DO_NOT_HONOR = "do_not_honor"
    EXPIRED_CARD = "expired_card"
    INCORRECT_CVC = "incorrect_cvc"
    LOST_CARD = "lost_card"
    STOLEN_CARD = "stolen_card"
    SUSPECTED_FRAUD = "suspected_fraud"
    TRY_AGAIN_LATER = "try_again_later"
    AUTHENTICATION_FAILED = "authentication_failed"
    AUTHENTICATION_REQUIRED = "authentication_required"
    CARD_NOT_SUPPORTED = "card_not_supported"
    CURRENCY_NOT_SUPPORTED = "currency_not_supported"
    INCORRECT_NUMBER = "incorrect_number"
    INCORRECT_PIN = "incorrect_pin"
    LIMIT_EXCEEDED = "limit_exceeded"
    RESTRICTED_CARD = "restricted_card"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DUPLICATE_TRANSACTION = "duplicate_transaction"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    ACCOUNT_CLOSED = "account_closed"
    DEBIT_NOT_AUTHORIZED = "debit_not_authorized"
    PROCESSING_DECLINED = "processing_declined"
    PROVIDER_REFUSED_REQUEST = "provider_refused_request"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    # time ran out
    AUTHORIZATION_EXPIRED = "authorization_expired"
    CHALLENGE_ABANDONED = "challenge_abandoned"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    NOT_COLLECTED = "not_collected"
    REQUESTED_BY_CALLER = "requested_by_caller"
    RETURNED_BY_BANK = "returned_by_bank"
    REVERSED_LATE_SUCCESS = "reversed_late_success"
    OUTCOME_DECIDED_BY_PERSON = "outcome_decided_by_person"
    CHARGEBACK = "chargeback"


class Fault(StrEnum):
    """Who can mend it."""

    CALLER = "caller"
    CUSTOMER = "customer"
    PROVIDER = "provider"
    OURS = "ours"
    NOBODY = "nobody"


@value
class ReasonInfo:
    """What a reason means: may the same request be sent again unchanged, whose fault it is, and what to do.

    A decline may be tried again by ourselves after `retry_after_hours` (None: never), and needs another method first
    when `new_method` says so.
    """

    retryable: bool
    fault: Fault
    action: str
    retry_after_hours: int | None = None
    new_method: bool = False


_C, _U, _P, _O, _N = Fault.CALLER, Fault.CUSTOMER, Fault.PROVIDER, Fault.OURS, Fault.NOBODY

REASONS: Final[dict[Reason, ReasonInfo]] = {
    Reason.INVALID_JSON: ReasonInfo(False, _C, "Send one JSON object in UTF-8."),
    Reason.INVALID_MESSAGE: ReasonInfo(
        False, _C, "Mend the field named in the detail and publish under a new id."
    ),
    Reason.UNKNOWN_TYPE: ReasonInfo(False, _C, "Use a type of this topic; see docs/asyncapi.json."),
    Reason.MESSAGE_TOO_LARGE: ReasonInfo(False, _C, "Keep a message under the limit named in the detail."),
    Reason.CARD_NUMBER_PRESENT: ReasonInfo(False, _C, "Send the provider's token; never a card number."),
    Reason.EVENT_ID_REUSED: ReasonInfo(False, _C, "One (source, id) stands for one event; use a new id."),
    Reason.IDEMPOTENCY_KEY_REUSED: ReasonInfo(False, _C, "A key stands for one request; use a new key."),
    Reason.PAYMENT_UNKNOWN: ReasonInfo(
        True, _C, "It waits for the payment; publish the request for the order."
    ),
    Reason.MERCHANT_FEES_UNKNOWN: ReasonInfo(
        True, _C, "It waits for the merchant's fee schedule; publish it."
    ),
    Reason.BEHIND_PARKED: ReasonInfo(True, _N, "It waits behind an earlier event of the same key."),
    Reason.HANDLER_ERROR: ReasonInfo(True, _O, "A bug: see the log, mend it, replay the dead letter."),
    Reason.DATABASE_REFUSED: ReasonInfo(False, _O, "A guard refused the result: see the log, mend, replay."),
    Reason.ORDER_ALREADY_HAS_PAYMENT: ReasonInfo(
        False, _C, "Use the order's payment; there is one per order."
    ),
    Reason.STATE_FORBIDS: ReasonInfo(
        False, _C, "Read the payment's state; the table does not allow this event in it."
    ),
    Reason.PAYMENT_METHOD_MISSING: ReasonInfo(False, _C, "Send a payment method with the confirmation."),
    Reason.AMOUNT_ABOVE_AUTHORIZED: ReasonInfo(
        False, _C, "Capture at most what is left of the authorization."
    ),
    Reason.AMOUNT_DIFFERS: ReasonInfo(False, _C, "The recorded amount must be the order's amount."),
    Reason.CURRENCY_DIFFERS: ReasonInfo(False, _C, "Use the payment's currency."),
    Reason.MERCHANT_DIFFERS: ReasonInfo(False, _C, "Use the payment's merchant."),
    Reason.CALL_IN_PROGRESS: ReasonInfo(True, _C, "Wait for the outcome of the provider call under way."),
    Reason.CALL_STALE: ReasonInfo(False, _N, "None: an answer to a call that no longer matters."),
    Reason.FEE_VERSION_EXISTS: ReasonInfo(False, _C, "A version is never rewritten; publish the next one."),
    Reason.OVERCAPTURE_NOT_ALLOWED: ReasonInfo(
        False, _C, "The card's network takes no more than was authorized; increase it first."
    ),
    Reason.INCREASE_NOT_ALLOWED: ReasonInfo(
        False, _C, "The card's network knows no incremental authorization."
    ),
    Reason.REPORT_OUTDATED: ReasonInfo(False, _N, "None: a newer report of the same object came before."),
    Reason.PROVIDER_OBJECT_UNKNOWN: ReasonInfo(
        True, _P, "It waits for the payment with the provider's reference."
    ),
    Reason.ACTOR_NOT_ALLOWED: ReasonInfo(False, _C, "Somebody with the role named in the detail must do it."),
    Reason.FOUR_EYES: ReasonInfo(False, _C, "Somebody else than who asked for it must approve."),
    Reason.POLICY_VERSION_EXISTS: ReasonInfo(
        False, _C, "A version is never rewritten; publish the next one."
    ),
    Reason.POLICY_MISSING: ReasonInfo(True, _C, "It waits for the tenant's refund policy; publish it."),
    Reason.REFUND_UNKNOWN: ReasonInfo(True, _C, "It waits for the refund; publish the request."),
    Reason.REFUND_ID_REUSED: ReasonInfo(False, _C, "A refund_id stands for one refund; use a new one."),
    Reason.AMOUNT_ABOVE_REFUNDABLE: ReasonInfo(
        False, _C, "Refund at most what the payment's refundable says."
    ),
    Reason.REFUND_NOT_ALLOWED: ReasonInfo(False, _C, "The policy allows it to nobody in this role."),
    Reason.REFUND_TOO_OLD: ReasonInfo(False, _C, "Too old for a refund; settle it outside of the card."),
    Reason.DISPUTE_OPEN: ReasonInfo(
        False, _C, "The bank has the money already; accept the dispute or wait for its end."
    ),
    Reason.DESTINATION_NOT_ALLOWED: ReasonInfo(False, _C, "Refund to the method that paid."),
    Reason.APPROVAL_LAPSED: ReasonInfo(False, _C, "Nobody approved in time; ask for it anew."),
    Reason.DISAPPROVED: ReasonInfo(False, _C, "None: somebody decided against it."),
    Reason.REFUND_RETURNED: ReasonInfo(
        False, _U, "It came back; ask the customer for another way to pay it out."
    ),
    Reason.REFUND_DECLINED: ReasonInfo(False, _P, "The provider refused; pay it out in another way."),
    Reason.DISPUTE_UNKNOWN: ReasonInfo(True, _C, "It waits for the provider's report of the dispute."),
    Reason.EVIDENCE_TOO_LATE: ReasonInfo(False, _C, "The due date has passed; the bank reads no more."),
    Reason.PERIOD_CLOSED: ReasonInfo(False, _C, "Date it into an open period, or have the period reopened."),
    Reason.PERIOD_UNKNOWN: ReasonInfo(False, _C, "Name a period as the tenant's calendar counts them."),
    Reason.PERIOD_NOT_OVER: ReasonInfo(True, _C, "Close a period when it has ended in its time zone."),
    Reason.PERIOD_OUT_OF_ORDER: ReasonInfo(
        True, _C, "Periods close in their order and open in reverse; begin with the one in the detail."
    ),
    Reason.CALENDAR_IN_USE: ReasonInfo(False, _C, "A calendar is fixed once a period was closed by it."),
    Reason.JOURNAL_UNKNOWN: ReasonInfo(True, _C, "It waits for the journal; publish the proposal."),
    Reason.JOURNAL_ID_REUSED: ReasonInfo(False, _C, "A journal_id stands for one journal; use a new one."),
    Reason.JOURNAL_UNBALANCED: ReasonInfo(False, _C, "Make debits and credits of each currency equal."),
    Reason.CURRENCIES_MIXED: ReasonInfo(False, _C, "Let the currencies meet in trading accounts of each."),
    Reason.PART_EXISTS: ReasonInfo(False, _C, "Send each part of the journal once, up to the last."),
    Reason.ACCOUNT_UNKNOWN: ReasonInfo(False, _C, "Use a code of the chart; see docs/ledger.md."),
    Reason.ACCOUNT_NOT_POSTABLE: ReasonInfo(
        False, _C, "Use the command that this account is moved by, or ask who may post to it."
    ),
    Reason.EFFECTIVE_TOO_LATE: ReasonInfo(False, _C, "Propose it when its date has come."),
    Reason.ENTRY_UNKNOWN: ReasonInfo(
        True, _C, "Name the entry by its object and its place among its entries."
    ),
    Reason.RULE_UNKNOWN: ReasonInfo(False, _C, "Use the name of a posting rule; see docs/ledger.md."),
    Reason.RULE_UNFILLED: ReasonInfo(False, _C, "Name each owner and amount of the rule, and no others."),
    Reason.ALREADY_REVERSED: ReasonInfo(False, _C, "Reverse at most what is left of each line."),
    Reason.RATE_MISMATCH: ReasonInfo(False, _C, "See that amounts, currencies and rate fit each other."),
    Reason.WALLET_UNKNOWN: ReasonInfo(True, _C, "It waits for the wallet; open it."),
    Reason.WALLET_EXISTS: ReasonInfo(False, _C, "Use the wallet; there is one for each owner and currency."),
    Reason.WAY_UNKNOWN: ReasonInfo(False, _C, "Use a way that this family of wallets knows."),
    Reason.LIMIT_REACHED: ReasonInfo(
        False, _U, "Spend at most what is available, or credit the wallet first."
    ),
    Reason.GRANT_ID_REUSED: ReasonInfo(False, _C, "A grant_id stands for one grant; use a new one."),
    Reason.HOLD_UNKNOWN: ReasonInfo(False, _C, "Place the hold first; it may have been refused."),
    Reason.HOLD_ID_REUSED: ReasonInfo(False, _C, "A hold_id stands for one hold; use a new one."),
    Reason.HOLD_EXPIRED: ReasonInfo(False, _C, "Place a new hold, if enough is available still."),
    Reason.AMOUNT_ABOVE_HELD: ReasonInfo(False, _C, "Post at most what the hold keeps."),
    Reason.INSUFFICIENT_FUNDS: ReasonInfo(
        True, _U, "Ask for another method, or try again on another day.", retry_after_hours=72
    ),
    Reason.DO_NOT_HONOR: ReasonInfo(
        False, _U, "Ask for another method; the issuer tells no more.", new_method=True
    ),
    Reason.EXPIRED_CARD: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.INCORRECT_CVC: ReasonInfo(False, _U, "Ask the customer to enter the code again."),
    Reason.LOST_CARD: ReasonInfo(
        False, _U, "Ask for another method; say only that it was declined.", new_method=True
    ),
    Reason.STOLEN_CARD: ReasonInfo(
        False, _U, "Ask for another method; say only that it was declined.", new_method=True
    ),
    Reason.SUSPECTED_FRAUD: ReasonInfo(
        False, _U, "Do not try again; say only that it was declined.", new_method=True
    ),
    Reason.TRY_AGAIN_LATER: ReasonInfo(
        True, _P, "Confirm again later with the same method.", retry_after_hours=6
    ),
    Reason.AUTHENTICATION_FAILED: ReasonInfo(
        False, _U, "Ask the customer to authenticate again, or for another method."
    ),
    Reason.AUTHENTICATION_REQUIRED: ReasonInfo(False, _U, "Confirm again with the customer present."),
    Reason.CARD_NOT_SUPPORTED: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.CURRENCY_NOT_SUPPORTED: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.INCORRECT_NUMBER: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.INCORRECT_PIN: ReasonInfo(False, _U, "Ask the customer to enter the code again."),
    Reason.LIMIT_EXCEEDED: ReasonInfo(
        True, _U, "Ask for another method, or try again on another day.", retry_after_hours=24
    ),
    Reason.RESTRICTED_CARD: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.CONSENT_WITHDRAWN: ReasonInfo(False, _U, "Stop charging this method.", new_method=True),
    Reason.DUPLICATE_TRANSACTION: ReasonInfo(False, _C, "Look for the payment that was made just before."),
    Reason.ISSUER_UNAVAILABLE: ReasonInfo(True, _P, "Confirm again later.", retry_after_hours=1),
    Reason.ACCOUNT_CLOSED: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.DEBIT_NOT_AUTHORIZED: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.PROCESSING_DECLINED: ReasonInfo(False, _U, "Ask for another method.", new_method=True),
    Reason.PROVIDER_REFUSED_REQUEST: ReasonInfo(
        False, _O, "Our request was wrong: see the call's answer in `explain`."
    ),
    Reason.PROVIDER_UNAVAILABLE: ReasonInfo(True, _P, "No effect at the provider; confirm again later."),
    Reason.AUTHORIZATION_EXPIRED: ReasonInfo(False, _N, "Ask the customer to pay again."),
    Reason.CHALLENGE_ABANDONED: ReasonInfo(False, _U, "Ask the customer to pay again."),
    Reason.ATTEMPTS_EXHAUSTED: ReasonInfo(False, _U, "No further attempt on this order."),
    Reason.NOT_COLLECTED: ReasonInfo(False, _U, "The money was not handed over; the order stays unpaid."),
    Reason.REQUESTED_BY_CALLER: ReasonInfo(False, _C, "None: it was asked for."),
    Reason.RETURNED_BY_BANK: ReasonInfo(False, _U, "The money came and went back; ask for another method."),
    Reason.REVERSED_LATE_SUCCESS: ReasonInfo(
        False, _P, "The provider charged after we had given up; it is given back."
    ),
    Reason.OUTCOME_DECIDED_BY_PERSON: ReasonInfo(False, _O, "None: see the audit log for who and why."),
    Reason.CHARGEBACK: ReasonInfo(False, _U, "The customer's bank took the money back; see the dispute."),
}
