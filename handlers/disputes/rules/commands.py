"""What a merchant's people ask for: answer a dispute, or give in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Audit, Decision, Rejection, Waiting
from handlers.disputes.deadlines import is_over
from handlers.disputes.evidence import evidence_of
from handlers.disputes.policy import TAKES_MORE_EVIDENCE
from handlers.disputes.rules.steps import ask, busy, refusal
from handlers.disputes.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.disputes.model import Dispute, Evidence, OrderDocument
    from handlers.payments.model import Payment
    from schemas.dispute import DisputeAccepted, EvidenceSubmitted


def submit_evidence(
    payment: Payment | None,
    dispute: Dispute | None,
    evidence: tuple[Evidence, ...] | None,
    order_documents: tuple[OrderDocument, ...] | None,
    message: EvidenceSubmitted,
    now: datetime,
) -> Outcome:
    """Keep the evidence under its hash, then send it; the dispute moves on when the provider has taken it."""
    data = message.data
    problem = _not_now(payment, dispute, message)
    if dispute is None or problem is not None:
        return problem or Decision()
    if dispute.state is State.EXPIRED or (
        refusal(dispute, Trigger.SUBMIT_EVIDENCE) is None and is_over(dispute, now)
    ):
        detail = f"dispute {dispute.dispute_reference}: evidence was due at {dispute.evidence_due_at}"
        return Rejection(Reason.EVIDENCE_TOO_LATE, detail)
    forbidden = refusal(dispute, Trigger.SUBMIT_EVIDENCE) or _once_only(dispute)
    if forbidden is not None:
        return forbidden
    sent = evidence_of(dispute, len(evidence or ()) + 1, data, order_documents or (), now)
    asking, call = ask(dispute, "submit_evidence", now, sent.fields)
    detail = f"version {sent.version}, sha256 {sent.sha256}"
    done = Audit(data.actor.id, "evidence_submitted", "dispute", str(dispute.object_id), detail)
    return Decision(states=(asking, sent), calls=(call,), audit=(done,))


def accept_dispute(
    payment: Payment | None, dispute: Dispute | None, message: DisputeAccepted, now: datetime
) -> Outcome:
    """Give in; the loss is booked when the provider has taken note."""
    data = message.data
    problem = _not_now(payment, dispute, message)
    if dispute is None or problem is not None:
        return problem or Decision()
    forbidden = refusal(dispute, Trigger.ACCEPT)
    if forbidden is not None:
        return forbidden
    asking, call = ask(dispute, "accept_dispute", now)
    done = Audit(data.actor.id, "dispute_accepted", "dispute", str(dispute.object_id), data.note)
    return Decision(states=(asking,), calls=(call,), audit=(done,))


def _not_now(
    payment: Payment | None, dispute: Dispute | None, message: EvidenceSubmitted | DisputeAccepted
) -> Rejection | Waiting | None:
    data = message.data
    if payment is None:
        return Waiting(Reason.PAYMENT_UNKNOWN, f"order {data.order_id} has no payment")
    if dispute is None:
        detail = f"dispute_reference {data.dispute_reference} was not reported by a provider"
        return Waiting(Reason.DISPUTE_UNKNOWN, detail, "dispute")
    if dispute.payment_id != payment.payment_id:
        detail = f"dispute_reference {data.dispute_reference} is of order {dispute.order_id}"
        return Rejection(Reason.DISPUTE_UNKNOWN, detail)
    return busy(dispute)


def _once_only(dispute: Dispute) -> Rejection | None:
    if dispute.state is not State.EVIDENCE_SUBMITTED or dispute.provider in TAKES_MORE_EVIDENCE:
        return None
    detail = f"dispute {dispute.dispute_reference}: {dispute.provider} takes evidence once, and has it"
    return Rejection(Reason.STATE_FORBIDS, detail)
