"""Which accounts a refund moves, as data, and the fee's share that goes back with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from handlers.ledger.model import CREDIT, DEBIT, Code, PostingRule, RuleLeg
from handlers.ledger.rules import post
from handlers.payments.postings import PAYMENT_TAKEN
from schemas.checkout import Collection

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.ledger.model import Posting
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund, RefundCount

GOODWILL: Final = "goodwill"
"""The cause of a refund at the platform's own cost."""
SERVICE_CREDIT: Final = "service_credit"

_RECEIVABLES: Final = {
    method: next(leg.code for leg in rule.legs if leg.side == DEBIT) for method, rule in PAYMENT_TAKEN.items()
}
_OF_PROVIDERS: Final = {
    method: receivable for method, receivable in _RECEIVABLES.items() if method not in get_args(Collection)
}
"""What people hand out does not come back by itself."""
_CLEARING_DEBIT: Final = RuleLeg(DEBIT, Code.REFUND_CLEARING, "holder", "gross")
_CLEARING_CREDIT: Final = RuleLeg(CREDIT, Code.REFUND_CLEARING, "holder", "gross")

SUBMITTED: Final = PostingRule(
    "refund_submitted",
    "On its way: the merchant owes it, less the fee that goes back.",
    (
        RuleLeg(DEBIT, Code.MERCHANT_PAYABLE, "merchant", "net"),
        RuleLeg(DEBIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
        _CLEARING_CREDIT,
    ),
)
FAILED: Final = PostingRule(
    "refund_failed",
    "It did not arrive: the merchant has it again, and the platform its fee.",
    (
        _CLEARING_DEBIT,
        RuleLeg(CREDIT, Code.MERCHANT_PAYABLE, "merchant", "net"),
        RuleLeg(CREDIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
    ),
)
GOODWILL_SUBMITTED: Final = PostingRule(
    "goodwill_submitted",
    "On its way, at the platform's own cost.",
    (RuleLeg(DEBIT, Code.GOODWILL_EXPENSE, "platform", "gross"), _CLEARING_CREDIT),
)
GOODWILL_FAILED: Final = PostingRule(
    "goodwill_failed",
    "It did not arrive, and costs the platform nothing.",
    (_CLEARING_DEBIT, RuleLeg(CREDIT, Code.GOODWILL_EXPENSE, "platform", "gross")),
)
PAID: Final[dict[str, PostingRule]] = {
    method: PostingRule(
        f"refund_paid_{method}",
        f"Given back by {method.replace('_', ' ')}: who holds the money owes us less.",
        (_CLEARING_DEBIT, RuleLeg(CREDIT, receivable, "holder", "gross")),
    )
    for method, receivable in _RECEIVABLES.items()
} | {
    SERVICE_CREDIT: PostingRule(
        "refund_paid_service_credit",
        "Given as service credit: the customer has it with us.",
        (_CLEARING_DEBIT, RuleLeg(CREDIT, Code.CUSTOMER_CREDIT, "customer", "gross")),
    )
}
"""Way back -> how it is booked when it has arrived."""
RETURNED: Final[dict[str, PostingRule]] = {
    method: PostingRule(
        f"refund_returned_{method}",
        f"It had arrived by {method.replace('_', ' ')} and came back; its failure is booked with it.",
        (RuleLeg(DEBIT, receivable, "holder", "gross"), _CLEARING_CREDIT),
    )
    for method, receivable in _OF_PROVIDERS.items()
}
UNPLACED: Final[dict[str, PostingRule]] = {
    method: PostingRule(
        f"refund_unplaced_{method}",
        "Given back beyond what was captured: somebody has to find out why.",
        (
            RuleLeg(DEBIT, Code.SUSPENSE, "holder", "gross"),
            RuleLeg(CREDIT, receivable, "holder", "gross"),
        ),
    )
    for method, receivable in _RECEIVABLES.items()
}
UNPLACED_RETURNED: Final[dict[str, PostingRule]] = {
    method: PostingRule(
        f"refund_unplaced_returned_{method}",
        "It came back.",
        (
            RuleLeg(DEBIT, receivable, "holder", "gross"),
            RuleLeg(CREDIT, Code.SUSPENSE, "holder", "gross"),
        ),
    )
    for method, receivable in _OF_PROVIDERS.items()
}

RULES: Final = (
    SUBMITTED,
    FAILED,
    GOODWILL_SUBMITTED,
    GOODWILL_FAILED,
    *PAID.values(),
    *RETURNED.values(),
    *UNPLACED.values(),
    *UNPLACED_RETURNED.values(),
)
"""All of them."""


def fee_share(payment: Payment, tally: RefundCount | None, amount_minor: int) -> int:
    """The fee that goes back with `amount_minor` more, when `tally` is what refunds of the payment gave back already.

    The share of all that is given back, rounded down, less what went back before: whatever fails in between, once all
    is given back, all of the fee is. Never below zero, never more than the amount.
    """
    before_minor, returned_minor = (tally.amount_minor, tally.fee_returned_minor) if tally else (0, 0)
    whole_minor = payment.fee_minor * (before_minor + amount_minor) // payment.captured_minor
    return min(max(whole_minor - returned_minor, 0), amount_minor)


def way_back(payment: Payment, refund: Refund) -> str:
    """The row of PAID: the method that paid, or service credit."""
    return SERVICE_CREDIT if refund.destination == SERVICE_CREDIT else payment.method or ""


def book(rule: PostingRule, payment: Payment, refund: Refund, gross_minor: int, at: datetime) -> Posting:
    """Book `gross_minor` of a refund by `rule`; the fee is the refund's."""
    return post(
        rule,
        object_type="refund",
        object_id=str(refund.object_id),
        currency=refund.currency,
        effective_at=at,
        owners={
            "holder": payment.provider or payment.method or "",
            "merchant": payment.merchant_id,
            "platform": payment.tenant,
            "customer": payment.customer_id or "",
        },
        amounts={
            "gross": gross_minor,
            "net": gross_minor - refund.fee_returned_minor,
            "fee": refund.fee_returned_minor,
        },
    )
