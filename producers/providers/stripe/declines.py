"""Stripe's decline and error codes, and our reason for each.

Sources: https://docs.stripe.com/declines/codes, https://docs.stripe.com/error-codes, and the failure reasons of
https://docs.stripe.com/api/refunds/object and https://docs.stripe.com/api/disputes/object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLINE_REASONS: Final[Mapping[str, Reason]] = {
    # issuer's decline codes
    "approve_with_id": Reason.TRY_AGAIN_LATER,
    "authentication_not_handled": Reason.AUTHENTICATION_REQUIRED,
    "authentication_required": Reason.AUTHENTICATION_REQUIRED,
    "call_issuer": Reason.DO_NOT_HONOR,
    "card_not_supported": Reason.CARD_NOT_SUPPORTED,
    "card_velocity_exceeded": Reason.LIMIT_EXCEEDED,
    "currency_not_supported": Reason.CURRENCY_NOT_SUPPORTED,
    "do_not_honor": Reason.DO_NOT_HONOR,
    "do_not_try_again": Reason.DO_NOT_HONOR,
    "duplicate_transaction": Reason.DUPLICATE_TRANSACTION,
    "expired_card": Reason.EXPIRED_CARD,
    "fraudulent": Reason.SUSPECTED_FRAUD,
    "generic_decline": Reason.DO_NOT_HONOR,
    "highest_risk_level": Reason.SUSPECTED_FRAUD,
    "incorrect_address": Reason.PROCESSING_DECLINED,
    "incorrect_cvc": Reason.INCORRECT_CVC,
    "incorrect_number": Reason.INCORRECT_NUMBER,
    "incorrect_pin": Reason.INCORRECT_PIN,
    "incorrect_zip": Reason.PROCESSING_DECLINED,
    "insufficient_funds": Reason.INSUFFICIENT_FUNDS,
    "invalid_account": Reason.ACCOUNT_CLOSED,
    "invalid_amount": Reason.LIMIT_EXCEEDED,
    "invalid_cvc": Reason.INCORRECT_CVC,
    "invalid_expiry_month": Reason.EXPIRED_CARD,
    "invalid_expiry_year": Reason.EXPIRED_CARD,
    "invalid_number": Reason.INCORRECT_NUMBER,
    "invalid_pin": Reason.INCORRECT_PIN,
    "issuer_not_available": Reason.ISSUER_UNAVAILABLE,
    "lost_card": Reason.LOST_CARD,
    "merchant_blacklist": Reason.SUSPECTED_FRAUD,
    "new_account_information_available": Reason.ACCOUNT_CLOSED,
    "no_action_taken": Reason.DO_NOT_HONOR,
    "not_permitted": Reason.CARD_NOT_SUPPORTED,
    "offline_pin_required": Reason.INCORRECT_PIN,
    "online_or_offline_pin_required": Reason.INCORRECT_PIN,
    "pickup_card": Reason.RESTRICTED_CARD,
    "pin_try_exceeded": Reason.INCORRECT_PIN,
    "previously_declined_do_not_retry": Reason.DO_NOT_HONOR,
    "processing_error": Reason.TRY_AGAIN_LATER,
    "reenter_transaction": Reason.TRY_AGAIN_LATER,
    "restricted_card": Reason.RESTRICTED_CARD,
    "revocation_of_all_authorizations": Reason.CONSENT_WITHDRAWN,
    "revocation_of_authorization": Reason.CONSENT_WITHDRAWN,
    "security_violation": Reason.DO_NOT_HONOR,
    "service_not_allowed": Reason.CARD_NOT_SUPPORTED,
    "stolen_card": Reason.STOLEN_CARD,
    "stop_payment_order": Reason.CONSENT_WITHDRAWN,
    "testmode_decline": Reason.CARD_NOT_SUPPORTED,
    "transaction_not_allowed": Reason.CARD_NOT_SUPPORTED,
    "try_again_later": Reason.TRY_AGAIN_LATER,
    "withdrawal_count_limit_exceeded": Reason.LIMIT_EXCEEDED,
    # Stripe's error codes, where an error has no decline code
    "card_decline_rate_limit_exceeded": Reason.LIMIT_EXCEEDED,
    "card_declined": Reason.PROCESSING_DECLINED,
    "payment_intent_authentication_failure": Reason.AUTHENTICATION_FAILED,
    "payment_intent_payment_attempt_expired": Reason.CHALLENGE_ABANDONED,
    "payment_intent_payment_attempt_failed": Reason.PROCESSING_DECLINED,
    "payment_method_customer_decline": Reason.PROCESSING_DECLINED,
    "payment_method_provider_decline": Reason.PROCESSING_DECLINED,
    "payment_method_provider_timeout": Reason.ISSUER_UNAVAILABLE,
    # bank debits that come back
    "bank_account_restricted": Reason.ACCOUNT_CLOSED,
    "debit_not_authorized": Reason.DEBIT_NOT_AUTHORIZED,
    "account_closed": Reason.ACCOUNT_CLOSED,
    "no_account": Reason.ACCOUNT_CLOSED,
    "refer_to_customer": Reason.RETURNED_BY_BANK,
}

REFUND_REASONS: Final[Mapping[str, Reason]] = {
    # what Stripe gives as `failure_reason` of a refund
    "charge_for_pending_refund_disputed": Reason.DISPUTE_OPEN,
    "declined": Reason.REFUND_DECLINED,
    "expired_or_canceled_card": Reason.REFUND_RETURNED,
    "insufficient_funds": Reason.REFUND_DECLINED,
    "lost_or_stolen_card": Reason.REFUND_RETURNED,
    "merchant_request": Reason.REQUESTED_BY_CALLER,
    "unknown": Reason.REFUND_RETURNED,
}


def decline_reason(*codes: str | None) -> tuple[Reason, str]:
    """Our reason and Stripe's code, by the first code that the table knows; Stripe adds codes without asking."""
    given = [code for code in codes if code]
    for code in given:
        if code in DECLINE_REASONS:
            return DECLINE_REASONS[code], code
    return Reason.PROCESSING_DECLINED, given[0] if given else ""


def refund_reason(code: str | None) -> Reason:
    """Our reason for a refund that failed or was canceled."""
    return REFUND_REASONS.get(code or "", Reason.REFUND_RETURNED)
