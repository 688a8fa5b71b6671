"""Adyen's refusal reasons: https://docs.adyen.com/development-resources/refusal-reasons.

An answer gives the code, a webhook only the words (in `reason`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

REFUSALS: Final[Mapping[str, tuple[str, Reason]]] = {
    # refusalReasonCode -> refusalReason, our reason
    "2": ("Refused", Reason.DO_NOT_HONOR),
    "3": ("Referral", Reason.DO_NOT_HONOR),
    "4": ("Acquirer Error", Reason.TRY_AGAIN_LATER),
    "5": ("Blocked Card", Reason.RESTRICTED_CARD),
    "6": ("Expired Card", Reason.EXPIRED_CARD),
    "7": ("Invalid Amount", Reason.PROCESSING_DECLINED),
    "8": ("Invalid Card Number", Reason.INCORRECT_NUMBER),
    "9": ("Issuer Unavailable", Reason.ISSUER_UNAVAILABLE),
    "10": ("Not supported", Reason.CARD_NOT_SUPPORTED),
    "11": ("3D Not Authenticated", Reason.AUTHENTICATION_FAILED),
    "12": ("Not enough balance", Reason.INSUFFICIENT_FUNDS),
    "14": ("Acquirer Fraud", Reason.SUSPECTED_FRAUD),
    "15": ("Cancelled", Reason.CHALLENGE_ABANDONED),
    "16": ("Shopper Cancelled", Reason.CHALLENGE_ABANDONED),
    "17": ("Invalid Pin", Reason.INCORRECT_PIN),
    "18": ("Pin tries exceeded", Reason.INCORRECT_PIN),
    "19": ("Pin validation not possible", Reason.INCORRECT_PIN),
    "20": ("FRAUD", Reason.SUSPECTED_FRAUD),
    "21": ("Not Submitted", Reason.TRY_AGAIN_LATER),
    "22": ("FRAUD-CANCELLED", Reason.SUSPECTED_FRAUD),
    "23": ("Transaction Not Permitted", Reason.CARD_NOT_SUPPORTED),
    "24": ("CVC Declined", Reason.INCORRECT_CVC),
    "25": ("Restricted Card", Reason.RESTRICTED_CARD),
    "26": ("Revocation Of Auth", Reason.CONSENT_WITHDRAWN),
    "27": ("Declined Non Generic", Reason.DO_NOT_HONOR),
    "28": ("Withdrawal amount exceeded", Reason.LIMIT_EXCEEDED),
    "29": ("Withdrawal count exceeded", Reason.LIMIT_EXCEEDED),
    "31": ("Issuer Suspected Fraud", Reason.SUSPECTED_FRAUD),
    "32": ("AVS Declined", Reason.PROCESSING_DECLINED),
    "33": ("Card requires online pin", Reason.INCORRECT_PIN),
    "34": ("No checking account available on Card", Reason.CARD_NOT_SUPPORTED),
    "35": ("No savings account available on Card", Reason.CARD_NOT_SUPPORTED),
    "36": ("Mobile pin required", Reason.INCORRECT_PIN),
    "37": ("Contactless fallback", Reason.PROCESSING_DECLINED),
    "38": ("Authentication required", Reason.AUTHENTICATION_REQUIRED),
    "39": ("RReq not received from DS", Reason.AUTHENTICATION_FAILED),
    "40": ("Current AID is in Penalty Box", Reason.TRY_AGAIN_LATER),
    "41": ("CVM Required Restart Payment", Reason.INCORRECT_PIN),
    "42": ("3DS Authentication Error", Reason.AUTHENTICATION_FAILED),
    "43": ("Online PIN required", Reason.INCORRECT_PIN),
    "44": ("Try another interface", Reason.PROCESSING_DECLINED),
    "45": ("Chip downgrade mode", Reason.PROCESSING_DECLINED),
    "46": ("Transaction blocked by Adyen to prevent excessive retry fees", Reason.LIMIT_EXCEEDED),
}
_BY_WORDS: Final = {words.casefold(): reason for words, reason in REFUSALS.values()}


def by_code(code: str | None) -> Reason:
    """Our reason for a `refusalReasonCode`; Adyen adds codes without asking."""
    _, reason = REFUSALS.get(code or "", ("", Reason.PROCESSING_DECLINED))
    return reason


def by_words(words: str) -> Reason:
    """Our reason for the `reason` of a webhook: the words, or words before a colon or a bar."""
    plain = words.casefold()
    for part in (plain, plain.partition(":")[0].strip(), plain.partition("|")[0].strip()):
        if part in _BY_WORDS:
            return _BY_WORDS[part]
    return Reason.PROCESSING_DECLINED
