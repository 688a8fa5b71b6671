"""Money, for any amount: nothing is lost, and every rounding is the exact one."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.currencies import MINOR_DIGITS, format_amount, to_major, to_minor
from schemas.money import BPS, MAX_AMOUNT_MINOR, Rounding, allocate, bps_of, round_minor

amounts: Final = st.integers(0, MAX_AMOUNT_MINOR)
signed_amounts: Final = st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR)
currencies: Final = st.sampled_from(sorted(MINOR_DIGITS))
ratios: Final = st.lists(
    st.integers(0, 10**6) | st.decimals(0, 100, places=4), min_size=1, max_size=8
).filter(any)


def rounded(value: Fraction, rounding: Rounding) -> int:
    """The rounding by its definition, on exact fractions."""
    floor, ceiling = math.floor(value), math.ceil(value)
    inward, outward = (floor, ceiling) if value >= 0 else (ceiling, floor)
    if rounding in {Rounding.UP, Rounding.DOWN}:
        return outward if rounding is Rounding.UP else inward
    if value - floor != Fraction(1, 2):
        return floor if value - floor < Fraction(1, 2) else ceiling
    return {
        Rounding.HALF_EVEN: floor if floor % 2 == 0 else ceiling,
        Rounding.HALF_ODD: floor if floor % 2 == 1 else ceiling,
        Rounding.HALF_UP: outward,
        Rounding.HALF_DOWN: inward,
        Rounding.HALF_POSITIVE_INFINITY: ceiling,
        Rounding.HALF_NEGATIVE_INFINITY: floor,
    }[rounding]


@given(
    st.decimals(-(10**9), 10**9, places=3) | st.integers(-(10**6), 10**6).map(lambda n: Decimal(n) / 2),
    st.sampled_from(Rounding),
)
def test_a_rounding_is_the_exact_one(value: Decimal, rounding: Rounding) -> None:
    assert round_minor(value, rounding) == rounded(Fraction(value), rounding)


@given(amounts | st.integers(0, 100).map(lambda n: n * 5_000), st.integers(0, BPS), st.sampled_from(Rounding))
def test_basis_points_are_the_exact_ones(amount_minor: int, bps: int, rounding: Rounding) -> None:
    assert bps_of(amount_minor, bps, rounding) == rounded(Fraction(amount_minor * bps, BPS), rounding)


@given(signed_amounts, ratios)
def test_shares_sum_to_the_amount_and_none_is_a_unit_off(
    amount_minor: int, weights: list[int | Decimal]
) -> None:
    shares = allocate(amount_minor, weights)
    total = sum(map(Fraction, weights))
    assert sum(shares) == amount_minor
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - amount_minor * Fraction(weight) / total) < 1
        assert share == 0 or weight != 0


@given(signed_amounts, st.integers(1, 50))
def test_equal_ratios_differ_by_a_unit_at_most_and_the_first_get_it(amount_minor: int, parts: int) -> None:
    shares = allocate(amount_minor, [1] * parts)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@pytest.mark.parametrize(
    ("amount_minor", "weights", "shares"),
    [(100, [1, 7, 7], [7, 47, 46]), (10, [7, 1, 7], [5, 1, 4]), (100, [4, 1, 7], [34, 8, 58])],
)
def test_of_equal_remainders_the_first_gets_the_unit(
    amount_minor: int, weights: list[int], shares: list[int]
) -> None:
    assert allocate(amount_minor, weights) == shares


@given(signed_amounts, currencies)
def test_an_amount_survives_the_way_to_major_units_and_back(amount_minor: int, currency: str) -> None:
    major = to_major(amount_minor, currency)
    assert to_minor(major, currency) == amount_minor
    assert Decimal(format_amount(amount_minor, currency).replace(",", "")) == major
    assert major.as_tuple().exponent == -MINOR_DIGITS[currency]


@given(currencies, st.integers(1, 9))
def test_a_fraction_of_a_minor_unit_is_refused_not_rounded(currency: str, digit: int) -> None:
    too_fine = Decimal(digit).scaleb(-MINOR_DIGITS[currency] - 1)
    with pytest.raises(ValueError, match=f"has more decimals than {currency}"):
        to_minor(too_fine, currency)
