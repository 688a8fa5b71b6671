"""The posting engine: the only place that turns amounts into journal legs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.ledger.model import DEBIT, Posting
from schemas.ledger import Leg

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.ledger.model import PostingRule


class UnbalancedPostingError(AssertionError):
    """A posting rule was given amounts that do not balance; a bug, never a user's mistake."""


def post(
    rule: PostingRule,
    *,
    object_type: str,
    object_id: str,
    currency: str,
    effective_at: datetime,
    owners: Mapping[str, str],
    amounts: Mapping[str, int],
) -> Posting:
    """Book `amounts` (minor units) by `rule`. Legs of zero are left out; raises UnbalancedPostingError (law 1)."""
    legs = []
    balance = 0
    for leg in rule.legs:
        amount_minor = amounts[leg.amount]
        if amount_minor == 0:
            continue
        if amount_minor < 0:
            msg = f"{rule.name}: {leg.amount} is negative ({amount_minor})"
            raise UnbalancedPostingError(msg)
        balance += amount_minor if leg.side == DEBIT else -amount_minor
        legs.append(Leg(leg.side, leg.code, owners[leg.owner], amount_minor, currency))
    if balance or not legs:
        msg = f"{rule.name}: debits exceed credits by {balance} {currency}"
        raise UnbalancedPostingError(msg)
    return Posting(rule.name, object_type, object_id, effective_at, tuple(legs))
