"""The provider's decline and failure codes as our reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLINE_REASONS: Mapping[str, Reason] = {
    # the issuer, about a payment
    "insufficient_funds": Reason.INSUFFICIENT_FUNDS,
    "do_not_honor": Reason.DO_NOT_HONOR,
    "expired_card": Reason.EXPIRED_CARD,
    "incorrect_cvc": Reason.INCORRECT_CVC,
    "lost_card": Reason.LOST_CARD,
    "stolen_card": Reason.STOLEN_CARD,
    "fraudulent": Reason.SUSPECTED_FRAUD,
    "try_again_later": Reason.TRY_AGAIN_LATER,
    "challenge_failed": Reason.AUTHENTICATION_FAILED,
    "capture_declined": Reason.PROCESSING_DECLINED,
    # the customer's bank, days later
    "debit_returned": Reason.RETURNED_BY_BANK,
    # about a refund
    "refund_declined": Reason.REFUND_DECLINED,
    "account_closed": Reason.ACCOUNT_CLOSED,
}
OTHER_DECLINE = Reason.PROCESSING_DECLINED
"""Our reason for a code that the table does not know: providers add codes without asking."""


def reason_of(provider_code: str | None) -> Reason:
    """Our reason for the provider's code, or for none."""
    return DECLINE_REASONS.get(provider_code or "", OTHER_DECLINE)
