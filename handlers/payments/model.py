"""A payment: one per order, identified by its order."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from handlers.fees.model import FeeTerms
from handlers.payments.states import REFUNDABLE
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.payments.states import State
    from schemas.money import Rounding
    from schemas.provider import Operation
    from schemas.reasons import Reason

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://counterfoil.example/ids")

PROVIDER_OF_METHOD: Final = {"card": "sandbox"}
"""Which provider takes which kind of method."""

MAX_ATTEMPTS: Final = 5
"""Confirmations of one payment before it fails for good; card schemes fine merchants who try endlessly."""

CHALLENGE_LIFETIME: Final = timedelta(hours=1)
"""How long a customer has to authenticate before we look at the provider and, if nothing happened, give up."""

AUTHORIZATION_LIFETIME: Final = {
    "visa": timedelta(days=7),
    "mastercard": timedelta(days=7),
    "amex": timedelta(days=7),
    "discover": timedelta(days=10),
    "jcb": timedelta(days=7),
    "unionpay": timedelta(days=7),
    "diners": timedelta(days=7),
}
"""How long each network keeps money held for an online authorization, as processors publish it."""


@value
class Payment:
    """Amounts are minor units of `currency`. Recorded payments have no provider, token or call.

    `call_id` is the provider call under way, None when there is none; `certain` is False while that call's
    outcome is unknown; `call_final` says that it is a capture after which no other follows. `version` counts the
    transitions, `attempts` the confirmations, `calls` every call to the provider for the payment itself.

    `refunding_minor` is in refunds under way, `refunded_minor` in those that succeeded, `disputed_minor` in disputes
    that are open or lost; with them, never more than was captured (law 7).
    """

    tenant: str
    payment_id: UUID
    order_id: str
    merchant_id: str
    customer_id: str | None
    state: State
    version: int
    currency: str
    amount_minor: int
    authorized_minor: int
    captured_minor: int
    refunding_minor: int
    refunded_minor: int
    disputed_minor: int
    fee_minor: int
    fee_version: int
    fee_bps: int
    fee_fixed_minor: int
    fee_rounding: Rounding
    capture_method: str
    method: str | None
    method_token: str | None
    method_network: str | None
    method_last4: str | None
    provider: str | None
    provider_reference: str | None
    call_id: UUID | None
    call_operation: Operation | None
    call_final: bool
    certain: bool
    attempts: int
    calls: int
    reason: Reason | None
    redirect_url: str | None
    authorization_expires_at: datetime | None
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime

    @property
    def capturable_minor(self) -> int:
        """What may still be captured; nothing once the payment has left authorized and captured."""
        return self.authorized_minor - self.captured_minor if self.state in {"authorized", "captured"} else 0

    @property
    def refundable_minor(self) -> int:
        """What may still be refunded: captured, and neither given back, on its way back, nor disputed."""
        if self.state not in REFUNDABLE:
            return 0
        return self.captured_minor - self.refunding_minor - self.refunded_minor - self.disputed_minor

    @property
    def fee_terms(self) -> FeeTerms:
        """The terms fixed when the payment was opened."""
        return FeeTerms(self.fee_version, self.fee_bps, self.fee_fixed_minor, self.fee_rounding)


@lru_cache(maxsize=65_536)
def payment_id_of(tenant: str, order_id: str) -> UUID:
    """The id of an order's payment. Derived from the order, so that an order cannot have two."""
    return uuid5(_NAMESPACE, f"payment/{tenant}/{order_id}")


def derived_id(parent_id: UUID, what: str, number: int) -> UUID:
    """The id of a payment's n-th call or timer, or of a timer's next. A retry after a crash derives the same id."""
    return uuid5(parent_id, f"{what}/{number}")
