"""What the provider says, by answer or by webhook: late, twice, out of order, or of refunds that nobody asked for."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations

import pytest

from handlers.decision import Decision
from handlers.payments.model import derived_id
from handlers.payments.remarks import REVERSED, REVERSING
from handlers.payments.rules.strays import reversal_id_of
from schemas.reasons import Reason
from tests.handlers.refunds.scene import ORDER, Scene, authorized, found_id, paid
from tests.handlers.refunds.situations import pending, submitted, succeeded, unknown
from tests.handlers.refunds.test_matrix import agrees


def test_not_knowing_is_said_and_after_a_day_to_a_person() -> None:
    scene = unknown()
    assert (scene.of().state, scene.of().certain, scene.told()[-1]) == (
        "submitted", False, "refund.outcome_unknown.v1"
    )  # fmt: skip
    began = scene.now
    scene.time_out("refund_check")
    assert (scene.told()[-1], scene.now - began) == (
        "refund.outcome_unknown to operations", timedelta(days=1)
    )  # fmt: skip
    assert scene.answer("call_succeeded").of().state == "succeeded"
    assert scene.of().certain


def test_a_deadline_whose_outcome_is_known_means_nothing() -> None:
    scene = unknown().answer("call_succeeded").time_out("refund_check")
    assert scene.outcome == Decision()


def test_a_refund_that_pends_is_asked_about_with_growing_pauses_until_a_person_is_told() -> None:
    scene, asked_at = pending(), []
    began = scene.now
    while "refund.pending_too_long to operations" not in scene.told():
        scene.time_out("refund_check")
        asked_at.append(scene.now - began)
        if scene.of().call_id is not None:
            call = scene.calls[-1]
            assert (call.operation, call.object_reference) == ("confirm_refund", "re_r-1")
            scene.answer("call_pending")
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert asked_at[0] == timedelta(hours=1)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(days=1)
    assert timedelta(days=14) <= asked_at[-1] < timedelta(days=15)
    assert scene.of().state == "pending"
    timers = len(scene.timers)
    assert scene.report("succeeded", after=10**6).of().state == "succeeded"
    assert len(scene.timers) == timers


def test_the_webhook_before_the_answer_settles_it_and_the_answer_closes_the_call() -> None:
    scene = submitted().report("succeeded")
    entries = len(scene.postings)
    assert (scene.of().state, scene.of().call_id) == ("succeeded", scene.calls[-1].call_id)
    scene.answer("call_succeeded")
    assert (scene.of().call_id, len(scene.postings)) == (None, entries)


@pytest.mark.parametrize("answer", ["call_declined", "call_failed", "call_pending", "call_succeeded"])
@pytest.mark.parametrize(("status", "state"), [("succeeded", "succeeded"), ("failed", "failed")])
def test_an_answer_that_a_report_overtook_changes_nothing_but_the_call(
    answer: str, status: str, state: str
) -> None:
    scene = submitted().report(status)
    before = (scene.balances(), scene.payment.refunded_minor)
    scene.answer(answer)
    assert (scene.of().state, scene.of().call_id) == (state, None)
    assert (scene.balances(), scene.payment.refunded_minor) == before


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize(
    ("life", "end"),
    [(("pending", "succeeded", "succeeded"), "succeeded"), (("pending", "succeeded", "failed"), "failed"),
     (("pending", "failed", "failed"), "failed")],
    ids=["arrived", "returned", "failed"],
)  # fmt: skip
def test_reports_in_any_order_and_twice_end_the_same(
    life: tuple[str, str, str], end: str, order: tuple[int, int, int]
) -> None:
    scene, straight = submitted(), submitted()
    for place in (*order, *order):
        scene.report(life[place], after=place)
        agrees(scene)
    for place in range(3):
        straight.report(life[place], after=place)
    assert scene.of().state == end
    assert scene.balances() == straight.balances()
    assert (scene.payment.refunded_minor, scene.payment.state) == (
        straight.payment.refunded_minor, straight.payment.state
    )  # fmt: skip


def test_in_one_second_a_return_is_the_later_word() -> None:
    assert succeeded().report("succeeded").report("failed").of().state == "failed"
    scene = succeeded().report("failed").report("succeeded")
    assert scene.rejection.reason is Reason.REPORT_OUTDATED
    assert scene.of().state == "failed"


def test_what_came_back_is_the_merchant_s_again_and_the_payment_is_what_it_was() -> None:
    scene = paid().refund(500, "r-1").refund(600, "r-2").answer("call_succeeded", "r-1")
    scene.answer("call_succeeded", "r-2").report("failed", "r-2", after=60)
    assert (scene.payment.state, scene.payment.refunded_minor) == ("partially_refunded", 500)
    assert scene.of("r-2").reason is Reason.REFUND_RETURNED
    scene.report("failed", after=60)
    assert (scene.payment.state, scene.payment.refunded_minor) == ("succeeded", 0)
    assert scene.balances() == paid().balances()
    rules = [posting.rule for posting in scene.postings]
    assert rules[-2:] == ["refund_returned_card", "refund_failed"]


def test_a_late_success_is_recognized_when_there_is_room() -> None:
    scene = submitted().answer("call_failed").report("succeeded", after=60)
    assert (scene.of().state, scene.payment.refunded_minor) == ("succeeded", 500)
    agrees(scene)


def test_a_late_success_without_room_is_in_suspense_and_a_person_is_told() -> None:
    scene = submitted().answer("call_failed").refund(1700, "again", role="manager")
    scene.report("succeeded", after=60)
    assert (scene.of().state, scene.of().suspense_minor, scene.payment.refunded_minor) == (
        "succeeded",
        201,
        299,
    )
    assert scene.balances()["suspense"] == 201
    assert "refund.above_captured to operations" in scene.told()
    agrees(scene)
    scene.report("failed", after=120)
    assert "suspense" not in scene.balances()
    agrees(scene)


# ------------------------------------------------------------------ made in the provider's console


@pytest.mark.parametrize("statuses", [("succeeded",), ("pending", "succeeded"), ("succeeded", "pending")])
def test_a_refund_made_in_the_console_is_recorded_and_booked(statuses: tuple[str, ...]) -> None:
    scene = paid()
    for after, status in enumerate(statuses):
        scene.report(status, None, after=after)
    (refund,) = scene.refunds
    assert (refund.object_id, refund.refund_id, refund.state) == (found_id(), "re_console", "succeeded")
    assert (refund.cause, refund.requested_by, refund.fee_returned_minor) == (
        "made_at_provider", "provider:sandbox", 0
    )  # fmt: skip
    assert (scene.payment.state, scene.payment.refunded_minor) == ("partially_refunded", 300)
    agrees(scene)


def test_one_that_failed_has_moved_nothing_also_when_its_success_is_told_later() -> None:
    scene = paid().report("failed", None, after=1)
    assert (scene.of("re_console").state, scene.payment.refunded_minor) == ("failed", 0)
    assert scene.report("succeeded", None).rejection.reason is Reason.REPORT_OUTDATED
    assert scene.report("pending", None).rejection.reason is Reason.REPORT_OUTDATED
    assert not any(posting.object_type == "refund" for posting in scene.postings)


@pytest.mark.parametrize("first", ["pending", "succeeded"])
def test_one_above_what_was_captured_is_partly_in_suspense(first: str) -> None:
    scene = paid(1000).refund(800).report(first, None)
    scene.report("succeeded", None, after=1)
    (found,) = (refund for refund in scene.refunds if refund.refund_id == "re_console")
    assert (found.state, found.amount_minor, found.suspense_minor) == ("succeeded", 300, 100)
    assert scene.balances()["suspense"] == 100
    agrees(scene)
    scene.answer("call_succeeded")
    assert (scene.payment.state, scene.payment.refunded_minor) == ("refunded", 1000)


def test_one_of_a_payment_that_has_captured_nothing_is_all_in_suspense() -> None:
    scene = authorized().report("succeeded", None)
    (refund,) = scene.refunds
    assert (refund.suspense_minor, scene.payment.state, scene.balances()["suspense"]) == (
        300,
        "authorized",
        300,
    )
    assert "refund_clearing" not in scene.balances()


# ------------------------------------------------------------------ about something else

# fmt: off
OTHERS = [
    # what is different,                                                        why it is not believed
    ({"provider": "stripe"},                                                    Reason.PROVIDER_OBJECT_UNKNOWN),
    ({"currency": "USD"},                                                       Reason.CURRENCY_DIFFERS),
    ({"amount_minor": 499},                                                     Reason.AMOUNT_DIFFERS),
    ({"amount_minor": 0},                                                       Reason.AMOUNT_DIFFERS),
    ({"order_id": None},                                                        Reason.INVALID_MESSAGE),
]
# fmt: on


@pytest.mark.parametrize(("difference", "reason"), OTHERS)
def test_a_report_that_contradicts_what_it_names_is_refused(
    difference: dict[str, object], reason: Reason
) -> None:
    scene = submitted().report("succeeded", **difference)  # type: ignore[arg-type]
    assert scene.rejection.reason is reason
    assert scene.of().state == "submitted"


def test_a_report_under_another_of_the_provider_s_names_is_about_another_refund() -> None:
    scene = pending().report("succeeded", refund_reference="re_other")
    assert scene.rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN


def test_a_report_about_another_charge_of_the_order_is_not_about_this_one() -> None:
    scene = paid().report("succeeded", None, order_id=ORDER, provider_reference="auth_other")
    assert scene.rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN
    assert (scene.refunds, scene.payment.refunded_minor) == ([], 0)


def test_what_a_payment_gives_back_of_a_late_success_is_the_payment_s_own_affair() -> None:
    scene = paid()
    number = scene.payment.calls + 1
    call_id = derived_id(scene.payment.payment_id, "call", number)
    reversal_id = reversal_id_of(scene.payment.payment_id, number)
    scene.become(
        call_id=call_id,
        call_operation="refund",
        call_amount_minor=300,
        calls=number,
        remarks={"auth_9": REVERSING},
    )
    scene.send("refund_reported", refund_id=reversal_id, provider_reference="auth_9")
    assert scene.outcome == Decision()
    scene.send(
        "call_succeeded",
        call_id=call_id,
        payment_id=scene.payment.payment_id,
        object_id=reversal_id,
        operation="refund",
        amount_minor=300,
    )
    assert (scene.payment.call_id, scene.payment.remarks, scene.refunds) == (None, {"auth_9": REVERSED}, [])
    assert scene.postings[-1].object_type == "payment"


def test_a_report_waits_for_its_payment_or_names_none() -> None:
    nothing = {"order_id": None, "refund_id": None}
    scene = Scene().send("refund_reported", **nothing)
    assert (scene.waiting.reason, scene.waiting.kind) == (Reason.PROVIDER_OBJECT_UNKNOWN, "payment")
    scene = Scene().send("refund_reported", **nothing, provider_reference=None)
    assert scene.rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN


def test_a_provider_that_gave_back_another_amount_is_not_believed() -> None:
    scene = submitted().answer("call_succeeded", amount_minor=499)
    assert scene.rejection.reason is Reason.AMOUNT_DIFFERS
    assert scene.of().state == "submitted"
