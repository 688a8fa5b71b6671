"""Somebody proposes a journal, a reversal or a conversion. Nothing is posted before somebody else agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from handlers.decision import Decision, Rejection, Waiting
from handlers.journals.legs import converting, not_balanced, numbered, reversing, sums_of
from handlers.journals.model import Journal, journal_uuid_of
from handlers.journals.policy import may_post_to, may_propose, policy_of, too_far_ahead
from handlers.journals.reposting import reposting
from handlers.journals.rules.steps import and_, audited, entered, expiry, forbidden, notice, unknown
from handlers.journals.states import State, Trigger
from schemas.journal import MAX_LEGS
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.journals.model import BookedLine, JournalKind, JournalLine, Reversal
    from handlers.journals.policy import JournalPolicy
    from schemas.envelope import Message
    from schemas.journal import (
        ConversionProposed,
        JournalPartAdded,
        JournalProposed,
        LegData,
        ReversalProposed,
        ReversalProposedData,
    )
    from schemas.ledger import Leg


def propose_journal(journal: Journal | None, message: JournalProposed, now: datetime) -> Outcome:
    """Legs to post, all of them or the first part."""
    data, policy = message.data, policy_of("manual")
    whole = data.parts == 1
    sums = sums_of(data.legs)
    refused = (
        _name_taken(journal)
        or may_propose(policy, data.actor)
        or may_post_to((leg.account for leg in data.legs), data.actor)
        or too_far_ahead(policy, data.effective_at, now)
        or (not_balanced(sums, len(data.legs)) if whole else None)
    )
    if refused is not None:
        return refused
    opened = _journal(
        message, "manual", policy, now, data.effective_at, parts=data.parts, part_legs={"1": len(data.legs)}
    )
    lines = numbered(message.tenant, opened.object_id, data.legs)
    return _open(opened, Trigger.PROPOSE if whole else Trigger.BEGIN, lines, message, now)


def add_part(journal: Journal | None, message: JournalPartAdded, now: datetime) -> Outcome:
    """More legs. With the last part, in whatever order they came, the journal is whole."""
    data = message.data
    if journal is None:
        return unknown(data.journal_id)
    legs = journal.legs + len(data.legs)
    sums = sums_of(data.legs, journal.sums)
    whole = len(journal.part_legs) + 1 == journal.parts
    refused = (
        forbidden(journal, Trigger.COMPLETE)
        or _not_the_same(journal, message)
        or may_post_to((leg.account for leg in data.legs), data.actor)
        or (not_balanced(sums, legs) if whole else _too_many(legs))
    )
    if refused is not None:
        return refused
    parts = {**journal.part_legs, str(data.part): len(data.legs)}
    grown = replace(journal, legs=legs, sums=sums, part_legs=parts)
    lines = numbered(message.tenant, journal.object_id, data.legs, journal.legs + 1)
    if not whole:
        return Decision(states=(replace(grown, updated_at=now), *lines))
    done = entered(grown, journal.state, Trigger.COMPLETE, now)
    return and_(_asking(done), states=lines)


def propose_reversal(
    journal: Journal | None,
    booked: tuple[BookedLine, ...] | None,
    reversal: Reversal | None,
    message: ReversalProposed,
    now: datetime,
) -> Outcome:
    """Take an entry back, whole or in part; what should have been posted instead may come with it."""
    data = message.data
    entry = [line for line in booked or () if line.number == data.entry.number]
    if not entry:
        detail = f"entry: object {data.entry.object_id} has no entry {data.entry.number}"
        return Waiting(Reason.ENTRY_UNKNOWN, detail, "booked")
    policy = policy_of("reversal", entry[0].object_type)
    refused = (
        _name_taken(journal)
        or may_propose(policy, data.actor)
        or may_post_to((leg.account for leg in data.legs), data.actor)
    )
    if refused is not None:
        return refused
    anew = _anew(entry, data)
    if isinstance(anew, Rejection):
        return anew
    legs, terms = anew
    effective_at = entry[0].effective_at if data.effective == "original" else None
    opened = _journal(
        message,
        "reversal",
        policy,
        now,
        effective_at,
        reverses_object=data.entry.object_id,
        reverses_number=data.entry.number,
        terms=terms,
    )
    lines = reversing(opened.object_id, entry, reversal.reversed_minor if reversal else {}, data.lines)
    if isinstance(lines, Rejection):
        return lines
    # What was in the books may mix currencies in its own way; what is taken back of it balances all the same.
    unfit = not_balanced(sums_of(lines), len(lines), traded=False)
    if unfit is None and legs:
        unfit = not_balanced(sums_of(legs), len(legs)) or _too_many(len(lines) + len(legs))
    if unfit is not None:
        return unfit
    instead = numbered(message.tenant, opened.object_id, legs, len(lines) + 1)
    return _open(opened, Trigger.PROPOSE, (*lines, *instead), message, now)


def _anew(
    entry: Sequence[BookedLine], data: ReversalProposedData
) -> tuple[Sequence[Leg | LegData], dict[str, str]] | Rejection:
    """What should have been posted: by a rule with the terms that say so, by its legs, or nothing."""
    return (data.legs, {}) if data.repost is None else reposting(entry, data.repost)


def propose_conversion(journal: Journal | None, message: ConversionProposed, now: datetime) -> Outcome:
    """Sell one currency for another, at a rate that is named with its source and time."""
    data, policy = message.data, policy_of("conversion")
    places = (data.sold_from.account, data.bought_into.account)
    refused = (
        _name_taken(journal)
        or may_propose(policy, data.actor)
        or may_post_to(places, data.actor)
        or too_far_ahead(policy, data.effective_at, now)
    )
    if refused is not None:
        return refused
    if data.sold.currency == data.currency:
        return Rejection(Reason.RATE_MISMATCH, f"currency {data.currency}: it is the one that is sold")
    found = converting(message.tenant, data)
    if isinstance(found, Rejection):
        return found
    legs, terms = found
    opened = _journal(message, "conversion", policy, now, data.effective_at, terms=terms)
    return _open(opened, Trigger.PROPOSE, numbered(message.tenant, opened.object_id, legs), message, now)


def _open(
    journal: Journal, trigger: Trigger, lines: tuple[JournalLine, ...], message: Message, now: datetime
) -> Decision:
    counted = replace(journal, legs=len(lines), sums=sums_of(lines))
    done = entered(counted, None, trigger, now)
    done = and_(
        done,
        states=lines,
        timers=(expiry(counted),),
        audit=(audited(counted, message.data.actor, "proposed", message.data.reason),),
    )
    return _asking(done) if trigger is Trigger.PROPOSE else done


def _asking(decision: Decision) -> Decision:
    """Somebody has to look at it."""
    journal: Journal = decision.states[0]
    what = f"{journal.kind} journal {journal.journal_id} of {journal.legs} legs"
    detail = f"{what}, by {journal.proposed_by}: {journal.note}"
    asked = notice(journal, "finance", journal.needs_approval_of, "journal.approval_needed", detail)
    return and_(decision, events=(asked,))


def _journal(
    message: Any,
    kind: JournalKind,
    policy: JournalPolicy,
    now: datetime,
    effective_at: datetime | None,
    **more: Any,
) -> Journal:
    data = message.data
    fields: dict[str, Any] = {
        "parts": 1,
        "part_legs": {},
        "terms": {},
        "reverses_object": None,
        "reverses_number": None,
    } | more
    return Journal(
        tenant=message.tenant,
        object_id=journal_uuid_of(message.tenant, data.journal_id),
        journal_id=data.journal_id,
        kind=kind,
        state=State.PROPOSED,
        version=0,
        note=data.reason,
        effective_at=effective_at,
        external_references=data.references,
        legs=0,
        sums={},
        needs_approval_of=policy.approver,
        proposed_by=data.actor.id,
        proposed_role=data.actor.role,
        decided_by=None,
        reason=None,
        act_by=now + timedelta(days=policy.approval_days),
        proposed_at=now,
        updated_at=now,
        **fields,
    )


def _name_taken(journal: Journal | None) -> Rejection | None:
    if journal is None:
        return None
    return Rejection(Reason.JOURNAL_ID_REUSED, f"journal_id {journal.journal_id} is {journal.state}")


def _not_the_same(journal: Journal, message: JournalPartAdded) -> Rejection | None:
    data = message.data
    if data.actor.id != journal.proposed_by:
        detail = f"actor.id {data.actor.id}: {journal.proposed_by} proposed the journal"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    if str(data.part) in journal.part_legs:
        return Rejection(Reason.PART_EXISTS, f"part {data.part} of journal {journal.journal_id} is there")
    if data.part > journal.parts:
        return Rejection(Reason.PART_EXISTS, f"part {data.part}: the journal has {journal.parts} parts")
    return None


def _too_many(legs: int) -> Rejection | None:
    if legs <= MAX_LEGS:
        return None
    return Rejection(Reason.JOURNAL_UNBALANCED, f"legs: {legs}, from 2 to {MAX_LEGS} make a journal")
