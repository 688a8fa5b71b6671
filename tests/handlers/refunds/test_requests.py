"""What may be given back, how it goes, and what is refused with which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from handlers.decision import Audit
from handlers.payments.model import Payment
from schemas.reasons import Reason
from tests.handlers.refunds.scene import Scene, authorized, paid, paid_in_cash, unpaid
from tests.schemas.samples import ABSENT

CARD_LEGS: Final = [
    [
        ("debit", "merchant_payable", 482),
        ("debit", "platform_fee_revenue", 18),
        ("credit", "refund_clearing", 500),
    ],
    [("debit", "refund_clearing", 500), ("credit", "processor_receivable", 500)],
]


def legs(scene: Scene) -> list[list[tuple[str, str, int]]]:
    """The entries of refunds so far."""
    return [
        [(leg.side, leg.account, leg.amount_minor) for leg in posting.legs]
        for posting in scene.postings
        if posting.object_type == "refund"
    ]


def test_a_refund_goes_through_clearing_and_takes_its_share_of_the_fee_along() -> None:
    scene = paid().refund(500)
    assert legs(scene) == CARD_LEGS[:1]
    scene.answer("call_succeeded")
    assert legs(scene) == CARD_LEGS
    assert [posting.rule for posting in scene.postings[1:]] == ["refund_submitted", "refund_paid_card"]


def test_the_provider_is_asked_for_the_refund_under_an_id_of_its_own() -> None:
    scene = paid().refund(500, "r-1").refund(600, "r-2")
    first, second = (call for call in scene.calls if call.operation == "refund")
    assert (first.amount_minor, first.provider_reference, first.object_id) == (
        500,
        "auth_1",
        scene.of().object_id,
    )
    assert (second.amount_minor, second.object_id) == (600, scene.of("r-2").object_id)
    assert first.call_id != second.call_id


def test_without_an_amount_all_that_is_left_goes_back() -> None:
    scene = paid().refund(500, "r-1").refund(refund_id="r-2", role="manager")
    assert scene.of("r-2").amount_minor == 1499
    scene.answer("call_succeeded", "r-2").answer("call_succeeded", "r-1")
    assert (scene.payment.state, scene.payment.refundable_minor) == ("refunded", 0)
    assert scene.balances() == {}, "all of it went back, the fee too"


def test_every_event_says_what_is_left() -> None:
    scene = paid().refund(500).answer("call_succeeded")
    left = [event.data.refundable_minor for event in scene.events if event.type.startswith("refund.")]
    assert left == [1499, 1499, 1499]


def test_service_credit_is_there_at_once() -> None:
    scene = paid().refund(500, destination="service_credit")
    assert (scene.of().state, scene.payment.state, scene.payment.refunded_minor) == (
        "succeeded", "partially_refunded", 500
    )  # fmt: skip
    assert [call.operation for call in scene.calls] == ["authorize"]
    assert legs(scene) == [
        CARD_LEGS[0],
        [("debit", "refund_clearing", 500), ("credit", "customer_credit", 500)],
    ]
    assert scene.postings[-1].legs[-1].owner == "cus_7"


def test_goodwill_costs_the_platform_and_not_the_merchant() -> None:
    scene = paid().refund(500, cause="goodwill").answer("call_succeeded")
    assert scene.balances()["goodwill_expense"] == 500
    assert (scene.balances()["merchant_payable"], scene.of().fee_returned_minor) == (-1924, 0)
    scene.report("failed", after=60)
    assert "goodwill_expense" not in scene.balances()


def test_a_platform_that_keeps_its_fee_keeps_it() -> None:
    scene = paid(fees="keep").refund(500).answer("call_succeeded")
    assert (scene.balances()["platform_fee_revenue"], scene.balances()["merchant_payable"]) == (-75, -1424)


def test_cash_is_handed_out_by_people_who_are_told_and_who_tell() -> None:
    scene = paid_in_cash().refund(500)
    assert (scene.of().state, scene.calls, scene.told()[-1]) == (
        "submitted", [], "refund.hand_out to merchant"
    )  # fmt: skip
    scene.send("refund_recorded")
    assert (scene.of().state, scene.balances()["terminal_receivable"]) == ("succeeded", 1499)


def test_what_a_provider_was_asked_for_nobody_hands_out() -> None:
    scene = paid().refund(500).send("refund_recorded")
    assert scene.rejection.reason is Reason.STATE_FORBIDS
    assert "asked of sandbox" in scene.rejection.detail


# ------------------------------------------------------------------ not captured yet


def test_what_is_only_held_is_let_go_instead_and_nobody_has_to_agree() -> None:
    scene = authorized(lines=[]).refund()
    assert (scene.of().state, scene.of().amount_minor, scene.calls[-1].operation) == (
        "canceled",
        1999,
        "void",
    )
    assert scene.told() == ["refund.requested.v1", "refund.canceled.v1"]
    assert (scene.payment.call_operation, scene.payment.refunding_minor, scene.postings) == ("void", 0, [])


def test_a_part_of_what_is_only_held_cannot_be_let_go() -> None:
    scene = authorized().refund(500)
    assert scene.rejection.reason is Reason.STATE_FORBIDS
    assert scene.rejection.detail == (
        "amount_minor 500: nothing is captured yet, so that only all of it, 1999, can be let go; capture less instead"
    )


def test_while_captures_may_follow_nothing_is_given_back() -> None:
    scene = authorized().send("capture_requested", amount_minor=500, final=False)
    call = scene.calls[-1]
    assert scene.refund(500, "early").waiting.reason is Reason.CALL_IN_PROGRESS
    scene.send(
        "call_succeeded", call_id=call.call_id, operation="capture", amount_minor=500, captured=True
    ).refund(100)
    assert scene.rejection.reason is Reason.STATE_FORBIDS
    assert scene.rejection.detail.endswith("is captured, which allows no refund; complete the capture first")


# ------------------------------------------------------------------ refused

REFUSED: Final = [
    # the scene, what is asked for, why not, in which words
    (
        paid,
        {"amount_minor": 2000},
        Reason.AMOUNT_ABOVE_REFUNDABLE,
        "amount_minor 2000 is above what may be refunded, 1999",
    ),
    (
        lambda: paid().refund(500, "first"),
        {"amount_minor": 1500},
        Reason.AMOUNT_ABOVE_REFUNDABLE,
        "amount_minor 1500 is above what may be refunded, 1499",
    ),
    (
        lambda: paid().refund(role="finance", refund_id="first"),
        {},
        Reason.AMOUNT_ABOVE_REFUNDABLE,
        "amount_minor: nothing is left of what may be refunded, 0",
    ),
    (
        lambda: paid().dispute(state="chargeback_lost", disputed_minor=1500),
        {"amount_minor": 500},
        Reason.AMOUNT_ABOVE_REFUNDABLE,
        "amount_minor 500 is above what may be refunded, 499",
    ),
    (lambda: paid().dispute(), {"amount_minor": 500}, Reason.DISPUTE_OPEN, "has a dispute open over 1999"),
    (
        lambda: paid().refund(500),
        {"amount_minor": 1},
        Reason.REFUND_ID_REUSED,
        "refund_id r-1 of order order-1 is submitted",
    ),
    (paid, {"customer_id": "cus_8"}, Reason.INVALID_MESSAGE, "customer_id cus_8: payment"),
    (paid, {"customer_id": ABSENT}, Reason.INVALID_MESSAGE, "customer_id None: payment"),
    (
        lambda: paid(service_credit=False),
        {"destination": "service_credit"},
        Reason.DESTINATION_NOT_ALLOWED,
        "destination service_credit: policy 1 allows only original_method",
    ),
    (
        lambda: unpaid().send("payment_deferred"),
        {"amount_minor": 500},
        Reason.STATE_FORBIDS,
        "is settling, which allows no refund",
    ),
]


@pytest.mark.parametrize(("scene", "asked", "reason", "told"), REFUSED)
def test_what_may_not_be_is_refused_with_its_reason(
    scene: Callable[[], Scene], asked: dict[str, object], reason: Reason, told: str
) -> None:
    before = scene()
    known = (before.payment, len(before.refunds), before.counted("customer:cus_7"))
    before.refund(**asked)  # type: ignore[arg-type]
    assert before.rejection.reason is reason
    assert told in before.rejection.detail
    assert (before.payment, len(before.refunds), before.counted("customer:cus_7")) == known


def test_nobody_without_a_name_gets_service_credit() -> None:
    scene = unpaid().send("payment_recorded", customer_id=ABSENT)
    assert scene.payment.customer_id is None
    scene.refund(500, destination="service_credit")
    assert scene.rejection.reason is Reason.DESTINATION_NOT_ALLOWED
    scene.refund(500, "r-2").send("refund_recorded", refund_id="r-2")
    assert scene.told()[-1] == "refund.succeeded to merchant"


def test_what_is_not_there_yet_is_waited_for() -> None:
    assert unpaid().send("refund_requested").waiting.reason is Reason.PAYMENT_UNKNOWN
    scene = Scene().send("payment_recorded").refund(500)
    assert (scene.waiting.reason, scene.waiting.kind) == (Reason.POLICY_MISSING, "refund_policy")


def test_what_a_person_does_is_written_down_and_what_a_program_does_is_not() -> None:
    scene = paid().refund(500, note="broken on arrival").refund(100, "r-2", role="system")
    mine = [audit for audit in scene.audit if audit.object_type == "refund"]
    assert mine == [
        Audit(
            "ada",
            "refund.requested",
            "refund",
            str(scene.of().object_id),
            "500 EUR of order order-1, as support: broken on arrival",
        )
    ]


def test_the_payment_is_the_one_row_that_guards_its_money() -> None:
    scene = paid(1000)
    for number in range(50):
        scene.refund(100, f"r-{number}")
    assert (len(scene.refunds), scene.payment.refunding_minor, scene.payment.refundable_minor) == (
        10,
        1000,
        0,
    )
    assert isinstance(scene.payment, Payment)
