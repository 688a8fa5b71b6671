"""The limits and deadlines of payments, as data."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from handlers.payments.states import State
from schemas.currencies import to_minor
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.notification import Audience

MAX_ATTEMPTS: Final = 5
"""Confirmations of one payment before it fails for good; card schemes fine merchants who try endlessly."""

NO_FURTHER_ATTEMPT: Final = frozenset({Reason.SUSPECTED_FRAUD, Reason.STOLEN_CARD, Reason.LOST_CARD})
"""Declines after which the same customer is not asked for another card."""

CHALLENGE_LIFETIME: Final = timedelta(hours=1)
"""How long a customer has to authenticate before we look at the provider and, if nothing happened, give up."""

OUTCOME_DEADLINE: Final = timedelta(hours=24)
"""How long an outcome may be unknown before a person is asked; the gateway goes on asking the provider."""

PENDING_DEADLINE: Final = timedelta(days=14)
"""How long a bank may take over a debit before a person is asked."""

FIRST_PENDING_CHECK: Final = timedelta(hours=1)
LONGEST_PENDING_CHECK: Final = timedelta(days=1)
"""We ask about a pending debit after an hour, then after as long again as it has been pending, at most a day."""

DECIDERS: Final = frozenset({"manager", "finance"})
"""Roles that may decide an outcome that nobody knows."""

LARGE_MAJOR: Final = Decimal(1000)
"""From this amount on, in major units of any currency, two people must decide the same."""

ATTACH_WITHIN: Final = timedelta(hours=24)
"""How long after a payment was given up a success that comes late is still the order's; later it is reversed."""

ATTACHABLE: Final = frozenset(
    {State.REQUIRES_PAYMENT_METHOD, State.REQUIRES_CONFIRMATION, State.FAILED, State.EXPIRED}
)
"""Where a late success is attached: the order is unpaid, and nobody asked to give it up. Else it is reversed."""

RECIPIENTS: Final[Mapping[str, tuple[Audience, ...]]] = {
    "payment.authorization_expiring": ("merchant",),
    "payment.customer_needed": ("customer", "merchant"),
    "payment.outcome_undecided": ("operations",),
    "payment.answer_impossible": ("operations", "finance"),
    "payment.late_success_attached": ("merchant", "support"),
    "payment.late_success_reversing": ("support", "finance"),
    "payment.late_success_not_reversed": ("operations", "finance"),
    "payment.decision_contradicted": ("operations", "finance"),
    "payment.returned": ("merchant", "finance"),
    "payment.returned_unapplied": ("merchant", "finance"),
    "payment.captured_elsewhere": ("operations", "finance"),
}
"""What is notified -> whom."""


def is_large(amount_minor: int, currency: str) -> bool:
    """Whether the amount needs four eyes."""
    return amount_minor >= to_minor(LARGE_MAJOR, currency)
