"""When a dispute must be answered: the reminder before, and the end of waiting."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from handlers.decision import Timer
from handlers.disputes.policy import REMIND_BEFORE
from handlers.disputes.states import ANSWERABLE
from handlers.payments.model import derived_id

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.disputes.model import Dispute
    from schemas.timer import TimerKind


def remind_at(dispute: Dispute) -> datetime | None:
    """When the merchant is reminded; None without a due date."""
    due_at = dispute.evidence_due_at
    return None if due_at is None else due_at - REMIND_BEFORE[dispute.stage]


def is_over(dispute: Dispute, now: datetime) -> bool:
    """Whether it is too late for evidence."""
    return dispute.evidence_due_at is not None and now >= dispute.evidence_due_at


def timers_of(dispute: Dispute) -> tuple[Timer, ...]:
    """The timers of the dispute's due date, the same ids each time; none when no answer is awaited."""
    due_at, reminder_at = dispute.evidence_due_at, remind_at(dispute)
    if due_at is None or reminder_at is None or dispute.state not in ANSWERABLE:
        return ()

    def timer(kind: TimerKind, at: datetime) -> Timer:
        name = f"{kind}/{dispute.stage}/{due_at.astimezone(UTC).isoformat()}"
        return Timer(
            derived_id(dispute.object_id, name, 1),
            kind,
            at,
            dispute.payment_id,
            dispute.order_id,
            dispute.object_id,
        )

    return timer("evidence_reminder", reminder_at), timer("evidence_expiry", due_at)
