"""A dispute, the evidence sent for it, and what is known of an order that evidence can point to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.disputes.states import State
    from schemas.reasons import Reason

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://counterfoil.example/ids")


@value
class Dispute:
    """Amounts are minor units of `currency`. `object_id` is its identity, `dispute_reference` the provider's name.

    `withdrawn_minor` is what the provider holds of ours for it just now. `reported_at` is the time of the newest
    report that was applied: older ones never move it back. `call_id` is the provider call under way.
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
    version: int
    currency: str
    amount_minor: int
    withdrawn_minor: int
    fee_minor: int
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
    """Something that was sent or said for an order; immutable."""

    tenant: str
    order_id: str
    reference: str
    kind: str
    occurred_at: datetime
    carrier: str
    detail: str
    sha256: str | None


def dispute_id_of(tenant: str, provider: str, dispute_reference: str) -> UUID:
    """The identity of a provider's dispute."""
    return uuid5(_NAMESPACE, f"dispute/{tenant}/{provider}/{dispute_reference}")
