"""Recorded payments: the money changes hands outside, and what we are told is booked once."""

from __future__ import annotations

from typing import Final

import pytest

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.payments.situations import declined, requires_confirmation, settling, succeeded
from tests.handlers.scene import Scene

# fmt: off
COLLECTIONS: Final = [
    ("cash_on_delivery", "cash_collected",    "carrier_receivable"),
    ("point_of_sale",    "terminal_sale",     "terminal_receivable"),
    ("bank_transfer",    "transfer_received", "bank_clearing"),
]
# fmt: on


@pytest.mark.parametrize(("collection", "rule", "account"), COLLECTIONS)
def test_recorded_money_is_owed_to_us_by_who_holds_it(collection: str, rule: str, account: str) -> None:
    scene = Scene().send("payment_recorded", collection=collection)
    (posting,) = scene.postings
    assert posting.rule == rule
    assert [(leg.side, leg.account, leg.owner, leg.amount_minor) for leg in posting.legs] == [
        ("debit", account, collection, 1999),
        ("credit", "merchant_payable", "shoes", 1924),
        ("credit", "platform_fee_revenue", "acme", 75),
    ]
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert (scene.payment.authorized_minor, scene.payment.fee_minor, scene.calls) == (1999, 75, [])


def test_a_promise_books_nothing() -> None:
    scene = settling()
    assert (scene.payment.state, scene.payment.captured_minor, scene.postings) == ("settling", 0, [])


def test_a_promise_that_is_kept_is_booked_as_it_was_kept() -> None:
    scene = Scene().send("payment_deferred", collection="cash_on_delivery")
    scene.send("payment_recorded", collection="bank_transfer")
    assert scene.payment.state == "succeeded"
    assert scene.postings[0].legs[0].account == "bank_clearing"


def test_a_promise_that_is_not_kept_fails_and_books_nothing() -> None:
    scene = settling().send("payment_not_collected")
    assert (scene.payment.state, scene.payment.reason) == ("failed", Reason.NOT_COLLECTED)
    assert scene.postings == []


# fmt: off
DIFFERENCES: Final = [
    ("merchant_id", "hats",                                    Reason.MERCHANT_DIFFERS, "merchant_id hats"),
    ("amount",      {"amount_minor": 1999, "currency": "USD"}, Reason.CURRENCY_DIFFERS, "currency USD"),
    ("amount",      {"amount_minor": 1998, "currency": "EUR"}, Reason.AMOUNT_DIFFERS,   "amount_minor 1998"),
    ("amount",      {"amount_minor": 2000, "currency": "EUR"}, Reason.AMOUNT_DIFFERS,   "payment 1999"),
]
# fmt: on


@pytest.mark.parametrize("fact", ["payment_recorded", "payment_deferred"])
@pytest.mark.parametrize(("member", "value", "reason", "told"), DIFFERENCES)
def test_a_fact_that_contradicts_the_payment_is_refused(
    fact: str, member: str, value: object, reason: Reason, told: str
) -> None:
    scene = requires_confirmation().send(fact, **{member: value})
    assert scene.rejection.reason is reason
    assert told in scene.rejection.detail


def test_an_order_is_paid_once() -> None:
    scene = succeeded().send("payment_recorded")
    assert scene.rejection.reason is Reason.ORDER_ALREADY_HAS_PAYMENT
    assert len(scene.postings) == 1


@pytest.mark.parametrize("fact", ["payment_recorded", "payment_deferred"])
def test_an_order_whose_card_was_declined_can_be_paid_otherwise(fact: str) -> None:
    assert isinstance(declined().send(fact).outcome, Decision)


@pytest.mark.parametrize("fact", ["payment_recorded", "payment_deferred"])
def test_what_is_paid_otherwise_forgets_the_card_and_its_provider(fact: str) -> None:
    payment = declined().send(fact).payment
    assert (payment.method_token, payment.method_network, payment.method_last4) == (None, None, None)
    assert (payment.provider, payment.provider_reference) == (None, None)
