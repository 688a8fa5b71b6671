"""Which accounts a wallet moves, as data: one rule for each way, and what becomes of promotional credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.ledger.model import CREDIT, DEBIT, Code, PostingRule, RuleLeg
from handlers.wallets.families import FAMILIES, PROMOTED, WAYS_IN, WAYS_OUT

if TYPE_CHECKING:
    from handlers.wallets.families import Way

CREDITED: Final[dict[str, PostingRule]] = {
    name: PostingRule(
        f"wallet_credited_{name}",
        f"Comes in by {name.replace('_', ' ')}.",
        (
            RuleLeg(DEBIT, way.other, "source", "amount"),
            RuleLeg(CREDIT, way.inside or Code.PREPAID_BALANCE, "owner", "amount"),
        ),
    )
    for name, way in WAYS_IN.items()
}
GRANTED: Final = PostingRule(
    "promotion_granted",
    "Credit for promotion, at the platform's cost.",
    (
        RuleLeg(DEBIT, Code.PROMOTION_EXPENSE, "platform", "amount"),
        RuleLeg(CREDIT, Code.PROMOTIONAL_CREDIT, "grant", "amount"),
    ),
)
EXPIRED: Final = PostingRule(
    "promotion_expired",
    "Breakage: what nobody spent in time costs nothing.",
    (
        RuleLeg(DEBIT, Code.PROMOTIONAL_CREDIT, "grant", "amount"),
        RuleLeg(CREDIT, Code.PROMOTION_EXPENSE, "platform", "amount"),
    ),
)


_SHARES: Final[dict[Code, str]] = {
    Code.PROMOTIONAL_CREDIT: "promoted",
    Code.CUSTOMER_CREDIT: "stored",
    Code.PREPAID_BALANCE: "prepaid",
    Code.MERCHANT_PAYABLE: "owed",
}
"""What is spent of each account."""


def _spent(name: str, way: Way) -> PostingRule:
    buckets = [plan.code for plan in sorted(FAMILIES[way.family], key=lambda plan: plan.priority)]
    if way.family in PROMOTED:
        buckets.insert(0, Code.PROMOTIONAL_CREDIT)
    return PostingRule(
        f"wallet_spent_{name}",
        f"Spent by {name.replace('_', ' ')}, of what comes first.",
        (
            *(RuleLeg(DEBIT, code, "owner", _SHARES[code]) for code in buckets),
            RuleLeg(CREDIT, way.other, "receiver", "amount"),
        ),
    )


SPENT: Final[dict[str, PostingRule]] = {name: _spent(name, way) for name, way in WAYS_OUT.items()}
"""By way: a debit of each account that is spent from, of promotions one for each grant; `amount` is their sum."""
