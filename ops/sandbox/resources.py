"""The JSON that the provider answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ops.sandbox.rules import Authorization, Refusal

Document: TypeAlias = dict[str, Any]


def resource(authorization: Authorization, public_url: str) -> Document:
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
        "currency": authorization.currency,
        "payment_method": {"type": authorization.method_type},
        "capture": authorization.capture,
        "captures": [
            {"id": taken.id, "amount_minor": taken.amount_minor, "final": taken.final}
            for taken in authorization.captures
        ],
        "decline_code": authorization.decline_code,
        "redirect_url": f"{public_url}/v1/authorizations/{authorization.id}/challenge" if waiting else None,
        "metadata": authorization.metadata,
        "created_at": authorization.created_at,
    }


def declined(authorization: Authorization, public_url: str) -> Document:
    """The answer to an authorization that was declined: the error, and the declined authorization itself."""
    return {
        "error": {
            "type": "declined",
            "message": "the authorization was declined",
            "decline_code": authorization.decline_code,
        },
        "authorization": resource(authorization, public_url),
    }


def problem(refusal: Refusal) -> Document:
    """The answer to a request that changed nothing."""
    error = {"type": refusal.type, "message": refusal.message}
    if refusal.decline_code is not None:
        error["decline_code"] = refusal.decline_code
    return {"error": error}
