"""Which accounts a dispute moves, as data, and the one place that fills the amounts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.ledger.model import CREDIT, DEBIT, Code, PostingRule, RuleLeg
from handlers.ledger.rules import post

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.disputes.model import Dispute
    from handlers.ledger.model import Posting
    from handlers.payments.model import Payment


def _both_ways(
    name: str, about: str, back: str, about_back: str, legs: tuple[RuleLeg, ...]
) -> dict[str, PostingRule]:
    """A rule, and the one that takes it back with the sides turned around."""
    turned = tuple(
        RuleLeg(CREDIT if leg.side == DEBIT else DEBIT, leg.code, leg.owner, leg.amount) for leg in legs
    )
    return {name: PostingRule(name, about, legs), back: PostingRule(back, about_back, turned)}


RULES: Final[dict[str, PostingRule]] = {
    **_both_ways(
        "dispute_withdrawn",
        "The provider took money back for a dispute; nobody knows yet whose loss it is.",
        "dispute_reinstated",
        "The provider gave back what it had withdrawn for a dispute.",
        (
            RuleLeg(DEBIT, Code.CHARGEBACK_CLEARING, "provider", "funds"),
            RuleLeg(CREDIT, Code.PROCESSOR_RECEIVABLE, "provider", "funds"),
        ),
    ),
    **_both_ways(
        "dispute_lost",
        "A dispute is lost: the merchant bears it; what is beyond the money left of the payment is suspense.",
        "dispute_loss_undone",
        "A lost dispute is open again, or won after all.",
        (
            RuleLeg(DEBIT, Code.MERCHANT_PAYABLE, "merchant", "merchant"),
            RuleLeg(DEBIT, Code.SUSPENSE, "provider", "excess"),
            RuleLeg(CREDIT, Code.CHARGEBACK_CLEARING, "provider", "funds"),
        ),
    ),
    **_both_ways(
        "dispute_excess_cleared",
        "The payment has room again for a loss that was suspense: the merchant bears it.",
        "dispute_loss_suspended",
        "The payment has no room any more for a loss that the merchant bore: it is suspense.",
        (
            RuleLeg(DEBIT, Code.MERCHANT_PAYABLE, "merchant", "merchant"),
            RuleLeg(CREDIT, Code.SUSPENSE, "provider", "merchant"),
        ),
    ),
    **_both_ways(
        "dispute_platform_fee_returned",
        "Our fee on what was lost goes back to the merchant, where the policy says so.",
        "dispute_platform_fee_kept",
        "The loss was undone, and with it the return of our fee.",
        (
            RuleLeg(DEBIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
            RuleLeg(CREDIT, Code.MERCHANT_PAYABLE, "merchant", "fee"),
        ),
    ),
    **_both_ways(
        "dispute_fee_charged",
        "The provider charged for a dispute.",
        "dispute_fee_refunded",
        "The provider gave its charge for a dispute back.",
        (
            RuleLeg(DEBIT, Code.DISPUTE_FEE_EXPENSE, "provider", "fee"),
            RuleLeg(CREDIT, Code.PROCESSOR_RECEIVABLE, "provider", "fee"),
        ),
    ),
    **_both_ways(
        "dispute_fee_passed_on",
        "The merchant bears the provider's charge, where the policy says so.",
        "dispute_fee_taken_back",
        "The platform bears the provider's charge again.",
        (
            RuleLeg(DEBIT, Code.MERCHANT_PAYABLE, "merchant", "fee"),
            RuleLeg(CREDIT, Code.DISPUTE_FEE_EXPENSE, "provider", "fee"),
        ),
    ),
}
"""By name. Owners: the provider, the payment's merchant, the platform (its tenant)."""


def book(
    name: str, payment: Payment, dispute: Dispute, effective_at: datetime, **amounts_minor: int
) -> Posting:
    """Book amounts by a rule of RULES; at least one must be above zero."""
    return post(
        RULES[name],
        object_type="dispute",
        object_id=str(dispute.object_id),
        currency=dispute.currency,
        effective_at=effective_at,
        owners={
            "provider": dispute.provider,
            "merchant": payment.merchant_id,
            "platform": payment.tenant,
        },
        amounts=amounts_minor,
    )


def book_change(
    names: tuple[str, str],
    payment: Payment,
    dispute: Dispute,
    effective_at: datetime,
    change: tuple[str, int],
) -> tuple[Posting, ...]:
    """Book a change of one amount: by the first rule when it grew, by the second when it shrank, or nothing."""
    amount, minor = change
    if minor == 0:
        return ()
    name = names[0] if minor > 0 else names[1]
    return (book(name, payment, dispute, effective_at, **{amount: abs(minor)}),)
