"""The provider's reports: the newest says where a dispute stands, whatever order they come in.

A report carries the whole dispute as it was at `occurred_at`. So the newest alone decides the state and the money, an
older one is refused as outdated, and a repeat changes nothing: a day's reports lead to the same end in any order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Decision, Rejection, Waiting
from handlers.disputes.deadlines import is_over, timers_of
from handlers.disputes.model import Dispute, dispute_id_of
from handlers.disputes.rules.settling import Change, settle
from handlers.disputes.rules.steps import advance, notify, restand, tell, transition
from handlers.disputes.states import ANSWERABLE, STAGES, TRANSITIONS, Standing, State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlers.decision import Event, Outcome, Transition
    from handlers.payments.model import Payment
    from schemas.webhook import DisputeReported, DisputeReportedData, DisputeStatus

STATUSES: Final = ("needs_response", "under_review", "expired", "accepted", "won", "lost")
"""In the order of a dispute's life, to tell apart reports of one moment."""

LAST_STEP: Final[Mapping[DisputeStatus, Trigger]] = {
    "under_review": Trigger.SUBMIT_EVIDENCE,
    "won": Trigger.WIN,
    "lost": Trigger.LOSE,
    "accepted": Trigger.ACCEPT,
    "expired": Trigger.EXPIRE,
}
"""Status -> the step that leads there from an open dispute."""

_GOAL: Final[Mapping[DisputeStatus, State]] = {
    "needs_response": State.OPENED,
    "under_review": State.EVIDENCE_SUBMITTED,
    "won": State.WON,
    "lost": State.LOST,
    "accepted": State.ACCEPTED,
    "expired": State.EXPIRED,
}
_INQUIRY_GOAL: Final[Mapping[DisputeStatus, State]] = {
    **_GOAL,
    "needs_response": State.INQUIRY,
    "under_review": State.INQUIRY,
}
_TAKING: Final = frozenset({Trigger.OPEN, Trigger.ESCALATE})
_OPENING: Final = _TAKING | {Trigger.REOPEN}
_NO_DATE: Final = datetime.min.replace(tzinfo=UTC)


def report(
    payment: Payment | None, dispute: Dispute | None, message: DisputeReported, now: datetime
) -> Outcome:
    """Bring the dispute to where the provider says it stands, along the table, and book what that implies."""
    data = message.data
    if payment is None:
        if data.order_id is None:
            detail = f"provider_reference {data.provider_reference} of {data.provider} is no payment we know"
            return Waiting(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
        return Waiting(Reason.PAYMENT_UNKNOWN, f"order {data.order_id} has no payment")
    problem = _not_about(payment, dispute, data)
    if problem is not None:
        return problem
    if dispute is None:
        return _open(payment, message, now)
    if _age(data) == _age_of(dispute):
        return Decision()
    return _outdated(dispute, data) or _follow(payment, dispute, data, now)


def _outdated(dispute: Dispute, data: DisputeReportedData) -> Rejection | None:
    if _age(data) > _age_of(dispute):
        return None
    detail = (
        f"occurred_at {data.occurred_at}: {dispute.dispute_reference} was reported at {dispute.reported_at}"
    )
    return Rejection(Reason.REPORT_OUTDATED, detail)


def _not_about(
    payment: Payment, dispute: Dispute | None, data: DisputeReportedData
) -> Rejection | Waiting | None:
    """Why the report is not of this payment, in its currency.

    A dispute stays with the charge that it was opened about, also when the order was paid otherwise meanwhile.
    """
    about = payment if dispute is None else dispute
    known = (about.provider, about.provider_reference)
    said = (data.provider, data.provider_reference)
    if about.provider == data.provider and about.provider_reference is None:
        detail = f"payment {payment.payment_id} does not know its provider_reference yet"
        return Waiting(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    if known != said:
        detail = f"provider_reference {said[1]} of {said[0]} is not payment {payment.payment_id}'s"
        return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    if dispute is not None and dispute.payment_id != payment.payment_id:
        detail = f"dispute_reference {data.dispute_reference} is known of payment {dispute.payment_id}"
        return Rejection(Reason.PROVIDER_OBJECT_UNKNOWN, detail)
    if data.currency != payment.currency:
        return Rejection(Reason.CURRENCY_DIFFERS, f"currency {data.currency}, payment {payment.currency}")
    if data.amount_minor == 0:
        return Rejection(Reason.AMOUNT_DIFFERS, "amount_minor is 0: nothing is disputed")
    return None


def _open(payment: Payment, message: DisputeReported, now: datetime) -> Decision:
    data = message.data
    stage = _stage(data)
    first = Trigger.INQUIRE if stage == "inquiry" else Trigger.OPEN
    opened = restand(
        Dispute(
            tenant=message.tenant,
            object_id=dispute_id_of(message.tenant, data.dispute_reference),
            dispute_reference=data.dispute_reference,
            payment_id=payment.payment_id,
            order_id=payment.order_id,
            merchant_id=payment.merchant_id,
            provider=data.provider,
            provider_reference=data.provider_reference,
            state=TRANSITIONS[None, first],
            stage=stage,
            standing=Standing.NONE,
            version=1,
            currency=data.currency,
            fee_passed_minor=0,
            evidence_sha256=None,
            call_id=None,
            call_operation=None,
            calls=0,
            certain=True,
            reason=None,
            opened_at=data.occurred_at,
            answered_at=None,
            updated_at=now,
            **_told(data),
        )
    )
    steps = [transition(opened, None, first)]
    return _arrive(payment, None, opened, steps, [tell(opened)], data, now)


def _follow(payment: Payment, dispute: Dispute, data: DisputeReportedData, now: datetime) -> Decision:
    """A newer report. A stage, once reached, is not left again."""
    stage = max(dispute.stage, _stage(data), key=STAGES.index)
    known = restand(replace(dispute, stage=stage, updated_at=now, **_told(data)))
    steps: list[Transition] = []
    events: list[Event] = []
    if stage != dispute.stage:
        first = Trigger.OPEN if dispute.state is State.INQUIRY else Trigger.ESCALATE
        known, step = advance(known, first, now, answered_at=None)
        steps.append(step)
        events.append(tell(known))
    return _arrive(payment, dispute, known, steps, events, data, now)


def _arrive(
    payment: Payment,
    before: Dispute | None,
    known: Dispute,
    steps: list[Transition],
    events: list[Event],
    data: DisputeReportedData,
    now: datetime,
) -> Decision:
    """The rest of the way; then the money, the payment, the timers, and who is told."""
    for trigger in _way(known, data.status, data.occurred_at, now):
        known, step = advance(known, trigger, now)
        steps.append(step)
        events.append(tell(known))
    taken = {step.event for step in steps}
    change = Change(before, known, bool(taken & _OPENING), bool(taken & _TAKING), data.occurred_at)
    settled = settle(payment, change, now)
    awaited = settled.dispute.state in ANSWERABLE
    if steps and awaited:
        events.append(_tell_merchant(settled.dispute))
    return Decision(
        states=(settled.dispute, *([settled.payment] if settled.payment else [])),
        transitions=(*steps, *settled.transitions),
        postings=settled.postings,
        events=(*(events or [tell(settled.dispute)]), *settled.events),
        timers=timers_of(settled.dispute),
    )


def _way(dispute: Dispute, status: DisputeStatus, occurred_at: datetime, now: datetime) -> list[Trigger]:
    """The steps from where the dispute stands to where the report says, along the table."""
    inquiry = dispute.stage == "inquiry"
    goal = (_INQUIRY_GOAL if inquiry else _GOAL)[status]
    if dispute.state is goal or _stays(dispute, status, occurred_at, now):
        return []
    again = [Trigger.INQUIRE if inquiry else Trigger.REOPEN]
    if goal in ANSWERABLE:
        return again
    last = LAST_STEP[status]
    return [last] if (dispute.state, last) in TRANSITIONS else [*again, last]


def _stays(dispute: Dispute, status: DisputeStatus, occurred_at: datetime, now: datetime) -> bool:
    """Whether a report that it is open takes nothing back: what we or the clock did came after it."""
    if status not in {"needs_response", "under_review"}:
        return False
    if dispute.state is State.EVIDENCE_DUE:
        return status == "needs_response"
    if dispute.state is State.EXPIRED:
        return status == "needs_response" and is_over(dispute, now)
    ours = dispute.state in {State.EVIDENCE_SUBMITTED, State.ACCEPTED}
    return ours and dispute.answered_at is not None and occurred_at <= dispute.answered_at


def _stage(data: DisputeReportedData) -> str:
    """An inquiry that takes money, or is lost, is a chargeback, whatever it is called."""
    return (
        "chargeback"
        if data.stage == "inquiry" and (data.funds_minor or data.status == "lost")
        else data.stage
    )


def _told(data: DisputeReportedData) -> dict[str, Any]:
    """The fields that a report sets as they are."""
    return {
        "amount_minor": data.amount_minor,
        "withdrawn_minor": data.funds_minor,
        "fee_minor": data.fee_minor,
        "network_reason": data.network_reason,
        "evidence_due_at": data.evidence_due_at,
        "reported_at": data.occurred_at,
        "reported_status": data.status,
    }


def _age(data: DisputeReportedData) -> tuple[Any, ...]:
    return _order(_stage(data), data.funds_minor, data)


def _age_of(dispute: Dispute) -> tuple[Any, ...]:
    return _order(dispute.stage, dispute.withdrawn_minor, dispute)


def _order(stage: str, funds_minor: int, said: Any) -> tuple[Any, ...]:
    """What makes a report newer. Providers date by the second: of one moment, what is later in a dispute's life wins.

    The money is taken after a dispute opened, and given back after it was won.
    """
    occurred_at, status = (
        (said.reported_at, said.reported_status)
        if isinstance(said, Dispute)
        else (said.occurred_at, said.status)
    )
    return (
        occurred_at,
        STAGES.index(stage),
        STATUSES.index(status),
        -funds_minor if status == "won" else funds_minor,
        said.fee_minor,
        said.evidence_due_at or _NO_DATE,
        said.amount_minor,
        said.network_reason,
    )


def _tell_merchant(dispute: Dispute) -> Event:
    what = "inquiry" if dispute.state is State.INQUIRY else "opened"
    detail = f"{dispute.amount_minor} {dispute.currency} (minor units): {dispute.network_reason or 'no reason given'}"
    return notify(dispute, "merchant", what, detail, dispute.evidence_due_at)
