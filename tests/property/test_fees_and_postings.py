"""Fees and entries, for any schedule and any split: parts lose no cent, and every entry balances."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handlers.decision import Decision
from handlers.fees.model import FeeTerms
from handlers.fees.rules import fee_of
from handlers.ledger.model import Posting
from handlers.payments.networks import most_capturable_minor
from schemas.currencies import MINOR_DIGITS
from schemas.money import BPS, MAX_AMOUNT_MINOR, Rounding
from tests.handlers.scene import Scene, schedule

amounts: Final = st.integers(1, 200) | st.integers(1, MAX_AMOUNT_MINOR)
fixed: Final = st.integers(0, 100) | st.integers(0, MAX_AMOUNT_MINOR)
basis_points: Final = st.integers(0, BPS)
roundings: Final = st.sampled_from(Rounding)
currencies: Final = st.sampled_from(sorted(MINOR_DIGITS))
methods: Final = st.sampled_from(["card", "cash_on_delivery", "point_of_sale", "bank_transfer"])
terms: Final = st.builds(FeeTerms, st.just(1), basis_points, fixed, roundings)


def money(amount_minor: int, currency: str) -> dict[str, object]:
    """An amount, as JSON says it."""
    return {"amount_minor": amount_minor, "currency": currency}


def balances(posting: Posting) -> bool:
    """Law 1, and that every leg is a positive amount of the entry's one currency."""
    signed = [leg.amount_minor if leg.side == "debit" else -leg.amount_minor for leg in posting.legs]
    return sum(signed) == 0 and all(leg.amount_minor > 0 for leg in posting.legs)


@given(terms, st.lists(amounts, min_size=1, max_size=8))
def test_fees_on_parts_sum_to_the_fee_on_the_whole_and_no_part_costs_more_than_itself(
    terms: FeeTerms, parts: list[int]
) -> None:
    whole = sum(parts)
    assume(whole <= MAX_AMOUNT_MINOR)
    captured, charged = 0, 0
    for part in parts:
        fee_minor = fee_of(terms, captured + part) - charged
        assert 0 <= fee_minor <= part
        captured, charged = captured + part, charged + fee_minor
    assert charged == fee_of(terms, whole)


@given(terms, amounts, amounts)
def test_who_sells_more_pays_no_less(terms: FeeTerms, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert fee_of(terms, less) <= fee_of(terms, more)


@given(methods, currencies, amounts, basis_points, fixed, roundings)
@settings(max_examples=200)
def test_whatever_is_taken_is_booked_in_balance(
    method: str, currency: str, amount_minor: int, bps: int, fixed_minor: int, rounding: Rounding
) -> None:
    scene = Scene((schedule(bps, fixed_minor, rounding, currency=currency),))
    amount = money(amount_minor, currency)
    if method == "card":
        scene.send("payment_requested", amount=amount, capture_method="automatic").answer("call_succeeded")
    else:
        scene.send("payment_recorded", amount=amount, collection=method)
    payment, (posting,) = scene.payment, scene.postings
    by_account = {leg.account: leg for leg in posting.legs}
    assert payment.state == "succeeded"
    assert balances(posting)
    assert {leg.currency for leg in posting.legs} == {currency}
    assert posting.legs[0].amount_minor == payment.captured_minor == amount_minor
    fee = by_account.get("platform_fee_revenue")
    assert (fee.amount_minor if fee else 0) == payment.fee_minor == fee_of(payment.fee_terms, amount_minor)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), basis_points, st.integers(0, 300), roundings)
@settings(max_examples=100)
def test_captures_in_parts_are_booked_as_the_whole_is(
    parts: list[int], bps: int, fixed_minor: int, rounding: Rounding
) -> None:
    whole = sum(parts)
    scene = Scene((schedule(bps, fixed_minor, rounding),))
    scene.send("payment_requested", amount=money(whole, "EUR"), capture_method="manual").answer(
        "call_succeeded"
    )
    for part in parts:
        scene.send("capture_requested", amount_minor=part, final=False).answer("call_succeeded")
    at_once = Scene((schedule(bps, fixed_minor, rounding),)).send(
        "payment_recorded", amount=money(whole, "EUR")
    )
    assert all(balances(posting) for posting in scene.postings)
    assert totals(scene) == totals(at_once)
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", whole)


def totals(scene: Scene) -> dict[str, int]:
    """What went to the merchant and to the platform, over all entries."""
    found: dict[str, int] = {}
    for posting in scene.postings:
        for leg in posting.legs[1:]:
            found[leg.account] = found.get(leg.account, 0) + leg.amount_minor
    return found


@given(st.integers(1, 1000), st.integers(1, 2000))
@pytest.mark.parametrize("final", [True, False])
@settings(max_examples=50)
def test_a_capture_is_asked_for_when_it_is_held_and_refused_when_it_is_not(
    final: bool,  # noqa: FBT001 - a column
    held: int,
    asked: int,
) -> None:
    scene = Scene().send("payment_requested", amount=money(held, "EUR"), capture_method="manual")
    scene.answer("call_succeeded").send("capture_requested", amount_minor=asked, final=final)
    assert isinstance(scene.outcome, Decision) is (asked <= most_capturable_minor("visa", held))
