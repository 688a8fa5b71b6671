"""Refunds: commands on `checkout.events`, and `refund.events`. Key of the commands: tenant + order.

A refund is named by its order and the caller's `refund_id`. People and services act under a role; who may do what is
data (handlers/refunds/policy.py), set by `checkout.refund_policy_set.v1`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.actor import Actor, Role
from schemas.checkout import OrderCommand, OrderData
from schemas.envelope import Data, Message, Timestamp
from schemas.money import AmountMinor, CurrencyCode, PositiveMinor
from schemas.safe_text import SafeName, SafeText
from schemas.value import message

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

Approver = Literal["support", "manager", "finance"]
"""Who may approve; a program may not."""
RefundCause = Literal[
    "requested_by_customer", "duplicate", "fraudulent", "not_delivered", "not_as_described", "goodwill"
]
Destination = Literal["original_method", "service_credit"]
FeePolicy = Literal["return_proportionally", "keep"]
"""What becomes of the platform's fee: the refunded part's share goes back to the merchant, or none does."""


class RefundRequestedData(OrderCommand):
    """Give back `amount_minor` of the order's payment; without an amount, all that can be given back.

    A payment that is authorized and not captured is voided instead. Beyond the policy it waits for an approval.
    `customer_id` is the payment's, where it has one: limits per customer are kept by it.
    """

    refund_id: SafeName
    customer_id: SafeName | None = None
    amount_minor: PositiveMinor | None = None
    cause: RefundCause
    destination: Destination = "original_method"
    actor: Actor
    note: SafeText = ""


class RefundApprovedData(OrderCommand):
    """Approve a refund that waits for it. Never by the one who asked for it, nor below the role it needs."""

    refund_id: SafeName
    actor: Actor
    note: Annotated[SafeText, Field(min_length=1)]


class RefundDisapprovedData(RefundApprovedData):
    """Refuse a refund that waits for an approval."""


class RefundCanceledData(OrderCommand):
    """Withdraw a refund that waits for an approval; by who asked for it, or by who may approve it."""

    refund_id: SafeName
    actor: Actor
    note: SafeText = ""


class RefundRecordedData(OrderData):
    """What became of a refund that people hand out, of a payment that no provider took: cash, a transfer."""

    refund_id: SafeName
    handed_out: bool
    actor: Actor
    note: SafeText = ""


class RefundLimitData(Data):
    """Up to this much, by whom. A role without a line for a currency may not refund in it.

    Of several lines for one role and currency, the lowest that is high enough holds.
    """

    role: Role
    currency: CurrencyCode
    at_most_minor: AmountMinor
    with_approval_of: Approver | None = Field(
        default=None, description="who must approve; nobody when it is absent"
    )


class RefundVelocityData(Data):
    """So much within so many days, for one customer or by one actor; above it, finance must approve."""

    subject: Literal["customer", "actor"]
    days: Annotated[int, Field(ge=1, le=366)]
    at_most: Annotated[int, Field(ge=1, le=100_000)]


class RefundPolicySetData(Data):
    """A new version of the tenant's refund policy; for refunds requested at or after `effective_from`."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    effective_from: Timestamp
    limits: Annotated[tuple[RefundLimitData, ...], Field(max_length=500, strict=False)]
    velocity: Annotated[tuple[RefundVelocityData, ...], Field(max_length=10, strict=False)] = ()
    finance_after_days: Annotated[int, Field(ge=0, le=3660, description="an older payment needs finance")] = (
        180
    )
    never_after_days: Annotated[int, Field(ge=1, le=3660, description="the schemes' own limit")] = 365
    approval_days: Annotated[
        int, Field(ge=1, le=90, description="an approval that nobody gives by then is refused")
    ] = 14
    service_credit: bool = False
    fees: FeePolicy = "return_proportionally"

    @model_validator(mode="after")
    def _says_it_once(self) -> RefundPolicySetData:
        lines = Counter((line.role, line.currency, line.at_most_minor) for line in self.limits)
        twice = next((line for line, times in lines.items() if times > 1), None)
        if twice is not None:
            msg = f"limits: {' '.join(map(str, twice))} is there twice"
            raise ValueError(msg)
        return self

    def ordering_key(self) -> str:
        """One policy a tenant."""
        return "refund_policy"


class RefundRequested(Message):
    """checkout.refund_requested.v1."""

    type: Literal["checkout.refund_requested.v1"]
    data: RefundRequestedData


class RefundApproved(Message):
    """checkout.refund_approved.v1."""

    type: Literal["checkout.refund_approved.v1"]
    data: RefundApprovedData


class RefundDisapproved(Message):
    """checkout.refund_disapproved.v1."""

    type: Literal["checkout.refund_disapproved.v1"]
    data: RefundDisapprovedData


class RefundCanceled(Message):
    """checkout.refund_canceled.v1."""

    type: Literal["checkout.refund_canceled.v1"]
    data: RefundCanceledData


class RefundRecorded(Message):
    """checkout.refund_recorded.v1."""

    type: Literal["checkout.refund_recorded.v1"]
    data: RefundRecordedData


class RefundPolicySet(Message):
    """checkout.refund_policy_set.v1."""

    type: Literal["checkout.refund_policy_set.v1"]
    data: RefundPolicySetData


RefundMessage = (
    RefundRequested | RefundApproved | RefundDisapproved | RefundCanceled | RefundRecorded | RefundPolicySet
)
"""A part of the union of `checkout.events`."""

REFUND_EVENT_TYPES: Final = tuple(
    f"refund.{name}.v1"
    for name in (
        "requested",
        "pending_approval",
        "submitted",
        "outcome_unknown",
        "pending",
        "succeeded",
        "failed",
        "canceled",
    )
)


@message
class RefundChanged:
    """The refund as it is after the change. `refund.<state>.v1`; `refund.outcome_unknown.v1` while nobody knows.

    `refundable_minor` is what may still be refunded of its payment; `suspense_minor` is the part of a refund made at
    the provider that the payment had no room for.
    """

    refund_uuid: UUID
    refund_id: str
    payment_id: UUID
    order_id: str
    merchant_id: str
    customer_id: str | None
    state: str
    version: int
    currency: str
    amount_minor: int
    suspense_minor: int
    fee_returned_minor: int
    refundable_minor: int
    destination: str
    cause: str
    reason: str | None
    certain: bool
    needs_approval_of: str | None
    requested_by: str
    approved_by: str | None
    provider_reference: str | None
    requested_at: datetime
