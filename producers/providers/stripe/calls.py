"""What our requests to Stripe carry: parameters, idempotency keys, and marks that lead back to the call.

Stripe's limits: 50 metadata keys of 40 characters, values of 500 (https://docs.stripe.com/api/metadata).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from producers.providers.stripe.currencies import UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from stripe.params import (
        DisputeUpdateParams,
        DisputeUpdateParamsEvidence,
        PaymentIntentCaptureParams,
        PaymentIntentCreateParams,
        PaymentIntentCreateParamsPaymentMethodOptionsCard,
        PaymentIntentIncrementAuthorizationParams,
        RefundCreateParams,
    )

    from producers.providers.base import ProviderRequest

METHOD_TYPES: Final[Mapping[str, Literal["card", "sepa_debit"]]] = {
    # our kind of payment method -> Stripe's
    "card": "card",
    "bank_debit": "sepa_debit",
}

FILES_AT_STRIPE: Final[Mapping[str, str]] = {
    # Evidence that Stripe takes as an uploaded file only; ours is text, and goes into `uncategorized_text` under this.
    "customer_communication": "Communication with the customer",
    "service_documentation": "Documentation of the service",
    "shipping_documentation": "Documentation of the shipment",
    "refund_policy": "Refund policy",
    "cancellation_policy": "Cancellation policy",
}
MOST_EVIDENCE_TEXT: Final = 20_000
"""Characters of one evidence field: https://docs.stripe.com/api/disputes/update."""
EVIDENCE_MARK: Final = "evidence_call_id"


def mark(call_id: UUID) -> str:
    """The metadata key under which a payment intent remembers a capture or an increase: it came, with this amount."""
    return f"call_{call_id.hex}"


def creation(call: ProviderRequest, features: frozenset[str]) -> PaymentIntentCreateParams:
    """An intent that nobody has confirmed: it moves no money.

    Raises:
        ValueError: Stripe does not take the currency, the amount or the kind of method.
    """
    kind = METHOD_TYPES.get(call.method_type or "")
    if kind is None:
        raise ValueError(f"method_type: {call.method_type} is not taken by Stripe here")
    told: PaymentIntentCreateParams = {
        "amount": UNITS.theirs(call.amount_minor, call.currency),
        "currency": call.currency.lower(),
        "payment_method": call.token or "",
        "allowed_payment_method_types": [kind],
        "capture_method": "automatic" if call.capture else "manual",
        "metadata": {"tenant": call.tenant, "order_id": call.order_id, "call_id": str(call.call_id)},
    }
    if features and kind == "card" and not call.capture:
        asked = {f"request_{name}": "if_available" for name in sorted(features)}
        told["payment_method_options"] = {
            "card": cast("PaymentIntentCreateParamsPaymentMethodOptionsCard", asked)
        }
    return told


def capture(call: ProviderRequest) -> PaymentIntentCaptureParams:
    """One capture. What is not asked for with `final=False` is released by Stripe.

    Raises:
        ValueError: see `creation`.
    """
    told: PaymentIntentCaptureParams = {
        "amount_to_capture": UNITS.theirs(call.amount_minor, call.currency),
        "metadata": {mark(call.call_id): str(call.amount_minor)},
    }
    if not call.final:
        told["final_capture"] = False
    return told


def increase(call: ProviderRequest) -> PaymentIntentIncrementAuthorizationParams:
    """A new total.

    Raises:
        ValueError: see `creation`.
    """
    return {
        "amount": UNITS.theirs(call.amount_minor, call.currency),
        "metadata": {mark(call.call_id): str(call.amount_minor)},
    }


def refund(call: ProviderRequest) -> RefundCreateParams:
    """A refund that names our order, our refund and this call.

    Raises:
        ValueError: see `creation`.
    """
    named = {"refund_id": str(call.object_id)} if call.object_id else {}
    return {
        "payment_intent": call.provider_reference or "",
        "amount": UNITS.theirs(call.amount_minor, call.currency),
        "metadata": {"tenant": call.tenant, "order_id": call.order_id, "call_id": str(call.call_id), **named},
    }


def evidence(call: ProviderRequest) -> DisputeUpdateParams:
    """Everything at once, submitted: Stripe takes one answer to a dispute.

    Raises:
        ValueError: the texts are longer than Stripe takes; the message names the field.
    """
    fields = {name: text for name, text in call.evidence.items() if name not in FILES_AT_STRIPE and text}
    parts = [fields.pop("uncategorized_text", "")]
    parts += [
        f"{title}:\n{call.evidence[name]}"
        for name, title in FILES_AT_STRIPE.items()
        if call.evidence.get(name)
    ]
    free = "\n\n".join(part for part in parts if part)
    fields |= {"uncategorized_text": free} if free else {}
    for name, text in fields.items():
        if len(text) > MOST_EVIDENCE_TEXT:
            raise ValueError(f"evidence.{name}: {len(text)} characters, Stripe takes {MOST_EVIDENCE_TEXT}")
    return {
        "evidence": cast("DisputeUpdateParamsEvidence", fields),
        "submit": True,
        "metadata": {EVIDENCE_MARK: str(call.call_id)},
    }
