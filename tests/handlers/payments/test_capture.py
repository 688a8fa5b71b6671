"""Captures: booked when the provider says so, in parts or whole, never more than is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    authorized,
    captured,
    capturing,
    capturing_more,
    selling,
    voiding,
)
from tests.handlers.scene import NOW, Scene
from tests.schemas.samples import ABSENT


def booked(scene: Scene) -> list[list[tuple[str, str, str, int]]]:
    """The legs of every entry so far."""
    return [
        [(leg.side, leg.account, leg.owner, leg.amount_minor) for leg in posting.legs]
        for posting in scene.postings
    ]


def test_an_automatic_capture_is_one_entry_and_two_events() -> None:
    scene = selling().answer("call_succeeded")
    assert [event.type for event in scene.events[-2:]] == ["payment.captured.v1", "payment.succeeded.v1"]
    assert booked(scene) == [
        [
            ("debit", "processor_receivable", "sandbox", 1999),
            ("credit", "merchant_payable", "shoes", 1924),
            ("credit", "platform_fee_revenue", "acme", 75),
        ]
    ]
    (posting,) = scene.postings
    assert (posting.rule, posting.object_type) == ("card_captured", "payment")
    assert (posting.object_id, posting.effective_at) == (str(scene.payment.payment_id), NOW)


def test_nothing_is_booked_while_money_is_only_held() -> None:
    assert authorized().postings == capturing().postings == voiding().postings == []


# fmt: off
PARTS: Final = [
    # amounts captured (1999 EUR cents are held), the fee that each is charged; 2.5 % and 25 once
    ([1999],                 [75]),
    ([500, 500, 999],        [37, 13, 25]),            # 2.5 % so far: 12.5, 25, 49.975
    ([1, 1, 1, 1996],        [1, 1, 1, 72]),           # while it is less than the fixed part, it is all fee
    ([40, 1959],             [26, 49]),
]
# fmt: on


@pytest.mark.parametrize(("amounts", "fees"), PARTS)
def test_parts_are_charged_what_the_whole_is(amounts: list[int], fees: list[int]) -> None:
    scene = authorized()
    for amount_minor in amounts:
        scene.send("capture_requested", amount_minor=amount_minor, final=False).answer("call_succeeded")
    charged = [
        sum(leg.amount_minor for leg in posting.legs[1:] if "fee" in leg.account)
        for posting in scene.postings
    ]
    assert charged == fees
    assert (scene.payment.fee_minor, sum(charged)) == (75, 75)
    assert scene.payment.state == "succeeded"


# fmt: off
ASKED: Final = [
    # asked for, final, the call's amount and finality; 1999 are held
    (ABSENT, True,  1999, True),
    (ABSENT, False, 1999, True),                       # all that is left is final, whatever was said
    (1999,   False, 1999, True),
    (500,    True,  500,  True),
    (500,    False, 500,  False),
    (1,      False, 1,    False),
]
# fmt: on


@pytest.mark.parametrize(("amount", "final", "asked_minor", "asked_final"), ASKED)
def test_the_provider_is_asked_for_what_was_said_or_for_all_that_is_left(
    amount: object,
    final: bool,  # noqa: FBT001 - a column
    asked_minor: int,
    asked_final: bool,  # noqa: FBT001 - a column
) -> None:
    call = authorized().send("capture_requested", amount_minor=amount, final=final).calls[-1]
    assert (call.operation, call.amount_minor, call.final) == ("capture", asked_minor, asked_final)


def test_more_than_is_left_is_refused() -> None:
    scene = authorized().send("capture_requested", amount_minor=2000)
    assert scene.rejection.reason is Reason.AMOUNT_ABOVE_AUTHORIZED
    assert scene.rejection.detail == "amount_minor 2000 is above what is left to capture, 1999"
    assert (
        captured()
        .send("capture_requested", amount_minor=1500)
        .rejection.detail.endswith("left to capture, 1499")
    )


@pytest.mark.parametrize(
    ("scene", "too_much", "left"), [(capturing, 2000, 1999), (capturing_more, 1500, 1499)]
)
def test_a_provider_that_took_more_than_is_left_is_not_believed(
    scene: Callable[[], Scene], too_much: int, left: int
) -> None:
    asked = scene()
    booked_before = list(asked.postings)
    asked.answer("call_succeeded", amount_minor=too_much)
    assert asked.rejection.reason is Reason.AMOUNT_ABOVE_AUTHORIZED
    assert asked.rejection.detail.endswith(f"left to capture, {left}")
    assert asked.postings == booked_before


def test_a_provider_that_held_more_than_was_asked_is_not_believed() -> None:
    scene = selling().answer("call_succeeded", amount_minor=2000)
    assert scene.rejection.reason is Reason.AMOUNT_ABOVE_AUTHORIZED


def test_a_provider_that_took_less_is_booked_at_what_it_took() -> None:
    scene = capturing().answer("call_succeeded", amount_minor=1000)
    assert (scene.payment.captured_minor, scene.payment.state) == (1000, "succeeded")
    assert booked(scene)[0][0] == ("debit", "processor_receivable", "sandbox", 1000)


def test_a_partial_authorization_is_held_and_captured_as_far_as_it_goes() -> None:
    scene = (
        Scene().send("payment_requested", capture_method="manual").answer("call_succeeded", amount_minor=1200)
    )
    assert (scene.payment.authorized_minor, scene.payment.capturable_minor) == (1200, 1200)
    scene.send("capture_requested", amount_minor=1201)
    assert scene.rejection.reason is Reason.AMOUNT_ABOVE_AUTHORIZED


def test_a_final_part_releases_the_rest() -> None:
    scene = captured().send("capture_requested", amount_minor=499, final=True).answer("call_succeeded")
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 999)
    assert scene.payment.capturable_minor == 0


def test_a_declined_capture_leaves_the_money_held_and_may_be_asked_again() -> None:
    scene = capturing().answer("call_declined", reason="processing_declined")
    assert (scene.payment.state, scene.payment.reason) == ("authorized", Reason.PROCESSING_DECLINED)
    assert scene.events[-1].type == "payment.authorized.v1"
    assert isinstance(scene.send("capture_requested", amount_minor=ABSENT).outcome, Decision)
    assert scene.calls[-1].call_id != scene.calls[-2].call_id


def test_a_cancellation_asks_the_provider_to_let_go_first() -> None:
    scene = voiding()
    assert (scene.calls[-1].operation, scene.calls[-1].provider_reference) == ("void", "auth_1")
    assert scene.payment.state == "authorized"
    scene.answer("call_succeeded")
    assert (scene.payment.state, scene.payment.reason) == ("canceled", Reason.REQUESTED_BY_CALLER)


@pytest.mark.parametrize("scene", [capturing, selling])
def test_a_provider_that_took_nothing_is_answered_not_a_bug(scene: Callable[[], Scene]) -> None:
    assert scene().answer("call_succeeded", amount_minor=0).rejection.reason is Reason.AMOUNT_DIFFERS
