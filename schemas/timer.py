"""`timer.events`: timers that are due, published by the scheduler. Key: tenant + order."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.envelope import Data, Identifier, Message, Timestamp

TimerKind = Literal["authorization_expiry", "challenge_expiry"]


class TimerDueData(Data):
    """A timer is due. The payment's rule decides whether it still matters."""

    timer_id: UUID
    kind: TimerKind
    payment_id: UUID
    order_id: Identifier
    due_at: Timestamp

    def ordering_key(self) -> str:
        """The order."""
        return self.order_id


class TimerDue(Message):
    """timer.due.v1."""

    type: Literal["timer.due.v1"]
    data: TimerDueData


TimerMessage = TimerDue
