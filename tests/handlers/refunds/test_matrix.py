"""Every message in every situation: what becomes of it, and that no step is taken that the table does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.decision import Decision, Rejection
from handlers.refunds.rules.progress import refusal
from handlers.refunds.states import IN_FLIGHT, RESERVING, TERMINAL, TRANSITIONS, State, Trigger
from schemas.reasons import Reason
from tests.handlers.refunds.matrix import MESSAGES, cells, played
from tests.handlers.refunds.scene import Scene, paid
from tests.handlers.refunds.situations import SITUATIONS, handing_out, submitted, succeeded


@pytest.mark.parametrize(("situation", "message", "expected"), cells())
def test_a_message_does_what_the_table_says(situation: str, message: str, expected: str) -> None:
    assert played(situation, message)[1] == expected


@pytest.mark.parametrize(("situation", "message", "expected"), cells())
def test_whatever_comes_the_sums_the_entries_and_the_history_agree(
    situation: str, message: str, expected: str
) -> None:
    del expected
    scene, _ = played(situation, message)
    agrees(scene)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("message", MESSAGES)
def test_the_same_message_again_changes_no_sum_and_books_nothing(situation: str, message: str) -> None:
    scene, _ = played(situation, message)
    if scene.refunds and message not in {"check", "request"}:
        before = (scene.payment.refunding_minor, scene.payment.refunded_minor, scene.balances())
        MESSAGES[message](scene)
        assert (scene.payment.refunding_minor, scene.payment.refunded_minor, scene.balances()) == before
        agrees(scene)


def test_every_step_of_the_table_is_taken_and_none_besides() -> None:
    scenes = [played(situation, message)[0] for situation, message, _ in cells()]
    scenes.append(paid().report("succeeded", None))
    taken = {
        (step.from_state, step.event): step.to_state
        for scene in scenes
        for step in scene.transitions
        if step.object_type == "refund"
    }
    assert taken == TRANSITIONS


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("trigger", Trigger)
def test_a_step_that_the_table_does_not_have_is_refused_with_its_reason(
    state: State, trigger: Trigger
) -> None:
    refund = replace(submitted().of(), state=state)
    problem = refusal(refund, trigger)
    assert (problem is None) is ((state, trigger) in TRANSITIONS)
    if problem is not None:
        assert problem == Rejection(
            Reason.STATE_FORBIDS, f"refund r-1 is {state}, which does not allow {trigger}"
        )


def test_what_is_canceled_is_over() -> None:
    assert {State.CANCELED} == TERMINAL


@pytest.mark.parametrize("way", [succeeded, handing_out])
def test_every_state_that_is_entered_is_told_once(way: Callable[[], Scene]) -> None:
    scene = way()
    states = [f"refund.{step.to_state}.v1" for step in scene.transitions if step.object_type == "refund"]
    assert [event.type for event in scene.events if event.type.startswith("refund.")] == states


def agrees(scene: Scene) -> None:
    """Law 7, clearing, and the histories, after whatever came."""
    payment = scene.payment
    reserved = sum(refund.placed_minor for refund in scene.refunds if refund.state in RESERVING)
    arrived = sum(refund.placed_minor for refund in scene.refunds if refund.state == State.SUCCEEDED)
    cleared = sum(refund.placed_minor for refund in scene.refunds if refund.state in IN_FLIGHT)
    assert (payment.refunding_minor, payment.refunded_minor) == (reserved, arrived)
    assert reserved + arrived <= payment.captured_minor
    assert scene.balances().get("refund_clearing", 0) == -cleared
    assert sum(scene.balances().values()) == 0
    for refund in scene.refunds:
        steps = [step for step in scene.transitions if step.object_id == refund.object_id]
        assert [step.version for step in steps] == list(range(1, refund.version + 1))
        assert [step.from_state for step in steps] == [None, *(step.to_state for step in steps[:-1])]
        assert steps[-1].to_state == refund.state
        assert (refund.state in {State.SUBMITTED, State.PENDING}) >= (not refund.certain)
    assert isinstance(scene.outcome, Decision) or scene.outcome.detail
