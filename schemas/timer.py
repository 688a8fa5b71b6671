"""`timer.events`: timers that are due, published by the scheduler. Key: tenant + order."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.envelope import Data, Identifier, Message, Timestamp

TimerKind = Literal[
    "authorization_expiring",
    "authorization_expiry",
    "challenge_expiry",
    "confirmation_retry",
    "outcome_deadline",
    "pending_check",
    "refund_approval_expiry",
    "refund_check",
    "evidence_reminder",
    "evidence_expiry",
    "journal_expiry",
    "hold_expiry",
    "promotion_expiry",
]


class TimerDueData(Data):
    """A timer is due. The rule of its object decides whether it still matters; `object_id` is a refund or dispute."""

    timer_id: UUID
    kind: TimerKind
    payment_id: UUID
    order_id: Identifier
    object_id: UUID | None = None
    due_at: Timestamp

    def ordering_key(self) -> str:
        """The order."""
        return self.order_id


class TimerDue(Message):
    """timer.due.v1."""

    type: Literal["timer.due.v1"]
    data: TimerDueData


TimerMessage = TimerDue
