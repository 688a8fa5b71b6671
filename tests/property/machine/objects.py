"""What the simulated provider keeps: charges, refunds and disputes, with the money that they really moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PROVIDER: Final = "sandbox"
CURRENCY: Final = "EUR"

REPORTED: Final = {
    "requires_action": "requires_action",
    "pending": "pending",
    "authorized": "authorized",
    "partially_captured": "captured",
    "captured": "captured",
    "declined": "failed",
    "returned": "failed",
    "voided": "canceled",
    "expired": "canceled",
}
"""How a charge stands -> what a webhook says of it."""
HELD: Final = frozenset({"authorized", "partially_captured", "captured"})


@dataclass
class Charge:
    """One authorization. Amounts are minor units; `returned_minor` is what the customer's bank took back."""

    reference: str
    order_id: str
    call_id: UUID
    method: str
    capture: bool
    asked_minor: int
    status: str = "authorized"
    held_minor: int = 0
    captured_minor: int = 0
    returned_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    reason: str | None = None

    @property
    def refundable_minor(self) -> int:
        """What it can still give back."""
        return self.captured_minor - self.returned_minor - self.refunded_minor - self.disputed_minor

    def told(self, call_id: UUID | None) -> dict[str, Any]:
        """What a webhook says of it now; `call_id` is the request that it answers, if any."""
        return {
            "order_id": self.order_id,
            "provider_reference": self.reference,
            "status": REPORTED[self.status],
            "currency": CURRENCY,
            "authorized_minor": self.held_minor if self.status in HELD else None,
            "captured_minor": self.captured_minor - self.returned_minor,
            "call_id": str(call_id) if call_id else None,
            "reason": self.reason,
            "redirect_url": "https://bank.example/3ds" if self.status == "requires_action" else None,
        }


@dataclass
class GivenBack:
    """A refund as the provider sees it. `refund_id` is ours, None for one made in its console."""

    reference: str
    charge: Charge
    refund_id: UUID | None
    amount_minor: int
    status: str
    ever_succeeded: bool = False

    def told(self) -> dict[str, Any]:
        """What a webhook says of it now."""
        return {
            "order_id": self.charge.order_id,
            "provider_reference": self.charge.reference,
            "refund_reference": self.reference,
            "refund_id": str(self.refund_id) if self.refund_id else None,
            "status": self.status,
            "amount_minor": self.amount_minor,
            "currency": CURRENCY,
            "reason": "account_closed" if self.status == "failed" else None,
        }


@dataclass
class Contested:
    """A dispute as the provider sees it; `funds_minor` is what it holds of ours for it."""

    reference: str
    charge: Charge
    stage: str
    status: str
    amount_minor: int
    due_at: datetime
    funds_minor: int = 0
    fee_minor: int = 0

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.status in {"needs_response", "under_review"}

    def told(self) -> dict[str, Any]:
        """What a webhook says of it now."""
        return {
            "order_id": self.charge.order_id,
            "provider_reference": self.charge.reference,
            "dispute_reference": self.reference,
            "stage": self.stage,
            "status": self.status,
            "amount_minor": self.amount_minor,
            "currency": CURRENCY,
            "funds_minor": self.funds_minor,
            "fee_minor": self.fee_minor,
            "network_reason": "10.4",
            "evidence_due_at": self.due_at.isoformat(),
        }


@dataclass
class Report:
    """A webhook that is on its way, or was."""

    event_id: str
    type: str
    data: dict[str, Any]
    deliveries: int = field(default=0)
