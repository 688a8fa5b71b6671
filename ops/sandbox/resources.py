"""The JSON that the provider answers with, and puts into its webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ops.sandbox.model import Authorization, Capture, Dispute, Refund, Refusal

Document: TypeAlias = dict[str, Any]


def authorization_resource(authorization: Authorization, public_url: str) -> Document:
    """An authorization. `redirect_url` is there only while the customer has to act."""
    waiting = authorization.status == "requires_action"
    return {
        "object": "authorization",
        "id": authorization.id,
        "status": authorization.status,
        "reference": authorization.reference,
        "amount_minor": authorization.amount_minor,
        "captured_amount_minor": authorization.captured_amount_minor,
        "capturable_amount_minor": authorization.capturable_amount_minor,
        "maximum_capturable_amount_minor": authorization.maximum_capturable_amount_minor,
        "refunded_amount_minor": authorization.refunded_amount_minor,
        "disputed_amount_minor": authorization.disputed_amount_minor,
        "returned_amount_minor": authorization.returned_amount_minor,
        "refundable_amount_minor": authorization.refundable_amount_minor,
        "currency": authorization.currency,
        "payment_method": {"type": authorization.method_type, "network": authorization.network},
        "capture": authorization.capture,
        "captures": [capture_resource(taken) for taken in authorization.captures],
        "decline_code": authorization.decline_code,
        "redirect_url": f"{public_url}/v1/authorizations/{authorization.id}/challenge" if waiting else None,
        "metadata": authorization.metadata,
        "created_at": authorization.created_at,
    }


def capture_resource(taken: Capture) -> Document:
    """A capture; part of its authorization."""
    return {"id": taken.id, "amount_minor": taken.amount_minor, "final": taken.final}


def refund_resource(refund: Refund, authorization: Authorization) -> Document:
    """A refund, with the metadata of its own request."""
    return {
        "object": "refund",
        "id": refund.id,
        "authorization_id": authorization.id,
        "reference": authorization.reference,
        "status": refund.status,
        "amount_minor": refund.amount_minor,
        "currency": authorization.currency,
        "failure_code": refund.failure_code,
        "metadata": refund.metadata,
        "created_at": refund.created_at,
    }


def dispute_resource(dispute: Dispute, authorization: Authorization) -> Document:
    """A dispute, with the metadata of the authorization."""
    return {
        "object": "dispute",
        "id": dispute.id,
        "authorization_id": authorization.id,
        "reference": authorization.reference,
        "stage": dispute.stage,
        "status": dispute.status,
        "amount_minor": dispute.amount_minor,
        "funds_minor": dispute.funds_minor,
        "fee_minor": dispute.fee_minor,
        "currency": authorization.currency,
        "network_reason": dispute.network_reason,
        "evidence": dispute.evidence,
        "evidence_due_at": dispute.evidence_due_at,
        "metadata": authorization.metadata,
        "created_at": dispute.created_at,
    }


def declined(authorization: Authorization, public_url: str) -> Document:
    """The answer to an authorization that was declined: the error, and the declined authorization itself."""
    return {
        "error": {
            "type": "declined",
            "message": "the authorization was declined",
            "decline_code": authorization.decline_code,
        },
        "authorization": authorization_resource(authorization, public_url),
    }


def problem(refusal: Refusal) -> Document:
    """The answer to a request that changed nothing."""
    error = {"type": refusal.type, "message": refusal.message}
    if refusal.decline_code is not None:
        error["decline_code"] = refusal.decline_code
    return {"error": error}
