"""Our calls as the provider's HTTP requests: method, path and body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from producers.providers.base import Operation, ProviderRequest

Method: TypeAlias = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class Target:
    """One HTTP request. Without a body it only reads."""

    method: Method
    path: str
    body: Mapping[str, object] | None = None


ROUTES: Mapping[Operation, tuple[Method, str]] = {
    "authorize": ("POST", "/v1/authorizations"),
    "increase": ("POST", "/v1/authorizations/{authorization}/increase"),
    "capture": ("POST", "/v1/authorizations/{authorization}/captures"),
    "void": ("POST", "/v1/authorizations/{authorization}/void"),
    "confirm": ("GET", "/v1/authorizations/{authorization}"),
    "refund": ("POST", "/v1/authorizations/{authorization}/refunds"),
    "confirm_refund": ("GET", "/v1/refunds/{object}"),
    "submit_evidence": ("POST", "/v1/disputes/{object}/evidence"),
    "accept_dispute": ("POST", "/v1/disputes/{object}/accept"),
}


def target(call: ProviderRequest) -> Target:
    """What the call is over HTTP."""
    method, path = ROUTES[call.operation]
    # References come from outside: as one segment of a path they cannot lead to another.
    path = path.format(
        authorization=quote(call.provider_reference or "", safe=""),
        object=quote(call.object_reference or "", safe=""),
    )
    return Target(method, path, _body(call) if method == "POST" else None)


def _body(call: ProviderRequest) -> Mapping[str, object]:
    amount = {"amount_minor": call.amount_minor}
    match call.operation:
        case "authorize":
            return amount | {
                "currency": call.currency,
                "payment_method": {"type": call.method_type, "token": call.token},
                "capture": call.capture,
                "reference": call.order_id,
                "metadata": _metadata(call),
            }
        case "increase":
            return amount
        case "capture":
            return amount | {"final": call.final}
        case "refund":
            return amount | {"metadata": _metadata(call)}
        case "submit_evidence":
            return {"evidence": dict(call.evidence)}
        case _:
            return {}


def _metadata(call: ProviderRequest) -> dict[str, str]:
    """What lets a webhook name our order, and for a refund our refund."""
    about = {"tenant": call.tenant, "order_id": call.order_id}
    return about | ({"refund_id": str(call.object_id)} if call.object_id else {})
