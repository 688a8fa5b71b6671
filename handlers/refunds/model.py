"""A refund, the policy that it is judged by, and what is counted beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.refunds.states import State
    from schemas.reasons import Reason

POLICY: Final = "refund_policy"
"""The name of a tenant's one policy."""


@value
class Refund:
    """Amounts are minor units of `currency`. `object_id` is its identity, `refund_id` the caller's name for it.

    `suspense_minor` is the part that the payment has no room for: a provider gave back more than was captured, and it
    lies in suspense until a person looks. `fee_returned_minor` is the part of the platform's fee that goes back to the
    merchant, while the refund is under way or has succeeded. `call_id` is the provider call under way; `certain` is
    False while that call's outcome is unknown. `provider_reference` is the provider's id of the refund, and
    `reported_at` the time of the newest report of the provider's that was believed. `policy_version` is the policy that
    it was judged by, 0 when it was made at the provider; `fee_policy` is that policy's, as it applies here.
    """

    tenant: str
    object_id: UUID
    refund_id: str
    payment_id: UUID
    order_id: str
    merchant_id: str
    customer_id: str | None
    state: State
    version: int
    currency: str
    amount_minor: int
    suspense_minor: int
    fee_returned_minor: int
    destination: str
    cause: str
    policy_version: int
    fee_policy: str
    requested_by: str
    requested_role: str
    needs_approval_of: str | None
    approved_by: str | None
    provider: str | None
    provider_reference: str | None
    call_id: UUID | None
    calls: int
    certain: bool
    reason: Reason | None
    note: str
    requested_at: datetime
    submitted_at: datetime | None
    reported_at: datetime | None
    updated_at: datetime

    @property
    def placed_minor(self) -> int:
        """The part that is given back of the payment's captured money; all of it but what lies in suspense."""
        return self.amount_minor - self.suspense_minor


@value
class RefundPolicy:
    """One version of a tenant's policy, immutable once written; members as in checkout.refund_policy_set.v1.

    `limits` and `velocity` are lists of the message's rows.
    """

    tenant: str
    policy: str
    version: int
    effective_from: datetime
    limits: tuple[Mapping[str, object], ...]
    velocity: tuple[Mapping[str, object], ...]
    finance_after_days: int
    never_after_days: int
    approval_days: int
    service_credit: bool
    fees: str


PolicyHistory = tuple[RefundPolicy, ...]
"""All versions of one tenant, in order of version."""


@value
class RefundCount:
    """What is counted of one `subject`'s refunds.

    Of `customer:ID` and `actor:ID`: when the last ones were requested, as many as the policy's limits look at. Of
    `payment:ID`: how much, under way or succeeded, gives back its share of the fee, and how much of the fee that is.
    """

    tenant: str
    subject: str
    requested_at: tuple[datetime, ...]
    amount_minor: int
    fee_returned_minor: int
    updated_at: datetime


def refund_id_of(tenant: str, order_id: str, refund_id: str) -> UUID:
    """The identity of an order's refund. Derived from its name, so that a name cannot have two."""
    return ids.derived_id(ids.NAMESPACE, f"refund/{tenant}/{order_id}/{refund_id}")


def found_refund_id_of(tenant: str, provider: str, refund_reference: str) -> UUID:
    """The identity of a refund that we never asked for and learned of from its provider."""
    return ids.derived_id(ids.NAMESPACE, f"found_refund/{tenant}/{provider}/{refund_reference}")
