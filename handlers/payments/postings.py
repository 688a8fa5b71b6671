"""Which accounts a payment moves, as data, and the one place that fills the amounts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.fees.rules import fee_of
from handlers.ledger.model import CREDIT, DEBIT, Code, PostingRule, RuleLeg
from handlers.ledger.rules import post

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.ledger.model import Posting
    from handlers.payments.model import Payment


def _taken(name: str, about: str, receivable: Code) -> PostingRule:
    """Money taken for a merchant: somebody owes us the gross, we owe the merchant the net and keep the fee."""
    return PostingRule(
        name,
        about,
        (
            RuleLeg(DEBIT, receivable, "holder", "gross"),
            RuleLeg(CREDIT, Code.MERCHANT_PAYABLE, "merchant", "net"),
            RuleLeg(CREDIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
        ),
    )


PAYMENT_TAKEN: Final[dict[str, PostingRule]] = {
    "card": _taken("card_captured", "A card capture at the processor.", Code.PROCESSOR_RECEIVABLE),
    "cash_on_delivery": _taken("cash_collected", "Cash taken by the carrier.", Code.CARRIER_RECEIVABLE),
    "point_of_sale": _taken("terminal_sale", "Taken at a point of sale.", Code.TERMINAL_RECEIVABLE),
    "bank_transfer": _taken("transfer_received", "A bank transfer came in.", Code.BANK_CLEARING),
}
"""Method -> how its money is booked when it is taken."""


def fee_after(payment: Payment, taken_minor: int) -> int:
    """The payment's whole fee once `taken_minor` more is captured. Parts are charged the difference."""
    return fee_of(payment.fee_terms, payment.captured_minor + taken_minor)


def book_taken(payment: Payment, taken_minor: int, fee_minor: int, effective_at: datetime) -> Posting:
    """Book `taken_minor` captured of `payment`, of which `fee_minor` is the platform's."""
    method = payment.method or ""
    return post(
        PAYMENT_TAKEN[method],
        object_type="payment",
        object_id=str(payment.payment_id),
        currency=payment.currency,
        effective_at=effective_at,
        owners={
            "holder": payment.provider or method,
            "merchant": payment.merchant_id,
            "platform": payment.tenant,
        },
        amounts={"gross": taken_minor, "net": taken_minor - fee_minor, "fee": fee_minor},
    )
