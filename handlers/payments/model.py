"""A payment: one per order, identified by its order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from handlers.fees.model import FeeTerms
from handlers.payments.states import REFUNDABLE
from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.payments.states import State
    from schemas.money import Rounding
    from schemas.provider import Operation
    from schemas.reasons import Reason


@value
class Payment:
    """Amounts are minor units of `currency`. Recorded payments have no provider, token or call.

    `call_id` is the provider call under way, None when there is none; `certain` is False while that call's
    outcome is unknown; `call_final` says that it is a capture after which no other follows; `call_amount_minor` is
    the most that its answer may say. `version` counts the transitions, `attempts` the confirmations, `calls` every
    call to the provider for the payment itself. `amount_minor` is what the order costs: an increase, or a capture
    beyond what was held where the network allows it, raises it together with `authorized_minor`.

    `state_ends_at` is when the state ends by itself: the network lets go of the hold, the customer's time to
    authenticate is over, we try a decline again, a person is asked about a debit. `off_session` says that no
    customer waits, so that we may try a decline again. `remarks` is what else is known of charges and calls of this
    payment: the provider's reference of a charge, or a call's id -> a word of handlers.payments.remarks.

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
    fee_minor: int
    fee_version: int
    fee_bps: int
    fee_fixed_minor: int
    fee_rounding: Rounding
    capture_method: str
    metadata: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    # what a recorded payment begins without
    refunding_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    method: str | None = None
    method_token: str | None = None
    method_network: str | None = None
    method_last4: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    call_id: UUID | None = None
    call_operation: Operation | None = None
    call_final: bool = True
    call_amount_minor: int | None = None
    certain: bool = True
    attempts: int = 0
    calls: int = 0
    reason: Reason | None = None
    redirect_url: str | None = None
    state_ends_at: datetime | None = None
    off_session: bool = False
    remarks: Mapping[str, str] | None = None

    @property
    def capturable_minor(self) -> int:
        """What may still be captured; nothing once the payment has left authorized and captured."""
        return self.authorized_minor - self.captured_minor if self.state in {"authorized", "captured"} else 0

    @property
    def refundable_minor(self) -> int:
        """What may still be refunded: captured, and neither given back, on its way back, nor disputed."""
        if self.state not in REFUNDABLE:
            return 0
        return max(0, self.room_minor)

    @property
    def room_minor(self) -> int:
        """What is left of the captured; below zero when a dispute takes what was given back, or is on its way."""
        return self.captured_minor - self.refunding_minor - self.refunded_minor - self.disputed_minor

    @property
    def fee_terms(self) -> FeeTerms:
        """The terms fixed when the payment was opened."""
        return FeeTerms(self.fee_version, self.fee_bps, self.fee_fixed_minor, self.fee_rounding)


@lru_cache(maxsize=16_384)
def payment_id_of(tenant: str, order_id: str) -> UUID:
    """The id of an order's payment. Derived from the order, so that an order cannot have two."""
    return ids.derived_id(ids.NAMESPACE, f"payment/{tenant}/{order_id}")


def derived_id(parent_id: UUID, what: str, number: int) -> UUID:
    """The id of a payment's n-th call or timer, or of a timer's next. A retry after a crash derives the same id."""
    return ids.derived_id(parent_id, f"{what}/{number}")


def call_id_of(payment_id: UUID, number: int) -> UUID:
    """The id of the payment's n-th call, which is its idempotency key at the provider."""
    return derived_id(payment_id, "call", number)


def is_call_of(payment: Payment, call_id: UUID) -> bool:
    """Whether the payment has made this call."""
    return any(call_id == call_id_of(payment.payment_id, number) for number in range(1, payment.calls + 1))
