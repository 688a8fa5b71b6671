"""Who may propose which journal, who approves it, and within what time; as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.decision import Rejection
from handlers.ledger.model import CHART, Code
from handlers.refunds.policy import outranks
from schemas.reasons import Reason
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from handlers.journals.model import Journal
    from schemas.actor import Actor


@value
class JournalPolicy:
    """`proposers` are roles; `approver` is the lowest role that may agree, always another person."""

    proposers: frozenset[str]
    approver: str
    approval_days: int
    ahead_days: int
    """How far in the future it may be effective: banks date some things for the next day."""


_PEOPLE: Final = frozenset({"manager", "finance"})
_ANYBODY: Final = frozenset({"system", "manager", "finance"})
_FINANCE: Final = frozenset({"finance"})

POLICIES: Final[dict[str, JournalPolicy]] = {
    "manual": JournalPolicy(_ANYBODY, "finance", approval_days=14, ahead_days=1),
    "conversion": JournalPolicy(frozenset({"system", "finance"}), "finance", approval_days=14, ahead_days=1),
    "reversal": JournalPolicy(_PEOPLE, "finance", approval_days=14, ahead_days=1),
    # what a payment, refund or dispute booked follows from its state: only finance takes that back by hand
    "reversal of payment": JournalPolicy(_FINANCE, "finance", approval_days=14, ahead_days=1),
    "reversal of refund": JournalPolicy(_FINANCE, "finance", approval_days=14, ahead_days=1),
    "reversal of dispute": JournalPolicy(_FINANCE, "finance", approval_days=14, ahead_days=1),
}
MAX_DIFFERENCE_MINOR: Final = 5
"""What may have arrived of a conversion more or less than the rate says, and still be a rounding difference."""


def policy_of(kind: str, object_type: str | None = None) -> JournalPolicy:
    """The policy of a journal of this kind, which for a reversal depends on what was posted."""
    return POLICIES.get(f"{kind} of {object_type}", POLICIES[kind])


def may_propose(policy: JournalPolicy, actor: Actor) -> Rejection | None:
    """Why `actor` may not propose it; None when they may."""
    if actor.role in policy.proposers:
        return None
    roles = " or ".join(sorted(policy.proposers))
    return Rejection(Reason.ACTOR_NOT_ALLOWED, f"actor.role {actor.role}: it needs {roles}")


def may_approve(journal: Journal, actor: Actor) -> Rejection | None:
    """Why `actor` may not approve it: four eyes see more. None when they may."""
    if not outranks(actor.role, journal.needs_approval_of):
        detail = f"actor.role {actor.role}: it needs {journal.needs_approval_of}"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    if actor.id == journal.proposed_by:
        return Rejection(Reason.FOUR_EYES, f"actor.id {actor.id} proposed the journal")
    return None


def may_post_to(accounts: Iterable[str], actor: Actor) -> Rejection | None:
    """Why one of these accounts is closed to journals of `actor`'s; None when none is."""
    for account in sorted(set(accounts)):
        chart = CHART.get(Code(account)) if account in set(Code) else None
        if chart is None:
            return Rejection(Reason.ACCOUNT_UNKNOWN, f"account {account} is not in the chart")
        if actor.role not in chart.people:
            allowed = " or ".join(sorted(chart.people)) or "nobody"
            detail = f"account {account} takes journals of {allowed}, not of {actor.role}"
            return Rejection(Reason.ACCOUNT_NOT_POSTABLE, detail)
    return None


def too_far_ahead(policy: JournalPolicy, effective_at: datetime, now: datetime) -> Rejection | None:
    """Why it may not be effective then; None when it may."""
    if (effective_at - now).total_seconds() <= policy.ahead_days * 86_400:
        return None
    detail = f"effective_at {effective_at} is more than {policy.ahead_days} day(s) ahead"
    return Rejection(Reason.EFFECTIVE_TOO_LATE, detail)
