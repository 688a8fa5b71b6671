"""When time is up: holds lapse, challenges are abandoned, and a provider under question is waited for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, get_args

import pytest

from handlers.decision import Decision
from handlers.payments.networks import NETWORKS
from handlers.payments.policy import CHALLENGE_LIFETIME
from handlers.payments.rules.expiry import LOOK_AGAIN
from schemas.checkout import CardMethod
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    abandoned,
    authorized,
    captured,
    capturing,
    leaving,
    processing,
    requires_action,
    returned,
)
from tests.handlers.scene import NOW, Scene
from tests.schemas.samples import ABSENT, CARD

DAYS: Final = {"visa": 7, "mastercard": 7, "amex": 7, "discover": 10, "jcb": 7, "unionpay": 7, "diners": 7}


@pytest.mark.parametrize("network", DAYS)
def test_a_hold_lasts_as_long_as_its_network_says(network: str) -> None:
    scene = Scene().send(
        "payment_requested", capture_method="manual", payment_method=CARD | {"network": network}
    )
    scene.wait(minutes=5).answer("call_succeeded")
    due_at = NOW + timedelta(days=DAYS[network], minutes=5)
    warned_at = due_at - timedelta(days=2 if network == "discover" else 1)
    assert [(timer.kind, timer.due_at) for timer in scene.timers] == [
        ("authorization_expiring", warned_at),
        ("authorization_expiry", due_at),
    ]
    assert scene.payment.state_ends_at == due_at


def test_every_network_has_a_lifetime() -> None:
    assert set(NETWORKS) == set(get_args(CardMethod.model_fields["network"].annotation)) == set(DAYS)


@pytest.mark.parametrize(("held", "left_minor"), [(authorized, 1999), (captured, 1499)])
def test_the_merchant_is_warned_before_a_hold_ends(held: Callable[[], Scene], left_minor: int) -> None:
    scene = held().time_out("authorization_expiring")
    warning, notice = scene.events[-2:]
    assert (warning.type, warning.data.capturable_minor) == (
        "payment.authorization_expiring.v1",
        left_minor,
    )
    assert (notice.data.audience, notice.data.recipient) == ("merchant", "shoes")
    assert notice.data.act_by == scene.payment.state_ends_at
    assert f"{left_minor} EUR" in notice.data.detail


def test_nobody_is_warned_of_a_hold_that_was_taken() -> None:
    scene = authorized().send("capture_requested", amount_minor=ABSENT).answer("call_succeeded")
    assert scene.time_out("authorization_expiring").outcome == Decision()


def test_a_hold_of_which_nothing_was_taken_expires() -> None:
    scene = authorized().time_out("authorization_expiry")
    assert (scene.payment.state, scene.payment.reason) == ("expired", Reason.AUTHORIZATION_EXPIRED)
    assert scene.postings == []


def test_a_hold_of_which_a_part_was_taken_is_complete() -> None:
    scene = captured().time_out("authorization_expiry")
    assert (scene.payment.state, scene.payment.captured_minor, len(scene.postings)) == ("succeeded", 500, 1)


def test_a_hold_does_not_lapse_while_the_provider_is_asked() -> None:
    scene = capturing().time_out("authorization_expiry")
    assert scene.payment.state == "authorized"
    assert scene.timers[-1].due_at == scene.now + LOOK_AGAIN


def test_after_a_declined_capture_the_hold_lapses_at_the_next_look() -> None:
    scene = (
        capturing().time_out("authorization_expiry").answer("call_declined").time_out("authorization_expiry")
    )
    assert scene.payment.state == "expired"


def test_each_look_is_a_timer_of_its_own() -> None:
    scene = capturing().time_out("authorization_expiry").time_out("authorization_expiry")
    assert len({timer.timer_id for timer in scene.timers}) == len(scene.timers)


def test_a_customer_has_an_hour_to_authenticate() -> None:
    scene = requires_action()
    assert timedelta(hours=1) == CHALLENGE_LIFETIME
    assert [(timer.kind, timer.due_at) for timer in scene.timers] == [
        ("challenge_expiry", NOW + CHALLENGE_LIFETIME)
    ]
    assert scene.payment.redirect_url == "https://bank.example/3ds?id=1"


def test_when_the_customer_is_back_the_provider_is_asked_not_the_browser() -> None:
    scene = returned()
    assert (scene.payment.state, scene.calls[-1].operation) == ("processing", "confirm")
    assert scene.payment.redirect_url is None


def test_an_abandoned_challenge_is_looked_at_first() -> None:
    scene = abandoned()
    assert (scene.calls[-1].operation, scene.payment.reason) == ("confirm", Reason.CHALLENGE_ABANDONED)


def test_a_customer_who_authenticated_and_did_not_come_back_has_paid() -> None:
    scene = abandoned().answer("call_succeeded", captured=True)
    assert (scene.payment.state, scene.payment.reason) == ("succeeded", None)


@pytest.mark.parametrize(
    "scene",
    [lambda: abandoned().answer("call_declined"), lambda: leaving().answer("call_succeeded")],
    ids=["declined", "let go"],
)
def test_an_abandoned_challenge_ends_in_failure_by_its_own_reason(scene: Callable[[], Scene]) -> None:
    payment = scene().payment
    assert (payment.state, payment.reason) == ("failed", Reason.CHALLENGE_ABANDONED)


def test_a_challenge_that_is_still_open_is_closed_at_the_provider() -> None:
    assert leaving().calls[-1].operation == "void"


def test_the_timer_of_an_earlier_challenge_does_nothing() -> None:
    scene = requires_action()
    first = scene.timers[0].timer_id
    scene.wait(minutes=50).send("challenge_completed").answer("challenge_required")
    scene.wait(minutes=10).time_out("challenge_expiry", timer_id=first)
    assert scene.outcome == Decision()
    assert scene.time_out("challenge_expiry").payment.state == "processing"


def test_a_timer_of_a_payment_that_moved_on_does_nothing() -> None:
    scene = authorized().send("capture_requested", amount_minor=ABSENT).answer("call_succeeded")
    assert scene.time_out("authorization_expiry").outcome == Decision()


def test_a_timer_before_its_payment_is_known_waits() -> None:
    scene = Scene().time_out("challenge_expiry")
    assert scene.waiting.reason is Reason.PAYMENT_UNKNOWN


def test_a_challenge_timer_that_nobody_set_does_nothing() -> None:
    scene = processing().answer("challenge_required")
    scene.timers.clear()
    assert scene.time_out("challenge_expiry").outcome == Decision()
