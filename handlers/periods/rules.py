"""What people do to periods: soft-close, close, and open again; each moves the tenant's bounds.

Periods close in their order and open again in the reverse one, so that two bounds say everything. The first period
that is touched begins the books: what lies before it is closed with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from handlers.decision import Audit, Decision, Event, Rejection, Transition
from handlers.periods.model import CALENDAR, Bounds, Period, period_id_of, span_of
from handlers.periods.states import MAY, TRANSITIONS, State, Trigger
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.period import PeriodChanged
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.periods.model import BoundsHistory, Span
    from schemas.period import CalendarSet, PeriodCommandData, PeriodMessage

    Rule = Callable[[BoundsHistory | None, Period | None, PeriodMessage, datetime], Outcome]

SET_CALENDAR: Final = "set_calendar"

TOLD: Final[dict[State, str]] = {
    State.SOFT_CLOSED: "only manual journals reach it",
    State.CLOSED: "nothing reaches it; what comes late is booked into the open period",
    State.REOPENING_REQUESTED: "somebody else of finance must approve",
    State.REOPENED: "it takes entries again",
}
"""What finance is told of a period's state."""


def set_calendar(history: BoundsHistory | None, message: CalendarSet, now: datetime) -> Outcome:
    """Count in these units and this zone from the first period on; once one was touched, that is fixed."""
    data, bounds = message.data, _bounds(history, message.tenant, now)
    if data.actor.role != "finance":
        return Rejection(Reason.ACTOR_NOT_ALLOWED, f"actor.role {data.actor.role}: it needs finance")
    if bounds.soft_closed_before is not None:
        detail = (
            f"periods of {bounds.zone}, by the {bounds.unit}, are closed before {bounds.soft_closed_before}"
        )
        return Rejection(Reason.CALENDAR_IN_USE, detail)
    moved = replace(
        bounds, number=bounds.number + 1, zone=data.zone, unit=data.unit, step=SET_CALENDAR, set_at=now
    )
    done = Audit(data.actor.id, "calendar.set", "calendar", CALENDAR, f"by the {data.unit} in {data.zone}")
    return Decision(states=(moved,), audit=(done,))


def soft_close(
    history: BoundsHistory | None, period: Period | None, message: PeriodMessage, now: datetime
) -> Outcome:
    """Only manual journals reach the period from now on."""
    return _step(history, period, message, now, Trigger.SOFT_CLOSE)


def close(
    history: BoundsHistory | None, period: Period | None, message: PeriodMessage, now: datetime
) -> Outcome:
    """Nothing reaches the period from now on."""
    return _step(history, period, message, now, Trigger.CLOSE)


def request_reopening(
    history: BoundsHistory | None, period: Period | None, message: PeriodMessage, now: datetime
) -> Outcome:
    """A soft-closed period is open at once; a closed one when somebody else agrees."""
    soft = period is not None and period.state is State.SOFT_CLOSED
    return _step(history, period, message, now, Trigger.LIFT if soft else Trigger.REQUEST_REOPENING)


def approve_reopening(
    history: BoundsHistory | None, period: Period | None, message: PeriodMessage, now: datetime
) -> Outcome:
    """Somebody else agrees: the period is open again, until it is closed anew with balances of its own."""
    return _step(history, period, message, now, Trigger.APPROVE_REOPENING)


def refuse_reopening(
    history: BoundsHistory | None, period: Period | None, message: PeriodMessage, now: datetime
) -> Outcome:
    """It stays closed."""
    return _step(history, period, message, now, Trigger.REFUSE_REOPENING)


def _bounds(history: BoundsHistory | None, tenant: str, now: datetime) -> Bounds:
    if history:
        return history[-1]
    return Bounds(tenant, CALENDAR, 0, "UTC", "month", None, None, SET_CALENDAR, None, now)


def _step(
    history: BoundsHistory | None,
    period: Period | None,
    message: PeriodMessage,
    now: datetime,
    trigger: Trigger,
) -> Outcome:
    data: PeriodCommandData = message.data  # type: ignore[assignment]  # the calendar has a rule of its own
    bounds = _bounds(history, message.tenant, now)
    span = span_of(data.period, bounds.zone, bounds.unit)
    if span is None:
        detail = f"period {data.period}: the tenant's calendar counts by the {bounds.unit} ({bounds.zone})"
        return Rejection(Reason.PERIOD_UNKNOWN, detail)
    problem = _forbidden(period, data, trigger) or _out_of_turn(bounds, span, trigger, now)
    if problem is not None:
        return problem
    moved = _moved(bounds, span, trigger, now)
    state = TRANSITIONS[period.state if period else None, trigger]
    changed = Period(
        message.tenant,
        period_id_of(message.tenant, span.name),
        span.name,
        state,
        period.version + 1 if period else 1,
        span.starts_at,
        span.ends_at,
        _asked_by(period, data.actor.id, trigger),
        data.actor.id,
        now,
    )
    states = (changed,) if moved == bounds else (changed, moved)
    return _decision(states, changed, moved, period, data, trigger)


def _asked_by(period: Period | None, actor_id: str, trigger: Trigger) -> str | None:
    """Who asked for the reopening that waits, or that was just approved."""
    if trigger is Trigger.REQUEST_REOPENING:
        return actor_id
    return period.reopening_requested_by if period and trigger is Trigger.APPROVE_REOPENING else None


def _forbidden(period: Period | None, data: PeriodCommandData, trigger: Trigger) -> Rejection | None:
    if data.actor.role not in MAY[trigger]:
        detail = f"actor.role {data.actor.role}: it needs {' or '.join(sorted(MAY[trigger]))}"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    state = period.state if period else None
    if (state, trigger) not in TRANSITIONS:
        return Rejection(
            Reason.STATE_FORBIDS, f"period {data.period} is {state or 'open'}, which does not allow {trigger}"
        )
    if trigger is Trigger.APPROVE_REOPENING and period and period.reopening_requested_by == data.actor.id:
        return Rejection(Reason.FOUR_EYES, f"actor.id {data.actor.id} asked for the reopening")
    return None


def _out_of_turn(bounds: Bounds, span: Span, trigger: Trigger, now: datetime) -> Rejection | None:
    """Why a step may not be taken now: the period is not over, or another one comes first."""
    closing = trigger in {Trigger.SOFT_CLOSE, Trigger.CLOSE}
    if closing and now < span.ends_at:
        return Rejection(Reason.PERIOD_NOT_OVER, f"period {span.name} ends at {span.ends_at.isoformat()}")
    closed, soft = bounds.closed_before, bounds.soft_closed_before
    if closed is None or soft is None:
        return None
    if trigger is Trigger.CLOSE and closed != span.starts_at:
        detail = f"period {span.name}: first the one that starts at {closed.isoformat()}"
        return Rejection(Reason.PERIOD_OUT_OF_ORDER, detail)
    if trigger is Trigger.SOFT_CLOSE and soft != span.starts_at:
        detail = f"period {span.name}: first the one that starts at {soft.isoformat()}"
        return Rejection(Reason.PERIOD_OUT_OF_ORDER, detail)
    if not closing and trigger is not Trigger.REFUSE_REOPENING and soft != span.ends_at:
        detail = f"period {span.name}: first the last one, which ends at {soft.isoformat()}"
        return Rejection(Reason.PERIOD_OUT_OF_ORDER, detail)
    return None


def _moved(bounds: Bounds, span: Span, trigger: Trigger, now: datetime) -> Bounds:
    """The bounds after the step; as they were when it moves none."""
    closed = span.starts_at if bounds.closed_before is None else bounds.closed_before
    soft = span.starts_at if bounds.soft_closed_before is None else bounds.soft_closed_before
    match trigger:
        case Trigger.SOFT_CLOSE:
            soft = span.ends_at
        case Trigger.CLOSE:
            closed, soft = span.ends_at, max(soft, span.ends_at)
        case Trigger.LIFT:
            soft = span.starts_at
        case Trigger.APPROVE_REOPENING:
            closed = soft = span.starts_at
        case Trigger.REQUEST_REOPENING | Trigger.REFUSE_REOPENING:
            return bounds
    return replace(
        bounds,
        number=bounds.number + 1,
        closed_before=closed,
        soft_closed_before=soft,
        step=trigger.value,
        period=span.name,
        set_at=now,
    )


def _decision(
    states: tuple[Period | Bounds, ...],
    period: Period,
    bounds: Bounds,
    before: Period | None,
    data: PeriodCommandData,
    trigger: Trigger,
) -> Decision:
    name, actor = period.period, data.actor
    step = Transition(
        period.object_id,
        period.version,
        before.state if before else None,
        trigger,
        period.state,
        None,
        "period",
    )
    told = PeriodChanged(
        name,
        period.state,
        period.version,
        period.starts_at,
        period.ends_at,
        bounds.zone,
        bounds.closed_before,
        bounds.soft_closed_before,
        actor.id,
        data.note,
    )
    about = f"period.{period.state}"
    detail = f"period {name} is {period.state}, by {actor.id}: {TOLD[period.state]}"
    notice = NotificationRequested(
        "finance", "finance", about, "period", str(period.object_id), "", None, detail, None
    )
    done = Audit(actor.id, f"period.{trigger}", "period", name, f"as {actor.role}: {data.note}")
    return Decision(
        states=states,
        transitions=(step,),
        events=(
            Event(f"{about}.v1", str(period.object_id), told),
            Event(NOTIFICATION_REQUESTED, str(period.object_id), notice),
        ),
        audit=(done,),
    )
