"""When nobody knows what a call did: we say so, ask on, and at last a person decides; no rule ever guesses.

unknown -> the gateway asks the provider without end      a webhook or an answer may close it at any time
-> after OUTCOME_DEADLINE operations are told      `calls unknown` lists it
-> a person decides, two when it is large          a provider that says otherwise later is recognized
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Audit, Decision, Rejection
from handlers.payments.model import is_call_of
from handlers.payments.policy import DECIDERS, OUTCOME_DEADLINE, is_large
from handlers.payments.remarks import (
    CONTRADICTED,
    NO_EFFECT,
    SUCCEEDED,
    being_reversed,
    forget,
    remark,
    remark_of,
)
from handlers.payments.rules import strays
from handlers.payments.rules.calls import did, without_effect
from handlers.payments.rules.progress import decline, take
from handlers.payments.rules.steps import busy, is_latest, notify, refusal, tell, unknown, wake
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.checkout import OutcomeDecided, OutcomeDecidedData
    from schemas.provider import CallDeclined, CallFailed, CallSucceeded
    from schemas.timer import TimerDue


def become_unknown(payment: Payment, now: datetime) -> Decision:
    """The call may have had an effect. Said once; after the deadline a person is asked."""
    if not payment.certain:
        return Decision()
    unsure = replace(payment, certain=False, updated_at=now)
    timer = wake(unsure, "outcome_deadline", now + OUTCOME_DEADLINE)
    return Decision(states=(unsure,), events=(tell(unsure, "payment.outcome_unknown.v1"),), timers=(timer,))


def impossible(payment: Payment, amount_minor: int, now: datetime) -> Decision:
    """The provider says that it moved nothing, or more than it was asked for: a person looks, nothing is booked."""
    reason = Reason.AMOUNT_ABOVE_AUTHORIZED if amount_minor else Reason.AMOUNT_DIFFERS
    detail = (
        f"{payment.call_operation} {payment.call_id}: the answer says {amount_minor} {payment.currency}, "
        f"at most {payment.call_amount_minor} was asked for"
    )
    return _ask_a_person(payment, "payment.answer_impossible", reason, detail, now)


def overdue(payment: Payment, now: datetime) -> Decision:
    """A bank that has not decided by the deadline."""
    detail = f"{payment.provider} {payment.provider_reference} is still pending"
    return _ask_a_person(payment, "payment.outcome_undecided", Reason.TRY_AGAIN_LATER, detail, now)


def _ask_a_person(payment: Payment, about: str, reason: Reason, detail: str, now: datetime) -> Decision:
    unsure = replace(payment, certain=False, reason=reason, updated_at=now)
    told = notify(unsure, about, detail, reason=reason)
    return Decision(states=(unsure,), events=(tell(unsure, "payment.outcome_unknown.v1"), *told))


def deadline_passed(payment: Payment, message: TimerDue) -> Decision:
    """Still unknown: operations are told. The call stays open, and the gateway goes on asking."""
    if payment.certain or not is_latest(payment, "outcome_deadline", message.data.timer_id):
        return Decision()
    detail = (
        f"{payment.call_operation} {payment.call_id} at {payment.provider}: see `counterfoil calls unknown`"
    )
    return Decision(events=notify(payment, "payment.outcome_undecided", detail))


def decide(payment: Payment | None, message: OutcomeDecided, now: datetime) -> Outcome:
    """A person's verdict on a call whose outcome is unknown: the last resort."""
    data = message.data
    if payment is None:
        return unknown(data.order_id)
    problem = _not_decidable(payment, data)
    if problem is not None:
        return problem
    amount_minor = data.amount_minor or payment.call_amount_minor or 0
    said = f"{data.verdict} {data.amount_minor} {data.provider_reference}"
    audit = Audit(
        data.actor.id,
        f"outcome_decided/{data.verdict}",
        "payment",
        str(payment.payment_id),
        f"{data.actor.role}: {payment.call_operation} {data.call_id}, {said}: {data.note}",
    )
    if is_large(amount_minor, payment.currency):
        proposal = f"proposal/{data.call_id}"
        verdict, _, first = (remark_of(payment, proposal) or "").rpartition(" by ")
        if verdict == said and first == data.actor.id:
            return Rejection(Reason.FOUR_EYES, f"actor.id {first} has decided so already; another must")
        if verdict != said:
            proposed = replace(
                payment, updated_at=now, **remark(payment, proposal, f"{said} by {data.actor.id}")
            )
            return Decision(states=(proposed,), audit=(audit,))
        payment = replace(payment, **forget(payment, proposal))
    decided = _apply(replace(payment, **remark(payment, data.call_id, data.verdict)), data, message.time, now)
    return replace(decided, audit=(audit,))


def _not_decidable(payment: Payment, data: OutcomeDecidedData) -> Rejection | None:
    if payment.call_id != data.call_id:
        return strays.stale(payment, data.call_id)
    if payment.certain:
        detail = f"call {data.call_id}: the provider is being asked, and its outcome is not unknown"
        return Rejection(Reason.STATE_FORBIDS, detail)
    if data.actor.role not in DECIDERS:
        detail = f"actor.role {data.actor.role}: needs {' or '.join(sorted(DECIDERS))}"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    most_minor = payment.call_amount_minor or 0
    if data.amount_minor is not None and data.amount_minor > most_minor:
        detail = f"amount_minor {data.amount_minor} is above what the call asked for, {most_minor}"
        return Rejection(Reason.AMOUNT_ABOVE_AUTHORIZED, detail)
    return None


def _apply(payment: Payment, data: OutcomeDecidedData, at: datetime, now: datetime) -> Decision:
    why = Reason.OUTCOME_DECIDED_BY_PERSON
    if being_reversed(payment) is not None:
        if data.verdict == SUCCEEDED:
            return strays.reversed_for_certain(payment, at, now)
        return strays.not_reversed(payment, why, now)
    if data.verdict == SUCCEEDED:
        captures = payment.capture_method == "automatic" or payment.state == State.SETTLING
        return did(
            payment,
            data.provider_reference or "",
            data.amount_minor or 0,
            at,
            now,
            captured=captures,
            reason=why,
        )
    if payment.call_operation == "confirm":
        return decline(payment, why, now)
    return without_effect(payment, why, now)


def contradiction(
    payment: Payment, message: CallSucceeded | CallDeclined | CallFailed, now: datetime
) -> Outcome:
    """An answer to a call that is over. It is stale, unless a person or a webhook had said otherwise of that call.

    Money that moved after all is taken up: a charge is attached or reversed, a capture is booked where the hold still
    allows it. That nothing moved where a person had seen a success is only told: the receivable stays open, and
    reconciliation finds it.
    """
    call_id = message.data.call_id
    verdict = remark_of(payment, call_id)
    if message.type != "provider.call_succeeded.v1":
        if verdict == SUCCEEDED:
            detail = f"{message.data.operation}: decided as succeeded, but it did not"
            return _told(payment, call_id, detail, now)
        return strays.stale(payment, call_id)
    data = message.data
    own = data.provider_reference == payment.provider_reference
    known = own or remark_of(payment, data.provider_reference) is not None
    if data.operation == "authorize" and data.amount_minor and not known and is_call_of(payment, call_id):
        charge = strays.Charge(
            data.provider, data.provider_reference, data.amount_minor, data.captured, message.time
        )
        return strays.found(payment, charge, now)
    if verdict == NO_EFFECT:
        return _moved_after_all(payment, message, now)
    return strays.stale(payment, call_id)


def _moved_after_all(payment: Payment, message: CallSucceeded, now: datetime) -> Outcome:
    waits = busy(payment)
    if waits is not None:
        return waits
    data = message.data
    noted = replace(payment, **remark(payment, data.call_id, CONTRADICTED))
    detail = (
        f"{data.operation}: decided as without effect, but it moved {data.amount_minor} {payment.currency}"
    )
    fits = 0 < data.amount_minor <= payment.capturable_minor
    if data.operation != "capture" or not fits or refusal(payment, Trigger.CAPTURE) is not None:
        return _told(payment, data.call_id, detail, now)
    final = data.amount_minor == payment.capturable_minor
    booked = take(noted, data.amount_minor, message.time, now, final=final)
    return replace(booked, events=(*booked.events, *notify(payment, "payment.decision_contradicted", detail)))


def _told(payment: Payment, call_id: object, detail: str, now: datetime) -> Decision:
    noted = replace(payment, updated_at=now, **remark(payment, call_id, CONTRADICTED))
    told = notify(payment, "payment.decision_contradicted", f"call {call_id}, {detail}")
    return Decision(states=(noted,), events=told)
