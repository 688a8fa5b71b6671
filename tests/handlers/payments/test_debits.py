"""Bank debits: pending for days, booked when the bank says so, and taken back when it thinks better of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import ValidationError

from handlers.decision import Decision
from handlers.payments.policy import LONGEST_PENDING_CHECK, PENDING_DEADLINE
from schemas.reasons import Reason
from tests.handlers.payments.situations import checking, debited, debiting, declined, pending, returned_debit
from tests.handlers.scene import NOW, Scene
from tests.schemas.samples import DEBIT


def balances(scene: Scene) -> dict[str, int]:
    """Debits less credits of every account that is not even."""
    sums: dict[str, int] = {}
    for posting in scene.postings:
        for leg in posting.legs:
            signed = leg.amount_minor if leg.side == "debit" else -leg.amount_minor
            sums[leg.account] = sums.get(leg.account, 0) + signed
    return {account: amount for account, amount in sums.items() if amount}


def test_a_debit_is_asked_for_with_its_mandate_and_taken_at_once() -> None:
    (call,) = debiting().calls
    assert (call.method_type, call.token, call.capture) == ("bank_debit", "tok_debit_approve", True)
    assert debiting().payment.method_network is None


def test_a_pending_debit_is_settling_and_books_nothing() -> None:
    scene = pending()
    assert (scene.payment.state, scene.payment.call_id, scene.postings) == ("settling", None, [])
    assert scene.payment.state_ends_at == NOW + PENDING_DEADLINE
    assert scene.events[-1].type == "payment.settling.v1"


def test_a_debit_that_went_through_is_owed_by_the_provider_and_may_come_back() -> None:
    scene = debited()
    assert balances(scene) == {
        "debit_receivable": 1999,
        "merchant_payable": -1924,
        "platform_fee_revenue": -75,
    }
    assert scene.postings[0].rule == "debit_collected"
    assert (scene.payment.state, scene.payment.refundable_minor) == ("succeeded", 1999)


@pytest.mark.parametrize("how", ["report", "answer"])
@pytest.mark.parametrize(
    ("reason", "state"),
    [("insufficient_funds", "requires_payment_method"), ("suspected_fraud", "failed")],
)
def test_a_debit_that_fails_asks_for_another_method_or_ends(how: str, reason: str, state: str) -> None:
    scene = (
        pending().report("failed", reason=reason)
        if how == "report"
        else checking().answer("call_declined", reason=reason)
    )
    assert (scene.payment.state, scene.payment.reason, scene.postings) == (state, reason, [])


def test_after_a_debit_that_failed_the_customer_can_pay_by_card() -> None:
    scene = pending().report("failed").send("confirmation_requested").answer("call_succeeded", captured=True)
    assert [posting.rule for posting in scene.postings] == ["card_captured"]
    assert scene.payment.method == "card"


def test_the_bank_is_asked_after_an_hour_then_ever_more_rarely_until_a_person_is() -> None:
    scene = pending()
    waits = []
    while scene.payment.certain:
        before = scene.now
        scene.time_out("pending_check").answer("call_pending")
        waits.append(scene.now - before)
    assert waits[:6] == [timedelta(hours=hours) for hours in (1, 1, 2, 4, 8, 16)]
    assert max(waits) == LONGEST_PENDING_CHECK
    assert scene.now - NOW >= PENDING_DEADLINE
    assert (scene.payment.state, scene.notices) == ("settling", ["payment.outcome_undecided"])
    assert scene.report("captured").payment.state == "succeeded"


@pytest.mark.parametrize("answer", ["call_pending", "call_failed"])
def test_while_the_bank_says_nothing_the_debit_goes_on_settling(answer: str) -> None:
    scene = checking().answer(answer)
    assert (scene.payment.state, scene.payment.call_id, scene.timers[-1].kind) == (
        "settling",
        None,
        "pending_check",
    )


def test_a_debit_that_the_bank_took_back_is_reversed_and_has_failed() -> None:
    scene = returned_debit()
    assert balances(scene) == {}
    assert [posting.rule for posting in scene.postings] == ["debit_collected", "debit_returned"]
    assert scene.postings[1].effective_at == scene.now
    payment = scene.payment
    assert (payment.state, payment.reason) == ("failed", Reason.RETURNED_BY_BANK)
    assert (payment.captured_minor, payment.fee_minor, payment.refundable_minor) == (0, 0, 0)
    assert scene.notices == ["payment.returned"] * 2


@pytest.mark.parametrize("status", ["failed", "captured", "pending", "authorized"])
def test_reports_about_a_returned_debit_change_nothing(status: str) -> None:
    scene = returned_debit()
    assert scene.report(status).outcome == Decision()
    assert len(scene.postings) == 2


def test_an_order_whose_debit_came_back_can_be_paid_otherwise() -> None:
    scene = returned_debit().send("payment_recorded")
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert balances(scene)["merchant_payable"] == -1924


# fmt: off
GIVEN_BACK: Final = [
    {"refunding_minor": 500},
    {"refunded_minor": 500},
    {"disputed_minor": 1999},
]
# fmt: on


@pytest.mark.parametrize("meanwhile", GIVEN_BACK)
def test_a_return_of_what_was_given_back_already_stands_in_suspense_for_a_person(
    meanwhile: dict[str, Any],
) -> None:
    scene = debited().having(**meanwhile)
    scene.report("failed", reason="returned_by_bank")
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert balances(scene) == {"suspense": 1999, "merchant_payable": -1924, "platform_fee_revenue": -75}
    assert scene.notices == ["payment.returned_unapplied"] * 2
    assert scene.report("failed", reason="returned_by_bank").outcome == Decision()


def test_a_debit_cannot_wait_for_a_capture() -> None:
    with pytest.raises(ValidationError, match="a bank_debit is taken at once"):
        Scene().send("payment_requested", capture_method="manual", payment_method=DEBIT)
    scene = declined().send("confirmation_requested", payment_method=DEBIT)
    assert scene.rejection.reason is Reason.CARD_NOT_SUPPORTED
    assert "taken at once" in scene.rejection.detail


def test_a_shop_cannot_say_that_a_debit_was_not_collected() -> None:
    scene = pending().send("payment_not_collected")
    assert scene.rejection.reason is Reason.STATE_FORBIDS
    assert "which decides" in scene.rejection.detail
