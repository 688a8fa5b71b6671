"""When time runs: the reminder, and the end of waiting. A timer whose dispute moved on does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Timer, Waiting
from handlers.disputes.deadlines import is_over, remind_at
from handlers.disputes.policy import LOOK_AGAIN
from handlers.disputes.rules.steps import advance, notify, tell
from handlers.disputes.states import ANSWERABLE, State, Trigger
from handlers.payments.model import derived_id
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.disputes.model import Dispute
    from handlers.payments.model import Payment
    from schemas.timer import TimerDue


def remind(payment: Payment | None, dispute: Dispute | None, message: TimerDue, now: datetime) -> Outcome:
    """Tell the merchant that the evidence is due soon."""
    if payment is None or dispute is None:
        return _unknown(message)
    at = remind_at(dispute)
    if dispute.state not in ANSWERABLE or dispute.call_id is not None or at is None or at > now:
        return Decision()
    told = notify(dispute, "merchant", "evidence_due", "evidence is due", dispute.evidence_due_at)
    if dispute.state is not State.OPENED:
        return Decision(events=(told,))
    due, step = advance(dispute, Trigger.REMIND, now)
    return Decision(states=(due,), transitions=(step,), events=(tell(due), told))


def expire(payment: Payment | None, dispute: Dispute | None, message: TimerDue, now: datetime) -> Outcome:
    """Nobody answered: the dispute expires. What becomes of the money is for the provider to say (law 6)."""
    if payment is None or dispute is None:
        return _unknown(message)
    if dispute.state not in ANSWERABLE or not is_over(dispute, now):
        return Decision()
    if dispute.call_id is not None:
        timer_id = derived_id(message.data.timer_id, "again", 1)
        again = Timer(
            timer_id,
            "evidence_expiry",
            now + LOOK_AGAIN,
            dispute.payment_id,
            dispute.order_id,
            dispute.object_id,
        )
        return Decision(timers=(again,))
    after, step = advance(dispute, Trigger.EXPIRE, now, Reason.EVIDENCE_TOO_LATE)
    return Decision(states=(after,), transitions=(step,), events=(tell(after),))


def _unknown(message: TimerDue) -> Waiting:
    return Waiting(Reason.DISPUTE_UNKNOWN, f"dispute {message.data.object_id}", "dispute")
