"""A refund, the policy that it is judged by, and what counts towards its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.refunds.states import State
    from schemas.reasons import Reason

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://counterfoil.example/ids")


@value
class Refund:
    """Amounts are minor units of `currency`. `object_id` is its identity, `refund_id` the caller's name for it.

    `fee_returned_minor` is the part of the platform's fee that goes back to the merchant. `call_id` is the provider
    call under way; `certain` is False while that call's outcome is unknown. `provider_reference` is the provider's
    id of the refund. `policy_version` is the policy that it was judged by.
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
    fee_returned_minor: int
    destination: str
    cause: str
    policy_version: int
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
    updated_at: datetime


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
    """When refunds counted towards the limits of one `subject` (`customer:ID` or `actor:ID`); old ones are dropped."""

    tenant: str
    subject: str
    requested_at: tuple[datetime, ...]
    updated_at: datetime


def refund_id_of(tenant: str, order_id: str, refund_id: str) -> UUID:
    """The identity of an order's refund. Derived from its name, so that a name cannot have two."""
    return uuid5(_NAMESPACE, f"refund/{tenant}/{order_id}/{refund_id}")
