"""A success after we had given up: attached where the order still takes it, else given back and booked in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest

from handlers.decision import Decision
from handlers.payments.rules.strays import is_reversal
from handlers.payments.rules.strays import reversal_reported as late_refund_reported
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    authorized,
    canceled,
    debiting,
    declined,
    expired,
    paid_otherwise,
    pending,
    processing,
    refused,
    returned,
    reversing,
    unavailable,
)
from tests.handlers.scene import Scene
from tests.schemas.samples import ABSENT, DEBIT, cloud_event, read


def suspense(scene: Scene) -> int:
    """What stands in suspense: credits less debits."""
    return sum(
        leg.amount_minor if leg.side == "credit" else -leg.amount_minor
        for posting in scene.postings
        for leg in posting.legs
        if leg.account == "suspense"
    )


def given_up_twice() -> Scene:
    """Two cards were declined; the first one's charge may still turn up."""
    return declined().send("confirmation_requested").answer("call_declined")


def second_card_held() -> Scene:
    """The first card was declined, the second is held."""
    return declined().send("confirmation_requested").answer("call_succeeded")


def challenge_failed() -> Scene:
    """The customer failed to authenticate, and may try the same charge once more."""
    return returned().answer("call_declined")


# fmt: off
POLICY: Final = [
    # given up how          hours later  status        becomes                   asked of the provider
    (declined,              0,           "authorized", "authorized",             None),
    (declined,              23,          "captured",   "succeeded",              None),
    (declined,              25,          "captured",   "requires_payment_method", "refund"),
    (declined,              25,          "authorized", "requires_payment_method", "void"),
    (unavailable,           1,           "captured",   "succeeded",              None),
    (refused,               1,           "captured",   "succeeded",              None),
    (expired,               1,           "captured",   "succeeded",              None),
    (canceled,              0,           "captured",   "canceled",               "refund"),
    (paid_otherwise,        0,           "captured",   "succeeded",              "refund"),
    (paid_otherwise,        0,           "authorized", "succeeded",              "void"),
]
# fmt: on


@pytest.mark.parametrize(("given_up", "hours", "status", "state", "asked"), POLICY)
def test_a_late_success_is_attached_or_given_back_as_the_policy_says(
    given_up: Callable[[], Scene], hours: int, status: str, state: str, asked: str | None
) -> None:
    scene = given_up()
    calls = len(scene.calls)
    scene.wait(hours=hours).report(status)
    assert scene.payment.state == state
    assert [call.operation for call in scene.calls[calls:]] == ([asked] if asked else [])
    about = "payment.late_success_" + ("reversing" if asked else "attached")
    assert scene.notices == [about] * 2


def test_fraud_is_never_attached() -> None:
    scene = Scene().send("payment_requested").answer("call_declined", reason="stolen_card")
    assert scene.report("captured").calls[-1].operation == "refund"
    assert scene.payment.state == "failed"


def test_an_attached_success_is_booked_like_any_other() -> None:
    scene = declined().report("captured")
    assert [posting.rule for posting in scene.postings] == ["card_captured"]
    assert (scene.payment.captured_minor, scene.payment.fee_minor) == (1999, 75)
    assert scene.payment.provider_reference == "auth_1"


def test_an_attached_hold_ends_by_itself() -> None:
    scene = declined().report("authorized")
    assert scene.payment.capturable_minor == 1999
    assert scene.time_out("authorization_expiry").payment.state == "expired"


def test_what_is_given_back_is_booked_in_and_out() -> None:
    scene = reversing()
    assert suspense(scene) == 1999
    call = scene.calls[-1]
    assert (call.operation, call.amount_minor, call.provider_reference) == ("refund", 1999, "auth_1")
    scene.answer("call_succeeded")
    assert (suspense(scene), scene.payment.state, scene.payment.call_id) == (0, "canceled", None)
    assert [posting.rule for posting in scene.postings] == ["late_success_received", "late_success_returned"]
    assert (scene.payment.captured_minor, scene.payment.fee_minor) == (0, 0)


def test_a_hold_that_is_let_go_of_books_nothing() -> None:
    scene = paid_otherwise().report("authorized").answer("call_succeeded")
    assert [posting.rule for posting in scene.postings] == ["terminal_sale"]
    assert scene.payment.remarks == {"auth_1": "reversed"}


@pytest.mark.parametrize("status", ["authorized", "captured", "failed", "canceled", "pending"])
def test_reports_about_a_charge_that_was_given_back_change_nothing(status: str) -> None:
    scene = reversing().answer("call_succeeded")
    before = scene.payment
    assert scene.report(status, provider_reference="auth_1").outcome == Decision()
    assert scene.payment == before


def test_the_same_report_twice_gives_back_once() -> None:
    scene = reversing()
    scene.report("captured", provider_reference="auth_1", call_id=None)
    assert len([call for call in scene.calls if call.operation == "refund"]) == 1


def test_a_charge_beside_another_is_always_given_back() -> None:
    scene = second_card_held()
    scene.report("captured", provider_reference="auth_0", call_id=scene.calls[0].call_id)
    assert (scene.calls[-1].operation, scene.calls[-1].provider_reference) == ("refund", "auth_0")
    scene.answer("call_succeeded")
    assert (scene.payment.state, scene.payment.provider_reference) == ("authorized", "auth_1")
    assert scene.send("capture_requested").answer("call_succeeded").payment.captured_minor == 500


def test_a_charge_of_another_attempt_waits_until_the_call_under_way_has_ended() -> None:
    scene = declined().send("confirmation_requested")
    scene.report("captured", provider_reference="auth_0", call_id=scene.calls[0].call_id)
    assert scene.waiting.reason is Reason.CALL_IN_PROGRESS


def test_a_challenge_outlives_the_giving_back_of_another_charge() -> None:
    scene = declined().send("confirmation_requested").answer("challenge_required")
    scene.report("captured", provider_reference="auth_0", call_id=scene.calls[0].call_id)
    assert (scene.payment.state, scene.payment.call_operation) == ("requires_action", "refund")
    assert scene.time_out("challenge_expiry").payment.state == "requires_action"
    scene.answer("call_succeeded").time_out("challenge_expiry")
    assert (scene.payment.state, scene.calls[-1].operation) == ("processing", "confirm")


@pytest.mark.parametrize("answer", ["call_declined", "call_failed"])
def test_a_refusal_to_give_back_is_for_a_person_and_stays_in_suspense(answer: str) -> None:
    scene = reversing().answer(answer, reason="provider_refused_request")
    assert (suspense(scene), scene.payment.call_id) == (1999, None)
    assert scene.payment.remarks == {"auth_1": "not_refunded"}
    assert scene.notices[-2:] == ["payment.late_success_not_reversed"] * 2


def test_a_provider_that_is_away_is_asked_again_to_give_back() -> None:
    scene = reversing().answer("call_failed")
    assert (scene.calls[-1].operation, scene.calls[-1].provider_reference) == ("refund", "auth_1")
    assert scene.calls[-1].call_id != scene.calls[-2].call_id
    assert suspense(scene.answer("call_succeeded")) == 0


def test_a_hold_that_was_captured_before_it_could_be_let_go_of_is_refunded() -> None:
    scene = paid_otherwise().report("authorized")
    assert scene.report("captured", call_id=None).waiting.reason is Reason.CALL_IN_PROGRESS
    scene.answer("call_declined", reason="processing_declined").report("captured", call_id=None)
    assert (scene.calls[-1].operation, suspense(scene)) == ("refund", 1999)
    assert suspense(scene.answer("call_succeeded")) == 0


def test_the_refund_of_a_late_success_is_known_by_its_id() -> None:
    scene = reversing()
    assert is_reversal(scene.payment, scene.calls[-1].object_id)
    assert not is_reversal(scene.payment, scene.payment.payment_id)
    assert not is_reversal(scene.payment, None)


def reversal_reported(scene: Scene, status: str) -> Decision:
    """The decision about a webhook on the refund of a late success."""
    told = cloud_event(
        "webhook.refund_reported.v1",
        data__status=status,
        data__amount_minor=1999,
        data__refund_id=str(scene.calls[-1].object_id),
    )
    message = read("webhook.events", json.dumps(told).encode())
    return late_refund_reported(scene.payment, message, scene.now)  # type: ignore[arg-type]  # the topic's union


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_a_report_that_it_is_given_back_is_no_news(status: str) -> None:
    assert reversal_reported(reversing().answer("call_succeeded"), status) == Decision()


def test_a_refund_of_a_late_success_that_comes_back_is_in_suspense_again_once() -> None:
    scene = reversing().answer("call_pending")
    assert suspense(scene) == 0
    scene.settle(reversal_reported(scene, "failed"))
    assert (suspense(scene), scene.payment.remarks) == (1999, {"auth_1": "not_refunded"})
    assert scene.notices[-1] == "payment.late_success_not_reversed"
    assert reversal_reported(scene, "failed") == Decision()


def test_an_answer_that_says_success_after_a_webhook_said_failure_is_a_late_success() -> None:
    scene = declined()
    scene.answer("call_succeeded", call_id=scene.calls[0].call_id, captured=True, amount_minor=1999)
    assert scene.payment.state == "succeeded"


def test_an_answer_to_a_call_that_was_never_made_is_stale() -> None:
    assert declined().answer("call_succeeded").rejection.reason is Reason.CALL_STALE


def test_a_debit_paid_in_cash_meanwhile_is_given_back_when_it_arrives() -> None:
    scene = pending().send("payment_recorded")
    scene.report("captured", call_id=scene.calls[0].call_id)
    assert (scene.payment.state, scene.calls[-1].operation, suspense(scene)) == ("succeeded", "refund", 1999)


def test_a_partial_late_success_is_not_attached() -> None:
    scene = given_up_twice()
    scene.report("captured", call_id=scene.calls[0].call_id, captured_minor=500, authorized_minor=500)
    assert (scene.payment.state, scene.calls[-1].operation) == ("requires_payment_method", "refund")
    assert scene.calls[-1].amount_minor == 500


@pytest.mark.parametrize("instead", ["payment_recorded", "payment_deferred", "confirmation_requested"])
def test_a_known_charge_that_was_left_for_another_is_given_back_whatever_its_amount(instead: str) -> None:
    scene = challenge_failed().send(instead)
    if instead == "confirmation_requested":
        scene.answer("call_succeeded", provider_reference="auth_2")
    scene.report("captured", provider_reference="auth_1", authorized_minor=500, captured_minor=500)
    assert (scene.calls[-1].operation, scene.calls[-1].amount_minor, suspense(scene)) == ("refund", 500, 500)
    assert suspense(scene.answer("call_succeeded")) == 0


def test_a_partial_hold_that_expired_and_is_captured_after_the_order_was_paid_otherwise_is_given_back() -> (
    None
):
    scene = processing().answer("call_succeeded", amount_minor=500).time_out("authorization_expiry")
    scene.send("payment_recorded")
    scene.report("captured", provider_reference="auth_1", authorized_minor=500, captured_minor=500)
    assert (scene.calls[-1].operation, suspense(scene)) == ("refund", 500)
    assert suspense(scene.answer("call_succeeded")) == 0


def test_what_is_said_again_of_a_hold_that_ended_is_no_news_after_the_order_was_paid_otherwise() -> None:
    scene = expired().send("payment_recorded")
    assert scene.report("authorized", provider_reference="auth_1").outcome == Decision()


def test_what_is_said_again_of_a_hold_that_ended_does_not_take_the_place_of_one_that_came_after_it() -> None:
    scene = expired()
    answered = scene.calls[-1].call_id
    scene.report("authorized", provider_reference="auth_0").time_out("authorization_expiry")
    assert (scene.payment.state, scene.payment.provider_reference) == ("expired", "auth_0")
    assert scene.report("authorized", provider_reference="auth_1").outcome == Decision()
    scene.answer("call_succeeded", operation="authorize", call_id=answered)
    assert scene.rejection.reason is Reason.CALL_STALE
    scene.report("captured", provider_reference="auth_1")
    assert (scene.payment.state, scene.calls[-1].operation) == ("expired", "refund")


def test_after_attempts_by_different_methods_a_late_charge_may_be_of_either_and_is_given_back() -> None:
    scene = Scene().send("payment_requested", capture_method="automatic").answer("call_declined")
    scene.send("confirmation_requested", payment_method=DEBIT).answer("call_declined")
    scene.report("captured", provider_reference="auth_0")
    assert (scene.payment.state, scene.calls[-1].operation) == ("requires_payment_method", "refund")
    assert [posting.rule for posting in scene.postings] == ["late_success_received"]


def test_after_attempts_by_different_methods_the_charge_of_the_last_one_is_attached() -> None:
    scene = debiting().answer("call_declined").send("confirmation_requested").answer("challenge_required")
    scene.send("challenge_completed").answer("call_declined").report("captured")
    assert (scene.payment.state, scene.payment.method) == ("succeeded", "card")
    assert [posting.rule for posting in scene.postings] == ["card_captured"]


def test_a_first_attempt_s_charge_has_the_amount_of_then_when_the_second_one_s_hold_was_increased() -> None:
    scene = second_card_held().send("authorization_increase_requested").answer("call_succeeded")
    assert scene.payment.amount_minor > 1999
    scene.report("captured", provider_reference="auth_0", authorized_minor=1999, captured_minor=1999)
    assert (scene.calls[-1].operation, scene.calls[-1].amount_minor, suspense(scene)) == (
        "refund",
        1999,
        1999,
    )
    scene.answer("call_succeeded")
    assert (scene.payment.state, suspense(scene)) == ("authorized", 0)


def test_a_known_charge_that_was_left_for_another_attempt_is_attached_when_that_failed_too() -> None:
    scene = challenge_failed().send("confirmation_requested").answer("call_declined")
    scene.report("authorized", provider_reference="auth_1")
    assert (scene.payment.state, scene.payment.provider_reference) == ("authorized", "auth_1")
    scene.send("capture_requested", amount_minor=ABSENT, final=True)
    assert scene.report("captured").payment.state == "succeeded"


def test_nothing_is_given_back_of_the_payment_s_own_money() -> None:
    scene = authorized().report("captured")
    assert scene.report("captured").outcome == Decision()
    assert all(call.operation == "authorize" for call in scene.calls)


def test_a_report_that_its_refund_failed_may_be_faster_than_the_answer() -> None:
    scene = reversing()
    scene.settle(reversal_reported(scene, "failed"))
    assert (suspense(scene), scene.payment.remarks) == (1999, {"auth_1": "not_refunded"})
    call = scene.calls[-1]
    scene.answer("call_pending", call_id=call.call_id, object_id=call.object_id)
    assert (scene.rejection.reason, suspense(scene)) == (Reason.CALL_STALE, 1999)
