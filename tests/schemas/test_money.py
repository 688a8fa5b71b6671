"""Money: named roundings on and beside the half, allocation that loses nothing, basis points."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest

from schemas.money import MAX_AMOUNT_MINOR, Money, Rounding, allocate, bps_of, round_minor

_R = Rounding

# fmt: off
VALUES: Final =                ("-2.5", "-1.5", "-1.1", "-0.5", "0.5", "1.1", "1.5", "1.9", "2.5", "3")
ROUNDED: Final = {
    _R.HALF_EVEN:              (-2,     -2,     -1,     0,      0,     1,     2,     2,     2,     3),
    _R.HALF_UP:                (-3,     -2,     -1,     -1,     1,     1,     2,     2,     3,     3),
    _R.HALF_DOWN:              (-2,     -1,     -1,     0,      0,     1,     1,     2,     2,     3),
    _R.HALF_ODD:               (-3,     -1,     -1,     -1,     1,     1,     1,     2,     3,     3),
    _R.UP:                     (-3,     -2,     -2,     -1,     1,     2,     2,     2,     3,     3),
    _R.DOWN:                   (-2,     -1,     -1,     0,      0,     1,     1,     1,     2,     3),
    _R.HALF_POSITIVE_INFINITY: (-2,     -1,     -1,     0,      1,     1,     2,     2,     3,     3),
    _R.HALF_NEGATIVE_INFINITY: (-3,     -2,     -1,     -1,     0,     1,     1,     2,     2,     3),
}
# fmt: on


@pytest.mark.parametrize("rounding", Rounding)
def test_a_rounding_does_what_its_name_says(rounding: Rounding) -> None:
    assert tuple(round_minor(Decimal(value), rounding) for value in VALUES) == ROUNDED[rounding]


# fmt: off
SHARES: Final = [
    (100, [1, 1, 1], [34, 33, 33]),
    (100, [0, 1, 0], [0, 100, 0]),
    (5, [0, 1, 1], [0, 3, 2]),                         # a ratio of zero gets nothing, not even the rest
    (-100, [1, 1, 1], [-33, -33, -34]),
    (0, [1, 2], [0, 0]),
    (10, [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")], [5, 3, 2]),
    (MAX_AMOUNT_MINOR, [1, 1, 1], [333333333333334, 333333333333333, 333333333333333]),
]
# fmt: on


@pytest.mark.parametrize(("amount_minor", "ratios", "shares"), SHARES)
def test_an_amount_is_split_whole(amount_minor: int, ratios: list[int | Decimal], shares: list[int]) -> None:
    assert allocate(amount_minor, ratios) == shares


@pytest.mark.parametrize("ratios", [[], [0], [0, 0], [-1, 2], [2, -1]])
def test_ratios_that_share_nothing_are_refused(ratios: list[int]) -> None:
    with pytest.raises(ValueError, match="ratios must be zero or more"):
        allocate(100, ratios)


# fmt: off
BASIS_POINTS: Final = [
    (10_000, 290, _R.HALF_EVEN, 290),
    (1, 5_000, _R.HALF_EVEN, 0), (3, 5_000, _R.HALF_EVEN, 2), (5, 5_000, _R.HALF_EVEN, 2),
    (1, 5_000, _R.HALF_UP, 1), (1, 5_000, _R.HALF_DOWN, 0), (1, 1, _R.UP, 1), (9_999, 1, _R.DOWN, 0),
    (1999, 250, _R.HALF_EVEN, 50),                     # 49.975
    (MAX_AMOUNT_MINOR, 10_000, _R.HALF_EVEN, MAX_AMOUNT_MINOR),
    (MAX_AMOUNT_MINOR, 10_000, _R.UP, MAX_AMOUNT_MINOR),
    (0, 10_000, _R.UP, 0), (123, 0, _R.UP, 0),
]
# fmt: on


@pytest.mark.parametrize(("amount_minor", "bps", "rounding", "expected"), BASIS_POINTS)
def test_basis_points(amount_minor: int, bps: int, rounding: Rounding, expected: int) -> None:
    assert bps_of(amount_minor, bps, rounding) == expected


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(1999, "EUR") + Money(1, "EUR") == Money(2000, "EUR")


def test_amounts_of_two_currencies_do_not() -> None:
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(1, "EUR") + Money(1, "USD")
