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
    "bank_debit": _taken(
        "debit_collected", "A bank account was debited; the bank may still return it.", Code.DEBIT_RECEIVABLE
    ),
    "bank_transfer": _taken("transfer_received", "A bank transfer came in.", Code.BANK_CLEARING),
}
"""Method -> how its money is booked when it is taken."""

DEBIT_RETURNED: Final = PostingRule(
    "debit_returned",
    "The bank took a debit back: the reverse of debit_collected.",
    (
        RuleLeg(DEBIT, Code.MERCHANT_PAYABLE, "merchant", "net"),
        RuleLeg(DEBIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
        RuleLeg(CREDIT, Code.DEBIT_RECEIVABLE, "holder", "gross"),
    ),
)
RETURN_UNAPPLIED: Final = PostingRule(
    "debit_return_unapplied",
    "The bank took back what was already refunded or disputed; a person decides who bears it.",
    (
        RuleLeg(DEBIT, Code.SUSPENSE, "holder", "gross"),
        RuleLeg(CREDIT, Code.DEBIT_RECEIVABLE, "holder", "gross"),
    ),
)
STRAY_RECEIVED: Final = PostingRule(
    "late_success_received",
    "A provider charged after the payment was given up, or paid otherwise; it will be given back.",
    (
        RuleLeg(DEBIT, Code.PROCESSOR_RECEIVABLE, "holder", "gross"),
        RuleLeg(CREDIT, Code.SUSPENSE, "holder", "gross"),
    ),
)
STRAY_RETURNED: Final = PostingRule(
    "late_success_returned",
    "Such a charge was given back.",
    (
        RuleLeg(DEBIT, Code.SUSPENSE, "holder", "gross"),
        RuleLeg(CREDIT, Code.PROCESSOR_RECEIVABLE, "holder", "gross"),
    ),
)


def fee_after(payment: Payment, taken_minor: int) -> int:
    """The payment's whole fee once `taken_minor` more is captured. Parts are charged the difference."""
    return fee_of(payment.fee_terms, payment.captured_minor + taken_minor)


def book_taken(payment: Payment, taken_minor: int, fee_minor: int, effective_at: datetime) -> Posting:
    """Book `taken_minor` captured of `payment`, of which `fee_minor` is the platform's."""
    method = payment.method or ""
    return _book(
        PAYMENT_TAKEN[method], payment, payment.provider or method, taken_minor, fee_minor, effective_at
    )


def book_returned(payment: Payment, effective_at: datetime) -> Posting:
    """Book that the bank took back all that was captured of `payment`, and that the fee goes with it."""
    return _book(
        DEBIT_RETURNED,
        payment,
        payment.provider or "",
        payment.captured_minor,
        payment.fee_minor,
        effective_at,
    )


def book_aside(
    rule: PostingRule, payment: Payment, holder: str, amount_minor: int, effective_at: datetime
) -> Posting:
    """Book money that is nobody's yet: into suspense, or out of it."""
    return _book(rule, payment, holder, amount_minor, 0, effective_at)


def _book(
    rule: PostingRule, payment: Payment, holder: str, gross_minor: int, fee_minor: int, effective_at: datetime
) -> Posting:
    return post(
        rule,
        object_type="payment",
        object_id=str(payment.payment_id),
        currency=payment.currency,
        effective_at=effective_at,
        owners={"holder": holder, "merchant": payment.merchant_id, "platform": payment.tenant},
        amounts={"gross": gross_minor, "net": gross_minor - fee_minor, "fee": fee_minor},
    )
