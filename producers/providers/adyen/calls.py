"""What our requests to Adyen carry, and the references under which their webhooks come back.

A webhook signs its references and not its additional data (producers/signatures/adyen.py). So what has to be known
for certain, which call or refund it answers, is in a reference of ours: `call-<id>` or `refund-<id>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from producers.providers.adyen.currencies import UNITS
from producers.providers.messages import our_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from producers.providers.base import ProviderRequest

METHOD_TYPES: Final[Mapping[str, str]] = {
    # our kind of payment method -> Adyen's
    "card": "scheme",
    "bank_debit": "sepadirectdebit",
}
MOST_REFERENCE: Final = 80
"""Characters of a reference and of a metadata value: https://docs.adyen.com/api-explorer/Checkout/latest/post/payments."""
CALL, REFUND = "call-", "refund-"


def reference(call: ProviderRequest) -> str:
    """Ours for a modification."""
    if call.operation == "refund" and call.object_id is not None:
        return f"{REFUND}{call.object_id}"
    return f"{CALL}{call.call_id}"


def ours(told: str) -> tuple[UUID | None, UUID | None]:
    """The call's id and the refund's id in a reference of ours; None twice for any other."""
    for prefix in (CALL, REFUND):
        if told.startswith(prefix):
            found = our_uuid(told.removeprefix(prefix))
            return (found, None) if prefix == CALL else (None, found)
    return None, None


def amount(call: ProviderRequest) -> dict[str, Any]:
    """In Adyen's units. Raises ValueError when it cannot express it."""
    return {"currency": call.currency, "value": UNITS.theirs(call.amount_minor, call.currency)}


def payment(
    call: ProviderRequest, merchant_account: str, return_url: str, *, adjustable: bool
) -> dict[str, Any]:
    """A payment by a stored method, never captured by itself: a capture of its own has a webhook of its own.

    Raises:
        ValueError: Adyen does not take the currency, amount, kind of method, token or order id.
    """
    kind = METHOD_TYPES.get(call.method_type or "")
    if kind is None:
        raise ValueError(f"method_type: {call.method_type} is not taken by Adyen here")
    shopper, separator, stored = (call.token or "").rpartition(":")
    if not separator or not shopper or not stored:
        raise ValueError("token: not <shopperReference>:<storedPaymentMethodId>")
    if len(call.order_id) > MOST_REFERENCE:
        raise ValueError(f"order_id: {len(call.order_id)} characters, Adyen takes {MOST_REFERENCE}")
    adjusting = {"authorisationType": "PreAuth"} if adjustable and not call.capture else {}
    return {
        "merchantAccount": merchant_account,
        "amount": amount(call),
        "reference": call.order_id,
        "paymentMethod": {"type": kind, "storedPaymentMethodId": stored},
        "shopperReference": shopper,
        "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile",
        "returnUrl": return_url,
        # A challenge is a page to go to; the other kind needs Adyen's own component in the shop.
        "authenticationData": {"threeDSRequestData": {"nativeThreeDS": "disabled"}},
        "additionalData": {"manualCapture": "true", **adjusting},
        "metadata": {"tenant": call.tenant, "call_id": str(call.call_id)},
    }


def modification(call: ProviderRequest, merchant_account: str) -> dict[str, Any]:
    """A capture, an increase, a void or a refund. Raises ValueError as `amount` does."""
    told: dict[str, Any] = {"merchantAccount": merchant_account, "reference": reference(call)}
    return told if call.operation == "void" else told | {"amount": amount(call)}
