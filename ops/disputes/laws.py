"""What `check` verifies about disputes: the members of each ops.checks.rules.Rule, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from db.queries import checks as sql
from handlers.disputes.postings import RULES
from handlers.disputes.register import SUSPENSE_NOTE
from handlers.disputes.routes import OPERATIONS
from handlers.ledger.model import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

Law = tuple[int, str, str, Any, "Mapping[str, object]", bool]

LOSS_RULES: Final = [
    name for name in RULES if name.startswith(("dispute_lost", "dispute_loss", "dispute_excess"))
]
"""Posting rules that move losses: what the merchant bears, and suspense."""

LAWS: Final[tuple[Law, ...]] = (
    (
        4,
        "Every step of a dispute is published, and nothing else",
        "transitions",
        sql.dispute_steps_told_otherwise_cursor,
        {},
        False,
    ),
    (
        6,
        "Every call about a dispute is its dispute's care",
        "calls",
        sql.careless_dispute_calls_cursor,
        {"operations": list(OPERATIONS)},
        False,
    ),
    (
        7,
        "What is disputed of a payment is what its disputes say",
        "payments",
        sql.disputes_counted_otherwise_cursor,
        {},
        False,
    ),
    (
        7,
        "What disputes took and cost is what was posted",
        "entries",
        sql.disputes_posted_otherwise_cursor,
        {
            "receivable": Code.PROCESSOR_RECEIVABLE,
            "clearing": Code.CHARGEBACK_CLEARING,
            "fees": Code.DISPUTE_FEE_EXPENSE,
        },
        False,
    ),
    (
        7,
        "Refunded and charged back are at most captured; the rest is suspense",
        "payments",
        sql.overcharged_payments_cursor,
        {
            "payable": Code.MERCHANT_PAYABLE,
            "suspense": Code.SUSPENSE,
            "rules": LOSS_RULES,
            "note": SUSPENSE_NOTE,
        },
        False,
    ),
    (8, "Evidence is what was sent, by its hash", "payments", sql.altered_evidence_cursor, {}, False),
)
