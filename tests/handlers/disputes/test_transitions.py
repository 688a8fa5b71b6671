"""Every step of the table is taken by a message; every step that it forbids is refused, with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from handlers.decision import Decision
from handlers.disputes.states import TRANSITIONS, Standing, State, Trigger, standing_of
from schemas.reasons import Reason
from tests.handlers.disputes.case import Case
from tests.handlers.disputes.situations import SITUATIONS

S, T = State, Trigger
LATER: Final = 400
"""Hours: after all that happened before."""


def submit(case: Case) -> Case:
    """Evidence that the provider takes."""
    return case.submit().answer()


def accept(case: Case) -> Case:
    """An acceptance that the provider takes note of."""
    return case.accept().answer()


def reported(status: str, stage: str = "chargeback", **data: Any) -> Callable[[Case], Case]:
    """What a later report says."""
    return lambda case: case.report(status, at=LATER, stage=stage, **data)


def inquiry_ended(status: str) -> Case:
    """An inquiry that never became a chargeback."""
    return Case().report(status, stage="inquiry")


def resubmitted(case: Case) -> Case:
    """The provider's console took evidence, and takes more."""
    case.payment = adyen(case)
    case.report("under_review", provider="adyen")
    return case.submit().answer()


def adyen(case: Case) -> Any:
    """The payment, made with a provider that takes evidence more than once."""
    return replace(case.payment, provider="adyen")


STEPS: Final[dict[tuple[State | None, Trigger], tuple[Callable[[], Case], Callable[[Case], Case]]]] = {
    (None, T.INQUIRE): (Case, reported("needs_response", "inquiry")),
    (None, T.OPEN): (Case, reported("needs_response")),
    (S.INQUIRY, T.SUBMIT_EVIDENCE): (SITUATIONS[S.INQUIRY], submit),
    (S.INQUIRY, T.OPEN): (SITUATIONS[S.INQUIRY], reported("needs_response")),
    (S.INQUIRY, T.WIN): (SITUATIONS[S.INQUIRY], reported("won", "inquiry")),
    (S.INQUIRY, T.ACCEPT): (SITUATIONS[S.INQUIRY], accept),
    (S.INQUIRY, T.EXPIRE): (SITUATIONS[S.INQUIRY], lambda case: case.time_out("evidence_expiry")),
    (S.OPENED, T.REMIND): (SITUATIONS[S.OPENED], lambda case: case.time_out("evidence_reminder")),
    (S.OPENED, T.SUBMIT_EVIDENCE): (SITUATIONS[S.OPENED], submit),
    (S.EVIDENCE_DUE, T.SUBMIT_EVIDENCE): (SITUATIONS[S.EVIDENCE_DUE], submit),
    (S.EVIDENCE_SUBMITTED, T.SUBMIT_EVIDENCE): (Case, resubmitted),
    **{
        (state, T.ACCEPT): (SITUATIONS[state], accept)
        for state in (S.OPENED, S.EVIDENCE_DUE, S.EVIDENCE_SUBMITTED)
    },
    **{
        (state, T.WIN): (SITUATIONS[state], reported("won"))
        for state in (S.OPENED, S.EVIDENCE_DUE, S.EVIDENCE_SUBMITTED, S.EXPIRED)
    },
    **{
        (state, T.LOSE): (SITUATIONS[state], reported("lost"))
        for state in (S.OPENED, S.EVIDENCE_DUE, S.EVIDENCE_SUBMITTED, S.EXPIRED, S.ACCEPTED)
    },
    **{
        (state, T.EXPIRE): (SITUATIONS[state], lambda case: case.time_out("evidence_expiry"))
        for state in (S.OPENED, S.EVIDENCE_DUE)
    },
    **{
        (state, T.ESCALATE): (SITUATIONS[state], reported("needs_response", "second_chargeback"))
        for state in State
        if state is not S.INQUIRY
    },
    (S.EVIDENCE_SUBMITTED, T.REOPEN): (SITUATIONS[S.EVIDENCE_SUBMITTED], reported("needs_response")),
    **{
        (state, T.REOPEN): (
            SITUATIONS[state],
            reported("needs_response", evidence_due_at="2027-06-01T00:00:00Z"),
        )
        for state in (S.WON, S.LOST, S.ACCEPTED, S.EXPIRED)
    },
    (S.WON, T.INQUIRE): (lambda: inquiry_ended("won"), reported("needs_response", "inquiry")),
    (S.ACCEPTED, T.INQUIRE): (lambda: inquiry_ended("accepted"), reported("needs_response", "inquiry")),
    (S.EXPIRED, T.INQUIRE): (
        lambda: inquiry_ended("expired"),
        reported("needs_response", "inquiry", evidence_due_at="2027-06-01T00:00:00Z"),
    ),
}


def test_every_step_of_the_table_has_its_message() -> None:
    assert set(STEPS) == set(TRANSITIONS)


@pytest.mark.parametrize(("before", "trigger"), STEPS, ids=str)
def test_a_step_of_the_table_is_taken(before: State | None, trigger: Trigger) -> None:
    situation, message = STEPS[before, trigger]
    case = message(situation())
    taken = {(step.from_state, step.event): step.to_state for step in case.decision.transitions}
    assert taken[before, trigger] == TRANSITIONS[before, trigger]


@pytest.mark.parametrize("state", SITUATIONS)
def test_a_situation_is_what_it_says(state: State) -> None:
    assert SITUATIONS[state]().dispute.state is state


@pytest.mark.parametrize("state", [state for state in State if (state, T.ACCEPT) not in TRANSITIONS])
def test_what_has_ended_is_not_accepted(state: State) -> None:
    case = SITUATIONS[state]()
    before = case.dispute
    assert case.accept().rejection.reason is Reason.STATE_FORBIDS
    assert str(state) in case.rejection.detail
    assert case.dispute is before


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (S.EVIDENCE_SUBMITTED, Reason.STATE_FORBIDS),
        (S.WON, Reason.STATE_FORBIDS),
        (S.LOST, Reason.STATE_FORBIDS),
        (S.ACCEPTED, Reason.STATE_FORBIDS),
        (S.EXPIRED, Reason.EVIDENCE_TOO_LATE),
    ],
)
def test_evidence_for_what_awaits_none_is_refused(state: State, reason: Reason) -> None:
    case = SITUATIONS[state]()
    before = case.dispute
    assert case.submit().rejection.reason is reason
    assert case.dispute is before


@pytest.mark.parametrize("kind", ["evidence_reminder", "evidence_expiry"])
@pytest.mark.parametrize("state", [S.EVIDENCE_SUBMITTED, S.WON, S.LOST, S.ACCEPTED, S.EXPIRED])
def test_a_timer_of_what_awaits_no_evidence_does_nothing(state: State, kind: str) -> None:
    case = SITUATIONS[state]()
    if not case.timers:
        case.timers += Case().report("needs_response").timers
    assert case.time_out(kind).outcome == Decision()


@pytest.mark.parametrize("state", SITUATIONS)
@pytest.mark.parametrize("status", ["needs_response", "under_review", "won", "lost", "accepted", "expired"])
@pytest.mark.parametrize("stage", ["inquiry", "chargeback", "second_chargeback"])
def test_a_newer_report_is_never_refused(state: State, status: str, stage: str) -> None:
    case = SITUATIONS[state]()
    decided = case.report(status, at=LATER, stage=stage, evidence_due_at="2027-06-01T00:00:00Z").decision
    assert all(
        (step.from_state, step.event) in TRANSITIONS
        for step in decided.transitions
        if step.object_type == "dispute"
    )
    versions = [step.version for step in case.transitions if step.object_type == "dispute"]
    assert versions == list(range(1, case.dispute.version + 1))
    assert case.dispute.reported_status == status


@pytest.mark.parametrize(
    ("state", "stage", "status", "standing"),
    [
        (S.INQUIRY, "inquiry", "needs_response", Standing.NONE),
        (S.EXPIRED, "inquiry", "expired", Standing.NONE),
        (S.OPENED, "chargeback", "needs_response", Standing.OPEN),
        (S.EVIDENCE_DUE, "chargeback", "needs_response", Standing.OPEN),
        (S.EVIDENCE_SUBMITTED, "second_chargeback", "under_review", Standing.OPEN),
        (S.EXPIRED, "chargeback", "needs_response", Standing.OPEN),
        (S.EXPIRED, "chargeback", "expired", Standing.LOST),
        (S.ACCEPTED, "chargeback", "needs_response", Standing.LOST),
        (S.LOST, "chargeback", "lost", Standing.LOST),
        (S.WON, "second_chargeback", "won", Standing.WON),
    ],
)
def test_what_a_state_means_for_the_money(state: State, stage: str, status: str, standing: Standing) -> None:
    assert standing_of(state, stage, status) is standing
