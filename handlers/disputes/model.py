"""A dispute, the evidence sent for it, and what is known of an order that evidence can point to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.disputes.states import State
    from schemas.reasons import Reason


@value
class Dispute:
    """Amounts are minor units of `currency`. `object_id` is its identity, `dispute_reference` the provider's name.

    `standing` is what it means for the money, see handlers.disputes.states. `withdrawn_minor` is what the provider
    holds of ours for it just now; `fee_minor` what it has charged for it, of which `fee_passed_minor` is the
    merchant's. `reported_at` and `reported_status` are the newest report that was applied: older ones never move it
    back. `answered_at` is when the provider took our evidence or our acceptance; `evidence_sha256` that evidence.
    `call_id` is the provider call under way; `certain` is False while nobody knows what became of it.
    """

    tenant: str
    object_id: UUID
    dispute_reference: str
    payment_id: UUID
    order_id: str
    merchant_id: str
    provider: str
    provider_reference: str
    state: State
    stage: str
    standing: str
    version: int
    currency: str
    amount_minor: int
    withdrawn_minor: int
    fee_minor: int
    fee_passed_minor: int
    network_reason: str
    evidence_due_at: datetime | None
    evidence_sha256: str | None
    call_id: UUID | None
    call_operation: str | None
    calls: int
    certain: bool
    reason: Reason | None
    opened_at: datetime
    reported_at: datetime
    reported_status: str
    answered_at: datetime | None
    updated_at: datetime


@value
class Evidence:
    """What was sent for a dispute, as it was sent; immutable. `sha256` is of its canonical JSON."""

    tenant: str
    object_id: UUID
    version: int
    sha256: str
    fields: Mapping[str, str]
    links: tuple[Mapping[str, object], ...]
    submitted_by: str
    submitted_at: datetime


@value
class OrderDocument:
    """Something that was sent or said for an order; immutable. `reference` names it within the order."""

    tenant: str
    order_id: str
    reference: str
    kind: str
    occurred_at: datetime
    carrier: str
    detail: str
    sha256: str | None


def dispute_id_of(tenant: str, dispute_reference: str) -> UUID:
    """The identity of a provider's dispute.

    Commands name a dispute by its reference alone, so the provider is no part of it. Should two providers ever use
    one reference, the second one's reports are refused.
    """
    return ids.derived_id(ids.NAMESPACE, f"dispute/{tenant}/{dispute_reference}")
