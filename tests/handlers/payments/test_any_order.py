"""Reports that come late, early or without the name of their call, about charges of several attempts."""

from __future__ import annotations

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.payments.situations import canceling_challenge, declined
from tests.handlers.scene import Scene


def test_a_customer_who_is_let_through_after_a_failure_and_a_cancellation_gets_the_money_back() -> None:
    scene = canceling_challenge().report("failed", call_id=None)
    assert scene.payment.state == "canceled"
    scene.report("captured", call_id=None)
    assert (scene.calls[-1].operation, scene.payment.state) == ("refund", "canceled")


def test_a_hold_that_is_gone_is_not_attached_by_an_older_report() -> None:
    scene = declined().report("canceled", call_id=None)
    assert scene.report("authorized", call_id=None).outcome == Decision()
    assert scene.payment.state == "requires_payment_method"


def test_a_charge_of_no_name_is_not_taken_for_the_second_attempt_s() -> None:
    scene: Scene = declined().send("confirmation_requested")
    scene.report("captured", provider_reference="auth_of_the_first", call_id=None)
    assert scene.waiting.reason is Reason.CALL_IN_PROGRESS
