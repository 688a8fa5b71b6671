"""Which accounts a wallet moves, as data: one rule for each way, and what becomes of promotional credit."""

from __future__ import annotations

from typing import Final

from handlers.ledger.model import CREDIT, DEBIT, Code, PostingRule, RuleLeg
from handlers.wallets.families import WAYS_IN, WAYS_OUT

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
SPENT: Final[dict[str, str]] = {name: f"wallet_spent_{name}" for name in WAYS_OUT}
"""Way -> the rule of its entry: a debit of each bucket that is spent from, one credit of the other side."""
