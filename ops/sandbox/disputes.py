"""What becomes of disputes: pure functions on the authorization that they belong to.

    inquiry      needs_response --evidence--> under_review --> won | lost;  accepted, expired: closed unanswered
    chargeback   the same, but the money is withdrawn when it opens, and comes back only when it is won
    second       a chargeback that was won comes back once more, and the money is withdrawn again

An inquiry takes money only when it is lost or accepted. Each later stage costs a fee, which nobody returns.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from ops.sandbox.fees import dispute_fee_minor
from ops.sandbox.model import Dispute, Refusal, identifier, invalid_state, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ops.sandbox.messages import DisputeRequest, EvidenceRequest
    from ops.sandbox.model import Authorization, DisputeStatus, Stage

Verdict: TypeAlias = Literal["won", "lost"]

NEXT_STAGE: Mapping[tuple[Stage, DisputeStatus], Stage] = {
    # An inquiry may become a chargeback whatever was answered to it, but not what was settled by paying.
    ("inquiry", "needs_response"): "chargeback",
    ("inquiry", "under_review"): "chargeback",
    ("inquiry", "won"): "chargeback",
    ("inquiry", "expired"): "chargeback",
    ("chargeback", "won"): "second_chargeback",
}
LOSING_EVIDENCE = "losing_evidence"
"""A text with this in it convinces nobody; any other evidence wins."""


def open_dispute(
    authorization: Authorization, request: DisputeRequest, key: str, now: datetime
) -> Authorization | Refusal:
    """The customer disputes what was captured, by an inquiry or by a chargeback."""
    left = authorization.refundable_amount_minor
    if left <= 0:
        return Refusal(409, "invalid_state", "a dispute is not possible: nothing captured is left")
    amount_minor = left if request.amount_minor is None else request.amount_minor
    if amount_minor > left:
        return too_large(amount_minor, left, "disputable")
    opened = Dispute(
        id=identifier("dp", key),
        stage=request.stage,
        status="needs_response",
        amount_minor=amount_minor,
        funds_minor=0,
        fee_minor=0,
        network_reason=request.network_reason,
        evidence={},
        evidence_due_at=now + timedelta(milliseconds=request.evidence_due_ms),
        created_at=now,
    )
    if request.stage == "chargeback":
        opened = _withdrawn(opened, authorization.currency)
    return replace(authorization, disputes=(*authorization.disputes, opened))


def escalate(
    authorization: Authorization, dispute_id: str, evidence_due_ms: int, now: datetime
) -> Authorization | Refusal:
    """The customer's bank goes on to the next stage."""
    dispute = one(authorization, dispute_id)
    stage = NEXT_STAGE.get((dispute.stage, dispute.status))
    if stage is None:
        return invalid_state("escalate", dispute.stage, dispute.status)
    if dispute.amount_minor > authorization.refundable_amount_minor:
        return too_large(dispute.amount_minor, authorization.refundable_amount_minor, "disputable")
    due_at = now + timedelta(milliseconds=evidence_due_ms)
    moved = replace(dispute, stage=stage, status="needs_response", evidence={}, evidence_due_at=due_at)
    return _with(authorization, _withdrawn(moved, authorization.currency))


def submit_evidence(
    authorization: Authorization, dispute_id: str, request: EvidenceRequest
) -> Authorization | Refusal:
    """Answer the dispute, once a stage."""
    dispute = one(authorization, dispute_id)
    if dispute.status != "needs_response":
        return invalid_state("submit_evidence", "dispute", dispute.status)
    return _with(authorization, replace(dispute, status="under_review", evidence=request.evidence))


def accept(authorization: Authorization, dispute_id: str) -> Authorization | Refusal:
    """Give in: the money is gone."""
    dispute = one(authorization, dispute_id)
    if dispute.status != "needs_response":
        return invalid_state("accept_dispute", "dispute", dispute.status)
    return _with(
        authorization, replace(dispute, status="accepted", funds_minor=_forfeit(authorization, dispute))
    )


def decide(authorization: Authorization, dispute_id: str, result: Verdict) -> Authorization | Refusal:
    """The customer's bank decided. What was won is reinstated."""
    dispute = one(authorization, dispute_id)
    if dispute.status not in {"needs_response", "under_review"}:
        return invalid_state("decide", "dispute", dispute.status)
    funds_minor = 0 if result == "won" else _forfeit(authorization, dispute)
    return _with(authorization, replace(dispute, status=result, funds_minor=funds_minor))


def expire(authorization: Authorization, dispute_id: str, now: datetime) -> Authorization | None:
    """Nobody answered in time; None when somebody did, or the next stage has more time."""
    dispute = one(authorization, dispute_id)
    if dispute.status != "needs_response" or dispute.evidence_due_at > now:
        return None
    return _with(authorization, replace(dispute, status="expired"))


def review(authorization: Authorization, dispute_id: str, stage: str | None) -> Authorization | None:
    """Judge the evidence of a stage; None when the dispute has moved on."""
    dispute = one(authorization, dispute_id)
    if (dispute.status, dispute.stage) != ("under_review", stage):
        return None
    weak = any(LOSING_EVIDENCE in text for text in dispute.evidence.values())
    judged = decide(authorization, dispute_id, "lost" if weak else "won")
    return None if isinstance(judged, Refusal) else judged


def one(authorization: Authorization, dispute_id: str) -> Dispute:
    """One of its disputes."""
    return next(dispute for dispute in authorization.disputes if dispute.id == dispute_id)


def _withdrawn(dispute: Dispute, currency: str) -> Dispute:
    fee_minor = dispute.fee_minor + dispute_fee_minor(currency)
    return replace(dispute, funds_minor=dispute.amount_minor, fee_minor=fee_minor)


def _forfeit(authorization: Authorization, dispute: Dispute) -> int:
    """What a lost dispute costs: what is withheld, or, of an inquiry, what refunds have left of its amount."""
    return dispute.funds_minor or min(dispute.amount_minor, authorization.refundable_amount_minor)


def _with(authorization: Authorization, changed: Dispute) -> Authorization:
    return replace(
        authorization,
        disputes=tuple(
            changed if dispute.id == changed.id else dispute for dispute in authorization.disputes
        ),
    )
