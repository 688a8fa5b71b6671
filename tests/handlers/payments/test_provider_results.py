"""What a provider's answer does: an end, another try, or not knowing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from handlers.decision import Decision
from handlers.payments.policy import MAX_ATTEMPTS
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    authorized,
    capturing,
    declined,
    leaving,
    processing,
    returned,
    selling,
    voiding,
)
from tests.handlers.scene import STALE_ID, Scene

# fmt: off
DECLINES: Final = [
    ("insufficient_funds",    "requires_payment_method"),
    ("do_not_honor",          "requires_payment_method"),
    ("expired_card",          "requires_payment_method"),
    ("incorrect_cvc",         "requires_payment_method"),
    ("try_again_later",       "requires_payment_method"),
    ("authentication_failed", "requires_payment_method"),
    ("processing_declined",   "requires_payment_method"),
    ("lost_card",             "failed"),
    ("stolen_card",           "failed"),
    ("suspected_fraud",       "failed"),
]
# fmt: on


@pytest.mark.parametrize(("reason", "state"), DECLINES)
@pytest.mark.parametrize("asked", [processing, selling, returned])
def test_a_decline_asks_for_another_card_unless_it_is_fraud(
    asked: Callable[[], Scene], reason: str, state: str
) -> None:
    scene = asked().answer("call_declined", reason=reason)
    assert (scene.payment.state, scene.payment.reason) == (state, reason)
    assert (scene.events[-1].type, scene.events[-1].data.reason) == (f"payment.{state}.v1", reason)


def test_the_fifth_decline_is_the_last() -> None:
    scene = declined()
    for attempt in range(2, MAX_ATTEMPTS + 1):
        assert scene.payment.state == "requires_payment_method"
        scene.send("confirmation_requested").answer("call_declined")
        assert scene.payment.attempts == attempt
    assert (scene.payment.state, scene.payment.reason) == ("failed", Reason.ATTEMPTS_EXHAUSTED)


def test_an_unknown_outcome_is_said_once_and_the_state_stays() -> None:
    scene = processing().answer("call_unknown")
    assert (scene.payment.state, scene.payment.certain) == ("processing", False)
    told = scene.events[-1]
    assert (told.type, told.data.state, told.data.certain) == (
        "payment.outcome_unknown.v1",
        "processing",
        False,
    )
    assert scene.answer("call_unknown").outcome == Decision()


def test_an_unknown_outcome_is_no_step() -> None:
    scene = processing()
    version = scene.payment.version
    assert scene.answer("call_unknown").payment.version == version


# fmt: off
RESOLVED: Final = [
    ("call_succeeded",     "authorized"),
    ("call_declined",      "requires_payment_method"),
    ("challenge_required", "requires_action"),
    ("call_failed",        "requires_confirmation"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "state"), RESOLVED)
def test_a_later_answer_resolves_what_was_unknown(answer: str, state: str) -> None:
    scene = processing().answer("call_unknown").answer(answer)
    assert (scene.payment.state, scene.payment.certain, scene.payment.call_id) == (state, True, None)


@pytest.mark.parametrize("asked", [capturing, voiding])
def test_an_unknown_capture_or_void_keeps_the_hold(asked: Callable[[], Scene]) -> None:
    scene = asked().answer("call_unknown")
    assert (scene.payment.state, scene.payment.certain) == ("authorized", False)
    assert scene.send("cancellation_requested").waiting.reason is Reason.CALL_IN_PROGRESS


def test_an_unavailable_provider_leaves_the_payment_to_be_confirmed_again_with_the_same_card() -> None:
    scene = processing().answer("call_failed", reason="provider_unavailable")
    assert (scene.payment.state, scene.payment.method_token) == ("requires_confirmation", "tok_approve")


def test_a_request_that_the_provider_refuses_is_an_end() -> None:
    scene = processing().answer("call_failed", reason="provider_refused_request")
    assert (scene.payment.state, scene.payment.reason) == ("failed", Reason.PROVIDER_REFUSED_REQUEST)


def test_whether_a_customer_authenticated_is_asked_until_it_is_known() -> None:
    scene = returned().answer("call_failed")
    assert (scene.payment.state, scene.calls[-1].operation) == ("processing", "confirm")
    assert scene.calls[-1].call_id != scene.calls[-2].call_id


@pytest.mark.parametrize(
    "answer", ["call_succeeded", "call_declined", "challenge_required", "call_unknown", "call_failed"]
)
def test_an_answer_to_another_call_is_stale(answer: str) -> None:
    scene = capturing().answer(answer, call_id=STALE_ID)
    assert scene.rejection.reason is Reason.CALL_STALE


def test_an_answer_that_comes_again_changes_nothing() -> None:
    scene = processing()
    call_id = scene.payment.call_id
    scene.answer("call_succeeded")
    assert scene.answer("call_succeeded", call_id=call_id).rejection.reason is Reason.CALL_STALE


def test_an_answer_before_its_payment_waits() -> None:
    assert Scene().answer("call_succeeded").waiting.reason is Reason.PAYMENT_UNKNOWN


def test_an_answer_closes_the_call() -> None:
    payment = authorized().payment
    assert (payment.call_id, payment.call_operation) == (None, None)
    assert payment.provider_reference == "auth_1"


def test_a_new_call_is_certain_until_it_is_not() -> None:
    scene = returned().answer("call_unknown").answer("call_failed")
    assert scene.payment.certain


def test_a_void_that_is_refused_is_looked_at_for_the_money_may_have_been_taken() -> None:
    scene = leaving().answer("call_declined", reason="processing_declined")
    assert (scene.payment.state, scene.calls[-1].operation) == ("processing", "confirm")
    scene.answer("call_succeeded", captured=True)
    assert (scene.payment.state, len(scene.postings)) == ("succeeded", 1)
