"""Every posting rule of what providers and shops tell, by name: what a correction may be booked by anew.

Each context has its own in its `postings.py`. Wallets are left out: what is in them moves by their commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.disputes import postings as disputes
from handlers.payments import postings as payments
from handlers.refunds import postings as refunds

if TYPE_CHECKING:
    from handlers.ledger.model import PostingRule

RULEBOOK: Final[dict[str, PostingRule]] = {
    rule.name: rule
    for rule in (
        *payments.PAYMENT_TAKEN.values(),
        payments.DEBIT_RETURNED,
        payments.RETURN_UNAPPLIED,
        payments.STRAY_RECEIVED,
        payments.STRAY_RETURNED,
        *refunds.RULES,
        *disputes.RULES.values(),
    )
}
