"""What the provider's answers mean. Every answer names its call; an answer to another call is stale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from handlers.decision import Decision, Rejection, Waiting
from handlers.disputes.rules.settling import Change, settle
from handlers.disputes.rules.steps import advance, answered, notify, tell
from handlers.disputes.states import TRANSITIONS, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.disputes.model import Dispute, Evidence
    from handlers.payments.model import Payment
    from schemas.provider import CallDeclined, CallFailed, CallPending, CallSucceeded, CallUnknown

    Result = CallDeclined | CallFailed | CallPending | CallSucceeded | CallUnknown

History = tuple["Evidence", ...]


def call_succeeded(
    payment: Payment | None,
    dispute: Dispute | None,
    evidence: History | None,
    message: CallSucceeded,
    now: datetime,
) -> Outcome:
    """The provider has our evidence, or our acceptance. What it reported meanwhile stands."""
    problem = _not_ours(payment, dispute, message)
    if payment is None or dispute is None or problem is not None:
        return problem or Decision()
    if dispute.call_operation == "submit_evidence":
        return _submitted(dispute, evidence or (), message.time, now)
    return _accepted(payment, dispute, message.time, now)


def call_pending(
    payment: Payment | None,
    dispute: Dispute | None,
    evidence: History | None,
    message: CallPending,
    now: datetime,
) -> Outcome:
    """The provider took it on: evidence is with it; whether an acceptance took effect, its report will say."""
    problem = _not_ours(payment, dispute, message)
    if payment is None or dispute is None or problem is not None:
        return problem or Decision()
    if dispute.call_operation == "submit_evidence":
        return _submitted(dispute, evidence or (), message.time, now)
    return Decision(states=(replace(dispute, updated_at=now, **answered()),))


def call_refused(
    payment: Payment | None,
    dispute: Dispute | None,
    evidence: History | None,
    message: CallDeclined | CallFailed,
    now: datetime,
) -> Outcome:
    """No, or certainly no effect: the dispute stands as before, and the merchant is told while there is time."""
    del evidence
    problem = _not_ours(payment, dispute, message)
    if dispute is None or problem is not None:
        return problem or Decision()
    after = replace(dispute, reason=message.data.reason, updated_at=now, **answered())
    detail = f"{dispute.call_operation} did not reach the provider: {message.data.reason}"
    told = notify(after, "merchant", "answer_refused", detail, dispute.evidence_due_at)
    return Decision(states=(after,), events=(tell(after), told))


def call_unknown(
    payment: Payment | None,
    dispute: Dispute | None,
    evidence: History | None,
    message: CallUnknown,
    now: datetime,
) -> Outcome:
    """Nobody knows yet; the gateway goes on asking, and the due date waits for it."""
    del evidence
    problem = _not_ours(payment, dispute, message)
    if dispute is None or problem is not None:
        return problem or Decision()
    if not dispute.certain:
        return Decision()
    return Decision(states=(replace(dispute, certain=False, updated_at=now),))


def _not_ours(
    payment: Payment | None, dispute: Dispute | None, message: Result
) -> Rejection | Waiting | None:
    data = message.data
    if payment is None:
        return Waiting(Reason.PAYMENT_UNKNOWN, f"payment {data.payment_id} of call {data.call_id}")
    if dispute is None:
        return Waiting(Reason.DISPUTE_UNKNOWN, f"dispute {data.object_id} of call {data.call_id}", "dispute")
    if dispute.call_id != data.call_id:
        detail = f"dispute {dispute.dispute_reference} waits for call {dispute.call_id}"
        return Rejection(Reason.CALL_STALE, detail)
    return None


def _submitted(dispute: Dispute, history: History, at: datetime, now: datetime) -> Decision:
    sent = history[-1]
    known = {"evidence_sha256": sent.sha256, "answered_at": at, **answered()}
    if (dispute.state, Trigger.SUBMIT_EVIDENCE) not in TRANSITIONS:
        # decided while the evidence was on its way
        after = replace(dispute, updated_at=now, **known)
        return Decision(states=(after,), events=(tell(after),))
    after, step = advance(dispute, Trigger.SUBMIT_EVIDENCE, now, **known)
    links = cast("tuple[Mapping[str, str], ...]", sent.links)
    return Decision(states=(after,), transitions=(step,), events=(tell(after, links),))


def _accepted(payment: Payment, dispute: Dispute, at: datetime, now: datetime) -> Decision:
    """It is lost at once, as far as the provider holds money of ours; a report says when it takes more."""
    if (dispute.state, Trigger.ACCEPT) not in TRANSITIONS:
        return Decision(states=(replace(dispute, updated_at=now, **answered()),))
    after, step = advance(dispute, Trigger.ACCEPT, now, answered_at=at, **answered())
    settled = settle(payment, Change(dispute, after, opened=False, new_stage=False, effective_at=at), now)
    return Decision(
        states=(settled.dispute, *([settled.payment] if settled.payment else [])),
        transitions=(step, *settled.transitions),
        postings=settled.postings,
        events=(tell(settled.dispute), *settled.events),
    )
