"""A decline is tried again by ourselves only where no customer waits, when its reason says so, and only so often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from handlers.decision import Decision
from handlers.payments.retry import RETRIES
from schemas.reasons import REASONS, Fault, Reason
from tests.handlers.payments.situations import retrying
from tests.handlers.scene import Scene

HARD: Final = [reason for reason, info in REASONS.items() if info.new_method]


def off_session(**data: Any) -> Scene:
    """The provider is asked, and no customer waits."""
    return Scene().send("payment_requested", off_session=True, **data)


@pytest.mark.parametrize("reason", RETRIES)
def test_the_first_wait_is_the_one_that_the_reason_tells_callers(reason: Reason) -> None:
    if reason is Reason.PROVIDER_UNAVAILABLE:
        return
    hours = REASONS[reason].retry_after_hours
    assert hours is not None
    assert RETRIES[reason][0] == timedelta(hours=hours)


def test_every_reason_that_may_be_tried_again_has_its_rule() -> None:
    told = {reason for reason, info in REASONS.items() if info.retry_after_hours is not None}
    assert told | {Reason.PROVIDER_UNAVAILABLE} == set(RETRIES)


@pytest.mark.parametrize("reason", HARD)
def test_a_hard_decline_is_never_tried_again(reason: Reason) -> None:
    assert REASONS[reason].fault is Fault.CUSTOMER
    assert off_session().answer("call_declined", reason=reason).timers == []


@pytest.mark.parametrize("reason", sorted(set(RETRIES) - {Reason.PROVIDER_UNAVAILABLE}))
def test_a_soft_decline_is_tried_again_as_often_as_its_rule_says_and_then_left_to_the_shop(
    reason: Reason,
) -> None:
    scene = off_session().answer("call_declined", reason=reason)
    for number, wait in enumerate(RETRIES[reason], 2):
        assert scene.payment.state == "requires_payment_method"
        assert scene.timers[-1].due_at == scene.now + wait == scene.payment.state_ends_at
        scene.time_out("confirmation_retry")
        assert (scene.payment.state, scene.payment.attempts) == ("processing", number)
        assert scene.calls[-1].token == "tok_approve"  # noqa: S105 - a test token
        scene.answer("call_declined", reason=reason)
    assert len(scene.timers) == len(RETRIES[reason])
    assert scene.payment.state == "requires_payment_method"


def test_a_provider_that_is_away_is_tried_again_later() -> None:
    scene = off_session().answer("call_failed")
    assert scene.payment.state == "requires_confirmation"
    assert scene.time_out("confirmation_retry").payment.state == "processing"


def test_with_a_customer_present_the_shop_decides() -> None:
    assert Scene().send("payment_requested").answer("call_declined").timers == []


def test_the_timer_looks_at_the_state_again() -> None:
    for scene in (
        retrying().send("confirmation_requested"),
        retrying().send("cancellation_requested"),
        retrying().send("payment_recorded"),
        retrying().send("confirmation_requested").answer("call_succeeded"),
        retrying().send("confirmation_requested").answer("call_declined", reason="do_not_honor"),
    ):
        before = scene.payment
        assert scene.time_out("confirmation_retry").outcome == Decision()
        assert scene.payment == before


def test_a_customer_who_comes_back_takes_over() -> None:
    scene = retrying().send("confirmation_requested", off_session=False).answer("call_declined")
    assert len(scene.timers) == 1


def test_a_customer_who_is_needed_is_told() -> None:
    scene = off_session().answer("challenge_required")
    notices = [event.data for event in scene.events if event.type == "notification.requested.v1"]
    assert [(notice.audience, notice.recipient) for notice in notices] == [
        ("customer", "cus_7"),
        ("merchant", "shoes"),
    ]
    assert all(notice.act_by == scene.timers[-1].due_at for notice in notices)
