"""Captures: booked when the provider says so, in parts or whole, never more than is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    authorized,
    canceling_challenge,
    captured,
    capturing,
    capturing_more,
    increasing,
    releasing,
    selling,
    voiding,
)
from tests.handlers.scene import NOW, Scene
from tests.schemas.samples import ABSENT, CARD


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


# fmt: off
OVER: Final = [
    # network, captured before, asked for; 1999 are held            what becomes of it
    ("visa",       None, 2298, None),                               # 15 %: 299.85, rounded down
    ("visa",       None, 2299, Reason.AMOUNT_ABOVE_AUTHORIZED),
    ("mastercard", None, 2398, None),                               # 20 %
    ("mastercard", None, 2399, Reason.AMOUNT_ABOVE_AUTHORIZED),
    ("visa",       500,  1798, None),                               # together 2298
    ("visa",       500,  1799, Reason.AMOUNT_ABOVE_AUTHORIZED),
    ("jcb",        None, 2000, Reason.OVERCAPTURE_NOT_ALLOWED),
    ("unionpay",   500,  1500, Reason.OVERCAPTURE_NOT_ALLOWED),
]
# fmt: on


@pytest.mark.parametrize(("network", "before", "asked_minor", "refused"), OVER)
def test_more_than_is_held_is_captured_only_as_far_as_the_network_allows(
    network: str, before: int | None, asked_minor: int, refused: Reason | None
) -> None:
    scene = Scene().send("payment_requested", payment_method=CARD | {"network": network})
    scene.answer("call_succeeded")
    if before:
        scene.send("capture_requested", amount_minor=before, final=False).answer("call_succeeded")
    scene.send("capture_requested", amount_minor=asked_minor, final=False)
    if refused is not None:
        assert scene.rejection.reason is refused
        assert f"amount_minor {asked_minor} is above what is left to capture" in scene.rejection.detail
        return
    assert (scene.calls[-1].amount_minor, scene.calls[-1].final) == (asked_minor, True)
    payment = scene.answer("call_succeeded").payment
    total_minor = asked_minor + (before or 0)
    assert (payment.state, payment.captured_minor) == ("succeeded", total_minor)
    assert payment.amount_minor == payment.authorized_minor == total_minor
    assert sum(posting.legs[0].amount_minor for posting in scene.postings) == total_minor


# fmt: off
IMPOSSIBLE: Final = [
    (capturing,      2000, Reason.AMOUNT_ABOVE_AUTHORIZED),
    (capturing_more, 1500, Reason.AMOUNT_ABOVE_AUTHORIZED),
    (selling,        2000, Reason.AMOUNT_ABOVE_AUTHORIZED),
    (increasing,     2501, Reason.AMOUNT_ABOVE_AUTHORIZED),
    (capturing,      0,    Reason.AMOUNT_DIFFERS),
    (selling,        0,    Reason.AMOUNT_DIFFERS),
]
# fmt: on


@pytest.mark.parametrize(("asked", "told_minor", "reason"), IMPOSSIBLE)
def test_an_amount_that_nobody_asked_for_is_not_believed_and_a_person_looks(
    asked: Callable[[], Scene], told_minor: int, reason: Reason
) -> None:
    scene = asked()
    before, booked_before = scene.payment, list(scene.postings)
    scene.answer("call_succeeded", amount_minor=told_minor)
    payment = scene.payment
    assert scene.postings == booked_before
    assert (payment.state, payment.captured_minor) == (before.state, before.captured_minor)
    assert (payment.call_id, payment.certain, payment.reason) == (before.call_id, False, reason)
    assert scene.notices == ["payment.answer_impossible"] * 2
    assert "payment.outcome_unknown.v1" in {event.type for event in scene.events}


def test_an_increase_raises_what_is_held_and_what_the_order_costs() -> None:
    scene = increasing()
    assert (scene.calls[-1].operation, scene.calls[-1].amount_minor) == ("increase", 2500)
    scene.answer("call_succeeded")
    assert (scene.payment.authorized_minor, scene.payment.amount_minor) == (2500, 2500)
    assert (scene.payment.state, scene.payment.capturable_minor, scene.postings) == ("authorized", 2500, [])
    scene.send("capture_requested", amount_minor=ABSENT).answer("call_succeeded")
    assert scene.payment.captured_minor == 2500


def test_an_increase_that_is_declined_leaves_the_hold_as_it_was() -> None:
    scene = increasing().answer("call_declined")
    assert (scene.payment.authorized_minor, scene.payment.amount_minor) == (1999, 1999)
    assert (scene.payment.state, scene.payment.reason) == ("authorized", Reason.INSUFFICIENT_FUNDS)


@pytest.mark.parametrize(("network", "total_minor"), [("jcb", 2500), ("visa", 1999), ("visa", 1)])
def test_an_increase_needs_a_network_that_knows_it_and_a_higher_total(network: str, total_minor: int) -> None:
    scene = Scene().send("payment_requested", payment_method=CARD | {"network": network})
    scene.answer("call_succeeded").send("authorization_increase_requested", amount_minor=total_minor)
    assert scene.rejection.reason is Reason.INCREASE_NOT_ALLOWED


def test_what_is_left_after_a_capture_can_be_released() -> None:
    scene = releasing()
    assert (scene.calls[-1].operation, scene.payment.state) == ("void", "captured")
    scene.answer("call_succeeded")
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 500)
    assert (scene.payment.capturable_minor, scene.payment.refundable_minor) == (0, 500)


def test_a_challenge_that_the_shop_gives_up_is_closed_at_the_provider_first() -> None:
    scene = canceling_challenge()
    assert (scene.calls[-1].operation, scene.payment.state) == ("void", "requires_action")
    scene.answer("call_succeeded")
    assert (scene.payment.state, scene.payment.reason) == ("canceled", Reason.REQUESTED_BY_CALLER)


def test_a_challenge_that_cannot_be_closed_is_looked_at() -> None:
    scene = canceling_challenge().answer("call_declined", reason="processing_declined")
    assert (scene.payment.state, scene.calls[-1].operation) == ("processing", "confirm")


def test_a_provider_that_took_less_is_booked_at_what_it_took() -> None:
    scene = capturing().answer("call_succeeded", amount_minor=1000)
    assert (scene.payment.captured_minor, scene.payment.state) == (1000, "succeeded")
    assert booked(scene)[0][0] == ("debit", "processor_receivable", "sandbox", 1000)


def test_a_partial_authorization_is_held_and_captured_as_far_as_it_goes() -> None:
    scene = (
        Scene().send("payment_requested", capture_method="manual").answer("call_succeeded", amount_minor=1200)
    )
    assert (scene.payment.authorized_minor, scene.payment.capturable_minor) == (1200, 1200)
    scene.send("capture_requested", amount_minor=1201)  # no tip on what the card did not cover
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
