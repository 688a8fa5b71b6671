"""Messages as shops and providers would send them; every argument that a test does not care about has a value."""

from __future__ import annotations

from typing import Any

import orjson

from handlers.payments.model import payment_id_of

TENANT = "acme"
SHOP = "/shops/a"
MERCHANT = "m1"
WHEN = "2026-11-23T10:00:00Z"


def event(event_id: str, kind: str, data: dict[str, Any], **envelope: Any) -> bytes:
    """A CloudEvent. `kind` is its type without the version; `envelope` overrides or adds members."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": SHOP,
            "type": f"{kind}.v1",
            "time": WHEN,
            "tenant": TENANT,
            "data": data,
        }
        | envelope
    )


def fees(event_id: str = "fees", merchant: str = MERCHANT, version: int = 1, **envelope: Any) -> bytes:
    """A fee schedule: 2.5% and 0.30."""
    data = {
        "merchant_id": merchant,
        "version": version,
        "effective_from": "2026-01-01T00:00:00Z",
        "bps": 250,
        "fixed_minor": {"EUR": 30},
        "rounding": "half_even",
    }
    return event(event_id, "checkout.merchant_fees_set", data, **envelope)


def amount(minor: int, currency: str = "EUR") -> dict[str, Any]:
    """Money as messages write it."""
    return {"amount_minor": minor, "currency": currency}


def sale(event_id: str, order: str, minor: int = 1999, merchant: str = MERCHANT, **envelope: Any) -> bytes:
    """A payment taken at a point of sale."""
    data = {
        "order_id": order,
        "merchant_id": merchant,
        "amount": amount(minor),
        "collection": "point_of_sale",
    }
    return event(event_id, "checkout.payment_recorded", data, **envelope)


def promise(event_id: str, order: str, minor: int = 1999, **envelope: Any) -> bytes:
    """A payment that will be collected on delivery."""
    data = {
        "order_id": order,
        "merchant_id": MERCHANT,
        "amount": amount(minor),
        "collection": "cash_on_delivery",
    }
    return event(event_id, "checkout.payment_deferred", data, **envelope)


def missed(event_id: str, order: str, **envelope: Any) -> bytes:
    """A promised payment that will not come."""
    return event(event_id, "checkout.payment_not_collected", {"order_id": order}, **envelope)


def card(token: str = "tok_approve") -> dict[str, Any]:  # noqa: S107 - a sandbox token's name is no secret
    """A card method."""
    return {"type": "card", "token": token, "network": "visa", "last4": "4242"}


def request(  # noqa: PLR0913 - a command's parts
    event_id: str,
    order: str,
    *,
    key: str | None = None,
    minor: int = 2500,
    token: str | None = "tok_approve",  # noqa: S107
    confirm: bool = True,
    capture: str = "automatic",
    data: dict[str, Any] | None = None,
    **envelope: Any,
) -> bytes:
    """The command that opens an order's payment."""
    asked = {
        "idempotency_key": key or event_id,
        "order_id": order,
        "merchant_id": MERCHANT,
        "amount": amount(minor),
        "confirm": confirm,
        "capture_method": capture,
        **({"payment_method": card(token)} if token else {}),
        **(data or {}),
    }
    return event(event_id, "checkout.payment_requested", asked, **envelope)


def confirm(event_id: str, order: str, *, key: str | None = None, **envelope: Any) -> bytes:
    """The command to ask the provider."""
    data = {"idempotency_key": key or event_id, "order_id": order, "payment_method": card()}
    return event(event_id, "checkout.confirmation_requested", data, **envelope)


def cancel(event_id: str, order: str, *, key: str | None = None, **envelope: Any) -> bytes:
    """The command to give a payment up."""
    data = {"idempotency_key": key or event_id, "order_id": order}
    return event(event_id, "checkout.cancellation_requested", data, **envelope)


def capture(
    event_id: str, order: str, minor: int | None = None, *, key: str | None = None, final: bool = True
) -> bytes:
    """The command to take authorized money, all that is left or a part."""
    data = {"idempotency_key": key or event_id, "order_id": order, "final": final}
    return event(event_id, "checkout.capture_requested", data | ({"amount_minor": minor} if minor else {}))


def succeeded(
    event_id: str, order: str, call_id: str, operation: str, minor: int, *, captured: bool
) -> bytes:
    """The provider did what call `call_id` asked for."""
    return event(
        event_id,
        "provider.call_succeeded",
        {
            "call_id": call_id,
            "payment_id": str(payment_id_of(TENANT, order)),
            "order_id": order,
            "provider": "sandbox",
            "operation": operation,
            "provider_reference": f"auth_{order}",
            "amount_minor": minor,
            "captured": captured,
        },
    )
