"""Somebody else approves a journal, which posts it; somebody refuses it; or nobody does anything, and it lapses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.decision import Decision, Rejection
from handlers.journals.legs import above_left, left_of, legs_of
from handlers.journals.model import EntryLink, Reversal, entry_name
from handlers.journals.policy import may_approve
from handlers.journals.rules.steps import and_, audited, entered, forbidden, notice, unknown
from handlers.journals.states import OPEN, Trigger
from handlers.ledger.model import Posting
from handlers.refunds.policy import outranks
from schemas.journal import EntryName
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.journals.model import BookedLine, Journal, JournalLine
    from schemas.journal import JournalApproved, JournalRefused
    from schemas.timer import TimerDue

RULE_OF: Final[dict[str, str]] = {
    "manual": "manual_journal",
    "conversion": "currency_conversion",
    "reversal": "entry_reversal",
}
"""The rule by which the journal's entry says it was booked."""
CORRECTION: Final = "entry_correction"
"""The rule of what should have been posted instead."""


def approve(
    journal: Journal | None,
    journal_lines: tuple[JournalLine, ...] | None,
    booked: tuple[BookedLine, ...] | None,
    reversal: Reversal | None,
    message: JournalApproved,
    now: datetime,
) -> Outcome:
    """Post it, whole. What it reverses must still be there to reverse: others may have been faster."""
    data = message.data
    if journal is None:
        return unknown(data.journal_id)
    refused = (
        forbidden(journal, Trigger.APPROVE)
        or may_approve(journal, data.actor)
        or _names_another(journal, message)
    )
    if refused is not None:
        return refused
    lines = journal_lines or ()
    effective_at = journal.effective_at or now
    done = entered(
        journal, journal.state, Trigger.APPROVE, now, decided_by=data.actor.id, effective_at=effective_at
    )
    done = and_(done, audit=(audited(journal, data.actor, "approved", data.note),))
    if journal.reverses_number is None:
        return and_(done, postings=(_posting(journal, RULE_OF[journal.kind], effective_at, lines),))
    entry = [line for line in booked or () if line.number == journal.reverses_number]
    return _reverse(done, journal, lines, entry, reversal, effective_at, now)


def refuse(journal: Journal | None, message: JournalRefused, now: datetime) -> Outcome:
    """Who proposed it withdraws it, or somebody who may approve it decides against it."""
    data = message.data
    if journal is None:
        return unknown(data.journal_id)
    refused = forbidden(journal, Trigger.REFUSE)
    if refused is not None:
        return refused
    own = data.actor.id == journal.proposed_by
    if not own and not outranks(data.actor.role, journal.needs_approval_of):
        detail = f"actor.id {data.actor.id} did not propose it, and actor.role {data.actor.role} may not approve it"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    reason = Reason.REQUESTED_BY_CALLER if own else Reason.DISAPPROVED
    done = entered(journal, journal.state, Trigger.REFUSE, now, decided_by=data.actor.id, reason=reason)
    told = notice(
        done.states[0], "finance", journal.proposed_by, "journal.refused", f"{data.actor.id}: {data.note}"
    )
    return and_(done, events=(told,), audit=(audited(journal, data.actor, "refused", data.note),))


def lapse(journal: Journal | None, message: TimerDue, now: datetime) -> Outcome:
    """Nobody decided in time. Once somebody has, the timer means nothing."""
    if journal is None:
        return unknown(message.data.order_id)
    if journal.state not in OPEN:
        return Decision()
    done = entered(journal, journal.state, Trigger.LAPSE, now, reason=Reason.APPROVAL_LAPSED)
    detail = f"journal {journal.journal_id} was {journal.state} until {journal.act_by}"
    return and_(
        done, events=(notice(done.states[0], "finance", journal.proposed_by, "journal.lapsed", detail),)
    )


def _reverse(
    done: Decision,
    journal: Journal,
    lines: tuple[JournalLine, ...],
    entry: list[BookedLine],
    reversal: Reversal | None,
    effective_at: datetime,
    now: datetime,
) -> Outcome:
    back = tuple(line for line in lines if line.reverses_line is not None)
    instead = tuple(line for line in lines if line.reverses_line is None)
    before = reversal.reversed_minor if reversal else {}
    wanted = {line.reverses_line or 0: line.amount_minor for line in back}
    refused = above_left(left_of(entry, before), wanted)
    if refused is not None:
        return refused
    entry_id = entry[0].entry_id
    counted = Reversal(
        journal.tenant,
        entry_name(entry[0].object_id, entry[0].number),
        (reversal.version if reversal else 0) + 1,
        entry_id,
        {**before, **{str(line): before.get(str(line), 0) + minor for line, minor in wanted.items()}},
        now,
    )
    rules = [
        (RULE_OF["reversal"], "reverses", back),
        *([(CORRECTION, "replaces", instead)] if instead else []),
    ]
    postings = tuple(_posting(journal, rule, effective_at, part) for rule, _, part in rules)
    links = tuple(
        EntryLink(journal.tenant, journal.object_id, rule, kind, entry_id) for rule, kind, _ in rules
    )
    return and_(done, states=(counted, *links), postings=postings)


def _posting(journal: Journal, rule: str, effective_at: datetime, lines: tuple[JournalLine, ...]) -> Posting:
    references = journal.external_references or None
    return Posting(rule, "journal", str(journal.object_id), effective_at, legs_of(lines), references)


def _names_another(journal: Journal, message: JournalApproved) -> Rejection | None:
    """Whoever approves a reversal says of which entry: so they have looked, and the engine has it at hand."""
    named = message.data.reverses
    meant = (
        None
        if journal.reverses_object is None or journal.reverses_number is None
        else EntryName(object_id=journal.reverses_object, number=journal.reverses_number)
    )
    if named == meant:
        return None
    told = f"entry {meant.number} of {meant.object_id}" if meant else "no entry"
    return Rejection(Reason.ENTRY_UNKNOWN, f"reverses: journal {journal.journal_id} reverses {told}")
