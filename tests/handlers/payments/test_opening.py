"""A payment is opened once, at the terms of its time, and confirmed when asked to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from handlers.decision import Call
from handlers.payments.model import payment_id_of
from schemas.money import Rounding
from schemas.reasons import Reason
from tests.handlers.payments.situations import authorized, declined, requires_confirmation
from tests.handlers.scene import FEES, NOW, Scene, schedule
from tests.schemas.samples import ABSENT, CARD


def test_a_payment_holds_what_was_asked_for() -> None:
    payment = Scene().send("payment_requested", confirm=False).payment
    assert (payment.tenant, payment.payment_id) == ("acme", payment_id_of("acme", "order-1"))
    assert (payment.order_id, payment.merchant_id, payment.customer_id) == ("order-1", "shoes", "cus_7")
    assert (payment.amount_minor, payment.currency) == (1999, "EUR")
    assert (payment.authorized_minor, payment.captured_minor, payment.fee_minor) == (0, 0, 0)
    assert (payment.method, payment.method_token, payment.method_network) == ("card", "tok_approve", "visa")
    assert (payment.call_id, payment.provider, payment.certain) == (None, None, True)
    assert payment.metadata == {"basket": "b-17"}
    assert payment.created_at == payment.updated_at == NOW


def test_fee_terms_are_fixed_when_it_is_opened() -> None:
    scene = Scene((schedule(bps=250, fixed_minor=25, rounding=Rounding.HALF_UP, version=3),))
    scene.send("payment_requested")
    scene.send("merchant_fees_set", version=4, bps=9_000, effective_from=NOW.isoformat())
    scene.answer("call_succeeded", captured=True)
    assert (scene.payment.fee_version, scene.payment.fee_bps, scene.payment.fee_fixed_minor) == (3, 250, 25)
    assert scene.payment.fee_minor == 75


@pytest.mark.parametrize("opening", ["payment_requested", "payment_recorded", "payment_deferred"])
@pytest.mark.parametrize("fees", [None, (), (schedule(effective_from=datetime(2027, 1, 1, tzinfo=UTC)),)])
def test_a_payment_waits_for_its_merchant_s_fees(opening: str, fees: tuple[()] | None) -> None:
    scene = Scene(fees).send(opening)
    assert scene.waiting.reason is Reason.MERCHANT_FEES_UNKNOWN
    assert "merchant shoes has no fee schedule in force at 2026-11-23 10:00" in scene.waiting.detail
    assert not scene.opened


def test_the_provider_is_asked_with_the_token_and_a_key_that_survives_a_crash() -> None:
    first, again = (Scene().send("payment_requested", capture_method="manual") for _ in range(2))
    assert first.calls == again.calls
    (call,) = first.calls
    payment = first.payment
    assert call == Call(
        payment.call_id or payment.payment_id,
        payment.payment_id,
        "order-1",
        "sandbox",
        "authorize",
        1999,
        "EUR",
        "card",
        "tok_approve",
        None,
        capture=False,
    )
    assert payment.call_id is not None
    assert (payment.attempts, payment.calls) == (1, 1)


def test_automatic_capture_is_asked_for_with_the_authorization() -> None:
    assert Scene().send("payment_requested", capture_method="automatic").calls[0].capture


def test_no_later_call_carries_the_token() -> None:
    scene = authorized().send("capture_requested", amount_minor=500)
    assert (scene.calls[-1].token, scene.calls[-1].provider_reference) == (None, "auth_1")


def test_a_confirmation_uses_the_method_that_is_there() -> None:
    scene = requires_confirmation().send("confirmation_requested", payment_method=ABSENT)
    assert scene.calls[-1].token == "tok_approve"  # noqa: S105 - a test token


def test_after_a_decline_a_new_method_is_needed() -> None:
    scene = declined().send("confirmation_requested", payment_method=ABSENT)
    assert scene.rejection.reason is Reason.PAYMENT_METHOD_MISSING
    assert "insufficient_funds" in scene.rejection.detail


def test_without_any_method_there_is_nothing_to_confirm() -> None:
    scene = Scene().send("payment_requested", payment_method=ABSENT, confirm=False)
    scene.send("confirmation_requested", payment_method=ABSENT)
    assert scene.rejection.reason is Reason.PAYMENT_METHOD_MISSING


def test_a_new_method_replaces_the_declined_one_and_is_another_call() -> None:
    other = CARD | {"token": "tok_other", "network": "amex", "last4": "0005"}
    scene = declined().send("confirmation_requested", payment_method=other)
    payment = scene.payment
    assert (payment.method_token, payment.method_network, payment.method_last4) == (
        "tok_other",
        "amex",
        "0005",
    )
    assert (payment.attempts, payment.reason) == (2, None)
    assert len({call.call_id for call in scene.calls}) == 2


REQUESTED_AGAIN: Final = "order order-1 has payment"


def test_a_second_request_for_the_order_is_refused_whatever_it_says() -> None:
    scene = Scene(FEES).send("payment_requested").send("payment_requested", merchant_id="hats")
    assert scene.rejection.reason is Reason.ORDER_ALREADY_HAS_PAYMENT
    assert REQUESTED_AGAIN in scene.rejection.detail
