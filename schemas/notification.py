"""`notification.requests`: what somebody should be told; whoever sends mail or shows a badge reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from schemas.value import message

if TYPE_CHECKING:
    from datetime import datetime

NOTIFICATION_REQUESTED: Final = "notification.requested.v1"

Audience = Literal["customer", "merchant", "support", "finance", "operations"]


@message
class NotificationRequested:
    """`about` names what it is about (`payment.action_required`); `act_by` until when somebody can do something."""

    audience: Audience
    recipient: str
    about: str
    object_type: str
    object_id: str
    order_id: str
    reason: str | None
    detail: str
    act_by: datetime | None
