"""Disputes: commands on `checkout.events`, and `dispute.events`. Key of the commands: tenant + order.

A dispute is opened by the provider (webhook.dispute_reported.v1) and named by its provider's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.actor import Actor
from schemas.checkout import OrderCommand
from schemas.envelope import Data, Identifier, Message, Timestamp
from schemas.safe_text import SafeName, SafeText
from schemas.value import message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

MAX_EVIDENCE_TEXT: Final = 20_000
EvidenceText = Annotated[str, Field(max_length=MAX_EVIDENCE_TEXT, pattern=r"^[^\x00]*$")]
EvidenceField = Literal[
    "product_description",
    "customer_name",
    "customer_communication",
    "service_date",
    "service_documentation",
    "shipping_carrier",
    "shipping_tracking_number",
    "shipping_date",
    "shipping_documentation",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "cancellation_policy",
    "duplicate_charge_explanation",
    "access_activity_log",
    "uncategorized_text",
]


class EvidenceLink(Data):
    """A document that is part of the package: kept elsewhere, pinned here by its SHA-256."""

    kind: Literal["order", "shipment", "message", "receipt", "document"]
    reference: SafeName
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class EvidenceSubmittedData(OrderCommand):
    """Answer a dispute. What is sent is kept as it is, under its hash; nothing is sent after the due date."""

    dispute_reference: Identifier
    actor: Actor
    fields: dict[EvidenceField, EvidenceText]
    links: Annotated[tuple[EvidenceLink, ...], Field(max_length=100, strict=False)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> EvidenceSubmittedData:
        if not any(text.strip() for text in self.fields.values()):
            msg = "fields: none of them has a text"
            raise ValueError(msg)
        return self


class DisputeAcceptedData(OrderCommand):
    """Do not fight a dispute: it is lost at once."""

    dispute_reference: Identifier
    actor: Actor
    note: SafeText = ""


class ShipmentRecordedData(OrderCommand):
    """Something was sent or said for an order; disputes find it for their evidence."""

    kind: Literal["shipment", "message", "receipt"]
    reference: SafeName
    occurred_at: Timestamp
    carrier: SafeText = ""
    detail: SafeText = ""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class EvidenceSubmitted(Message):
    """checkout.evidence_submitted.v1."""

    type: Literal["checkout.evidence_submitted.v1"]
    data: EvidenceSubmittedData


class DisputeAccepted(Message):
    """checkout.dispute_accepted.v1."""

    type: Literal["checkout.dispute_accepted.v1"]
    data: DisputeAcceptedData


class ShipmentRecorded(Message):
    """checkout.shipment_recorded.v1."""

    type: Literal["checkout.shipment_recorded.v1"]
    data: ShipmentRecordedData


DisputeMessage = EvidenceSubmitted | DisputeAccepted | ShipmentRecorded
"""A part of the union of `checkout.events`."""

DISPUTE_EVENT_TYPES: Final = tuple(
    f"dispute.{name}.v1"
    for name in (
        "inquiry",
        "opened",
        "evidence_due",
        "evidence_submitted",
        "won",
        "lost",
        "accepted",
        "expired",
    )
)


@message
class DisputeChanged:
    """The dispute as it is after the change: `dispute.<state>.v1`; `evidence_due` also when a reminder is due."""

    dispute_id: UUID
    dispute_reference: str
    payment_id: UUID
    order_id: str
    merchant_id: str
    state: str
    stage: str
    version: int
    currency: str
    amount_minor: int
    withdrawn_minor: int
    fee_minor: int
    network_reason: str
    reason: str | None
    evidence_due_at: datetime | None
    evidence_sha256: str | None
    links: tuple[Mapping[str, str], ...]
