"""A provider that decides later is asked again and again, with pauses that grow; in the end a person is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from handlers.decision import Decision
from handlers.payments.model import derived_id
from handlers.refunds.rules.progress import Progress, unknown_payment, unknown_refund
from handlers.refunds.rules.provider_results import UNKNOWN_FOR, deadline_id
from handlers.refunds.rules.steps import FIRST_CHECK, tell_operations
from handlers.refunds.states import State

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from handlers.refunds.model import Refund
    from schemas.timer import TimerDue

LONGEST_PAUSE: Final = timedelta(days=1)
PENDING_FOR: Final = timedelta(days=14)
"""How long a refund may be pending until a person is told; card refunds that wait for funds take up to ten days."""


def check_refund(payment: Payment | None, refund: Refund | None, message: TimerDue, now: datetime) -> Outcome:
    """Decide what a due check still means; one whose refund has moved on means nothing."""
    if payment is None:
        return unknown_payment(message.data.order_id)
    if refund is None:
        return unknown_refund(message.data.object_id)
    progress = Progress(payment, refund, None, now, message.data.due_at)
    if message.data.timer_id == deadline_id(refund):
        return _outcome_deadline(progress)
    if refund.state != State.PENDING:
        return Decision()
    since = now - (refund.submitted_at or refund.requested_at)
    if since >= PENDING_FOR:
        detail = f"{refund.provider} has not decided about {refund.provider_reference} for {since.days} days"
        return tell_operations(progress, "refund.pending_too_long", detail).decision()
    asked = progress if refund.call_id is not None else progress.ask("confirm_refund")
    pause = min(max(since, FIRST_CHECK), LONGEST_PAUSE)
    return asked.set_timer(
        "refund_check", now + pause, derived_id(message.data.timer_id, "again", 1)
    ).decision()


def _outcome_deadline(progress: Progress) -> Decision:
    """The gateway goes on asking; a person looks in the provider's console meanwhile."""
    if progress.refund.certain:
        return Decision()
    detail = f"nobody knows for {UNKNOWN_FOR.days} day(s) whether {progress.refund.provider} made the refund"
    return tell_operations(progress, "refund.outcome_unknown", detail).decision()
