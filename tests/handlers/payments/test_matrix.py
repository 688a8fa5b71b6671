"""Law 5: state moves only along its table, every step of it is taken, and what it forbids is refused."""

from __future__ import annotations

from typing import Final

import pytest

from handlers.decision import Decision
from handlers.payments.states import TERMINAL, TRANSITIONS, State, Trigger
from tests.handlers.payments.matrix import cells, played
from tests.handlers.payments.situations import SITUATIONS

REFUSALS: Final = {"no", "has", "stale", "old", "alien", "?pay", "?call"}

OF_OTHERS: Final = {
    Trigger.REFUND_PART,
    Trigger.REFUND_WHOLE,
    Trigger.RETURN_REFUND,
    Trigger.OPEN_CHARGEBACK,
    Trigger.WIN_CHARGEBACK,
    Trigger.LOSE_CHARGEBACK,
}
"""What refunds and disputes do to a payment: tests/handlers/refunds and tests/handlers/disputes take these steps."""


@pytest.mark.parametrize(("situation", "message", "expected"), cells())
def test_a_message_does_what_the_table_says(situation: str, message: str, expected: str) -> None:
    _, became = played(situation, message)
    assert became == expected


@pytest.mark.parametrize(("situation", "message"), [cell[:2] for cell in cells() if cell[2] in REFUSALS])
def test_a_refused_message_changes_nothing(situation: str, message: str) -> None:
    before, (after, _) = SITUATIONS[situation](), played(situation, message)
    assert not isinstance(after.outcome, Decision)
    assert after.opened == before.opened
    assert not before.opened or after.payment == before.payment


def test_every_step_of_the_table_is_taken_and_no_other() -> None:
    scenes = [played(situation, message)[0] for situation, message, _ in cells()]
    taken = {(step.from_state, step.event): step.to_state for scene in scenes for step in scene.transitions}
    own = {step: state for step, state in TRANSITIONS.items() if step[1] not in OF_OTHERS}
    assert taken == own


def test_versions_count_the_steps_and_each_begins_where_the_last_ended() -> None:
    for situation, message, _ in cells():
        steps = played(situation, message)[0].transitions
        assert [step.version for step in steps] == list(range(1, len(steps) + 1))
        assert [step.from_state for step in steps[1:]] == [step.to_state for step in steps[:-1]]
        assert all(step.from_state is None for step in steps[:1])


def test_a_lost_or_returned_payment_never_ends_for_good() -> None:
    assert frozenset() == TERMINAL


def test_every_state_can_be_reached_and_left_or_is_an_end() -> None:
    assert set(TRANSITIONS.values()) == set(State)
