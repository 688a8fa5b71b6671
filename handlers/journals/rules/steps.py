"""Steps that several rules share: open, move along the table, tell, notify, remember who did what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Audit, Decision, Event, Rejection, Timer, Transition, Waiting
from handlers.journals.legs import debits_of
from handlers.journals.states import TRANSITIONS
from handlers.payments.model import derived_id
from schemas.journal import JournalChanged
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.journals.model import Journal
    from handlers.journals.states import State, Trigger
    from schemas.actor import Actor
    from schemas.notification import Audience

EXPIRY: Final = "journal_expiry"


def entered(
    journal: Journal, before: State | None, trigger: Trigger, now: datetime, **changes: Any
) -> Decision:
    """The journal after `trigger`, with its transition and its event. KeyError when the table forbids it."""
    after = replace(
        journal, state=TRANSITIONS[before, trigger], version=journal.version + 1, updated_at=now, **changes
    )
    step = Transition(after.object_id, after.version, before, trigger, after.state, after.reason, "journal")
    told = Event(f"journal.{after.state}.v1", str(after.object_id), _told(after))
    return Decision(states=(after,), transitions=(step,), events=(told,))


def forbidden(journal: Journal, trigger: Trigger) -> Rejection | None:
    """Why `trigger` may not happen to the journal now; None when the table allows it."""
    if (journal.state, trigger) in TRANSITIONS:
        return None
    detail = f"journal {journal.journal_id} is {journal.state}, which does not allow {trigger}"
    return Rejection(Reason.STATE_FORBIDS, detail)


def unknown(journal_id: str) -> Waiting:
    """The journal may still come."""
    return Waiting(Reason.JOURNAL_UNKNOWN, f"journal {journal_id} is not known", "journal")


def audited(journal: Journal, actor: Actor, action: str, note: str) -> Audit:
    """What a person or program did to it."""
    detail = f"{journal.kind} journal {journal.journal_id} of {journal.legs} legs, as {actor.role}: {note}"
    return Audit(actor.id, f"journal.{action}", "journal", str(journal.object_id), detail)


def expiry(journal: Journal) -> Timer:
    """Nobody waits for ever."""
    timer_id = derived_id(journal.object_id, EXPIRY, 1)
    return Timer(
        timer_id, "journal_expiry", journal.act_by, journal.object_id, journal.journal_id, journal.object_id
    )


def notice(journal: Journal, audience: Audience, recipient: str, about: str, detail: str) -> Event:
    """Have somebody told."""
    told = NotificationRequested(
        audience,
        recipient,
        about,
        "journal",
        str(journal.object_id),
        journal.journal_id,
        journal.reason,
        detail,
        journal.act_by,
    )
    return Event(NOTIFICATION_REQUESTED, journal.journal_id, told)


def and_(decision: Decision, **more: tuple[Any, ...]) -> Decision:
    """More to write."""
    return replace(decision, **{name: (*getattr(decision, name), *added) for name, added in more.items()})


def _told(journal: Journal) -> JournalChanged:
    return JournalChanged(
        journal.object_id,
        journal.journal_id,
        journal.kind,
        journal.state,
        journal.version,
        journal.legs,
        debits_of(journal.sums),
        journal.reason,
        journal.note,
        journal.effective_at,
        journal.needs_approval_of,
        journal.proposed_by,
        journal.decided_by,
        journal.reverses_object,
        journal.reverses_number,
        journal.act_by,
        journal.proposed_at,
        journal.external_references,
    )
