"""What people do to periods, as tables: every step in every state, out of turn, and by who may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from handlers.decision import Decision, Outcome, Rejection
from handlers.ledger.model import Posting
from handlers.periods.late import placed, refused
from handlers.periods.model import Bounds, Period, period_at
from handlers.periods.routes import ROUTES
from handlers.periods.states import SHUT, TRANSITIONS, State, Trigger
from schemas.period import PeriodMessage
from schemas.reasons import Reason

READER: Final[TypeAdapter[Any]] = TypeAdapter(PeriodMessage)
NOW: Final = datetime(2026, 12, 5, tzinfo=UTC)

COMMANDS: Final = {
    "soft_close": "period_soft_close_requested",
    "close": "period_close_requested",
    "reopen": "period_reopening_requested",
    "approve": "period_reopening_approved",
    "refuse": "period_reopening_refused",
}


def message(
    kind: str, period: str = "2026-10", who: str = "grace", role: str = "finance", **data: Any
) -> Any:
    """A command, as it is read."""
    told = {"idempotency_key": "k", "period": period, "note": "n", "actor": {"id": who, "role": role}} | data
    if kind == "calendar_set":
        del told["period"], told["note"]
    return READER.validate_python(
        {
            "specversion": "1.0",
            "id": "e",
            "source": "/s",
            "type": f"ledger.{COMMANDS.get(kind, kind)}.v1",
            "time": NOW,
            "tenant": "acme",
            "data": told,
        }
    )


class Books:
    """A tenant's bounds and periods, moved forward by the rules as the engine would."""

    def __init__(self) -> None:
        self.history: tuple[Bounds, ...] = ()
        self.periods: dict[str, Period] = {}

    def told(self, command: Any, now: datetime = NOW) -> Outcome:
        """What the rule says; a decision takes effect."""
        route = ROUTES[command.type]
        needed = [self.history or None]
        if len(route.needs) > 1:
            needed.append(self.periods.get(command.data.period))  # type: ignore[arg-type]
        outcome = route.rule(*needed, command, now)
        if isinstance(outcome, Decision):
            for state in outcome.states:
                if isinstance(state, Bounds):
                    self.history = (*self.history, state)
                else:
                    self.periods[state.period] = state
        return outcome

    def after(self, *steps: str, period: str = "2026-10") -> Books:
        """The books after these steps of a period."""
        for step in steps:
            who = "ada" if step == "approve" else "grace"
            assert isinstance(self.told(message(step, period, who)), Decision), step
        return self


WAYS: Final[dict[State | None, tuple[str, ...]]] = {
    None: (),
    State.SOFT_CLOSED: ("soft_close",),
    State.CLOSED: ("close",),
    State.REOPENING_REQUESTED: ("close", "reopen"),
    State.REOPENED: ("close", "reopen", "approve"),
}
TRIGGERS: Final = {
    "soft_close": {Trigger.SOFT_CLOSE},
    "close": {Trigger.CLOSE},
    "reopen": {Trigger.LIFT, Trigger.REQUEST_REOPENING},
    "approve": {Trigger.APPROVE_REOPENING},
    "refuse": {Trigger.REFUSE_REOPENING},
}


@pytest.mark.parametrize("state", WAYS, ids=str)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_step_happens_in_the_states_of_the_table_and_in_no_other(state: State | None, command: str) -> None:
    books = Books().after(*WAYS[state])
    outcome = books.told(message(command, who="ada"))
    allowed = {
        TRANSITIONS[state, trigger] for trigger in TRIGGERS[command] if (state, trigger) in TRANSITIONS
    }
    if allowed:
        assert isinstance(outcome, Decision)
        (step,) = outcome.transitions
        assert ({step.to_state}, step.from_state) == (allowed, state)
        assert [event.type for event in outcome.events] == [
            f"period.{step.to_state}.v1",
            "notification.requested.v1",
        ]
        assert [done.actor for done in outcome.audit] == ["ada"]
    else:
        assert isinstance(outcome, Rejection)
        assert outcome.reason is Reason.STATE_FORBIDS


REFUSED: Final = [
    # steps before, command, reason
    ((), message("close", role="manager"), Reason.ACTOR_NOT_ALLOWED),
    ((), message("close", role="system"), Reason.ACTOR_NOT_ALLOWED),
    ((), message("soft_close", role="support"), Reason.ACTOR_NOT_ALLOWED),
    (("close", "reopen"), message("approve", role="manager", who="ada"), Reason.ACTOR_NOT_ALLOWED),
    (("close", "reopen"), message("approve"), Reason.FOUR_EYES),
    ((), message("close", "2026-12"), Reason.PERIOD_NOT_OVER),
    ((), message("close", "2026-Q3"), Reason.PERIOD_UNKNOWN),
    (("close",), message("close", "2026-09"), Reason.PERIOD_OUT_OF_ORDER),
    (("close",), message("soft_close", "2026-08"), Reason.PERIOD_OUT_OF_ORDER),
    (("soft_close",), message("close", "2026-11"), Reason.PERIOD_OUT_OF_ORDER),
    (("close",), message("calendar_set", zone="Europe/Berlin"), Reason.CALENDAR_IN_USE),
    ((), message("calendar_set", zone="Europe/Berlin", role="manager"), Reason.ACTOR_NOT_ALLOWED),
]


@pytest.mark.parametrize(("steps", "command", "reason"), REFUSED, ids=lambda case: str(case)[:60])
def test_what_may_not_be_done_is_refused_with_its_reason(
    steps: tuple[str, ...], command: Any, reason: Reason
) -> None:
    outcome = Books().after(*steps).told(command)
    assert isinstance(outcome, Rejection)
    assert outcome.reason is reason


def test_a_period_is_over_at_midnight_of_its_zone_and_not_a_microsecond_before() -> None:
    books = Books()
    assert isinstance(books.told(message("calendar_set", zone="America/New_York")), Decision)
    over = datetime(2026, 12, 1, 5, tzinfo=UTC)
    early = books.told(message("close", "2026-11"), over - timedelta(microseconds=1))
    assert isinstance(early, Rejection)
    assert early.reason is Reason.PERIOD_NOT_OVER
    assert isinstance(books.told(message("close", "2026-11"), over), Decision)
    assert books.history[-1].closed_before == over


def test_the_last_period_opens_again_first() -> None:
    books = (
        Books().after("close").after("close", "reopen", period="2026-11").after("refuse", period="2026-11")
    )
    early = books.told(message("reopen"))
    assert isinstance(early, Rejection)
    assert early.reason is Reason.PERIOD_OUT_OF_ORDER
    books.after("reopen", "approve", period="2026-11").after("reopen", "approve")
    assert books.history[-1].closed_before == datetime(2026, 10, 1, tzinfo=UTC)


def posting(at: datetime, kind: str = "payment") -> Posting:
    """An entry of this date."""
    return Posting("rule", kind, "x", at, ())


BOUNDS: Final = Bounds(
    "acme",
    "books",
    1,
    "Europe/Berlin",
    "month",
    datetime(2026, 9, 30, 22, tzinfo=UTC),
    datetime(2026, 10, 31, 23, tzinfo=UTC),
    "soft_close",
    "2026-10",
    NOW,
)
PLACED: Final = [
    # what, when it happened, where it is booked, from where it comes
    ("payment", "2026-09-30T21:59:59.999999", "2026-10-31T23:00", "2026-09"),
    ("payment", "2026-09-30T22:00", "2026-10-31T23:00", "2026-10"),
    ("payment", "2026-10-31T22:59:59.999999", "2026-10-31T23:00", "2026-10"),
    ("payment", "2026-10-31T23:00", "2026-10-31T23:00", None),
    ("payment", "2027-01-01T00:00", "2027-01-01T00:00", None),
    ("journal", "2026-09-30T22:00", "2026-09-30T22:00", None),
    ("payment", "0001-01-01T00:00", "2026-10-31T23:00", "0001-01"),
]


@pytest.mark.parametrize(("kind", "happened", "booked", "period"), PLACED)
def test_what_comes_late_is_booked_when_the_first_open_period_starts(
    kind: str, happened: str, booked: str, period: str | None
) -> None:
    at, there = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (happened, booked))
    moved, origin = placed(posting(at, kind), BOUNDS)
    assert moved == posting(there, kind)
    assert (origin and origin.period) == period
    assert origin is None or origin.effective_at == at


def test_a_manual_journal_into_a_closed_period_is_refused_and_nothing_else_is() -> None:
    early = datetime(2026, 9, 1, tzinfo=UTC)
    assert refused(BOUNDS, [posting(early)]) is None
    assert refused(None, [posting(early, "journal")]) is None
    refusal = refused(BOUNDS, [posting(early), posting(early, "journal")])
    assert refusal is not None
    assert refusal.reason is Reason.PERIOD_CLOSED
    assert "2026-09" in refusal.detail


STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(COMMANDS)), st.integers(6, 12), st.sampled_from(["grace", "ada"])),
        st.datetimes(datetime(2026, 5, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        st.datetimes(datetime(2026, 5, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ),
    max_size=60,
)


@given(STEPS, st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/New_York"]))
def test_any_life_of_books_lets_nothing_into_what_is_closed(steps: list[Any], zone: str) -> None:
    """Entries and closes in any order: what was closed keeps its entries until it is opened by two people."""
    books = Books()
    books.told(message("calendar_set", zone=zone))
    booked: list[datetime] = []
    kept: dict[str, int] = {}
    for step in steps:
        if isinstance(step, datetime):
            last = books.history[-1]
            entry, origin = placed(posting(step), last)
            shut = last.soft_closed_before
            assert shut is None or entry.effective_at >= shut
            assert (origin is None) == (entry.effective_at == step)
            booked.append(entry.effective_at)
        else:
            kind, month, who = step
            books.told(message(kind, f"2026-{month:02}", who), datetime(2027, 1, 2, tzinfo=UTC))
        for name, period in books.periods.items():
            inside = sum(period.starts_at <= at < period.ends_at for at in booked)
            if period.state in SHUT:
                assert kept.setdefault(name, inside) == inside
            else:
                kept.pop(name, None)
    check_bounds(books)


def check_bounds(books: Books) -> None:
    """The bounds follow each other, and the periods stand as they say."""
    for before, after in pairwise(books.history):
        assert after.number == before.number + 1
        if after.closed_before is not None and before.closed_before is not None:
            assert after.closed_before >= before.closed_before or after.step == "approve_reopening"
    last = books.history[-1]
    for period in books.periods.values():
        assert last.closed_before is not None
        assert last.soft_closed_before is not None
        assert (period.ends_at <= last.closed_before) is (period.state in SHUT)
        assert (period.ends_at <= last.soft_closed_before) is (period.state is not State.REOPENED)
        assert period_at(period.starts_at, last.zone, last.unit) == period.period
