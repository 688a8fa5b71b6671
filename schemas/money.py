"""Money: integer minor units and an ISO 4217 currency; named rounding; allocation without loss (law 10)."""

from __future__ import annotations

import decimal
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field

from schemas.currencies import is_currency
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_AMOUNT_MINOR: Final = 10**15
"""The largest amount of one message. Nine thousand of them still sum within PostgreSQL's bigint."""

BPS: Final = 10_000
"""Basis points in a whole."""


def _known_currency(code: str) -> str:
    if not is_currency(code):
        msg = f"{code!r} is not an active ISO 4217 currency with a minor unit"
        raise ValueError(msg)
    return code


CurrencyCode = Annotated[
    str,
    Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217 alphabetic code"),
    AfterValidator(_known_currency),
]
AmountMinor = Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR, description="integer in minor units")]
PositiveMinor = Annotated[
    int, Field(gt=0, le=MAX_AMOUNT_MINOR, description="integer in minor units, above zero")
]


class Rounding(StrEnum):
    """How a fraction of a minor unit becomes whole. Every place that rounds names one of these."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    HALF_DOWN = "half_down"
    HALF_ODD = "half_odd"
    UP = "up"
    DOWN = "down"
    HALF_POSITIVE_INFINITY = "half_positive_infinity"
    HALF_NEGATIVE_INFINITY = "half_negative_infinity"


_DECIMAL_MODES: Final = {
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.HALF_DOWN: decimal.ROUND_HALF_DOWN,
    Rounding.UP: decimal.ROUND_UP,
    Rounding.DOWN: decimal.ROUND_DOWN,
}
_HALF: Final = Decimal("0.5")


@value
class Money:
    """An amount in minor units and its currency. Sums of different currencies raise ValueError."""

    amount_minor: PositiveMinor
    currency: CurrencyCode

    def __add__(self, other: Money) -> Money:
        """Sum of two amounts of one currency."""
        if other.currency != self.currency:
            msg = f"cannot add {other.currency} to {self.currency}"
            raise ValueError(msg)
        return Money(self.amount_minor + other.amount_minor, self.currency)


def round_minor(value: Decimal, rounding: Rounding) -> int:
    """`value` (minor units with a fraction) as whole minor units."""
    mode = _DECIMAL_MODES.get(rounding)
    if mode is not None:
        return int(value.quantize(Decimal(1), rounding=mode))
    floor = int(value.to_integral_value(rounding=decimal.ROUND_FLOOR))
    if value - floor != _HALF:
        return int(value.quantize(Decimal(1), rounding=decimal.ROUND_HALF_EVEN))
    if rounding is Rounding.HALF_POSITIVE_INFINITY:
        return floor + 1
    if rounding is Rounding.HALF_NEGATIVE_INFINITY:
        return floor
    return floor if floor % 2 else floor + 1


def bps_of(amount_minor: int, bps: int, rounding: Rounding) -> int:
    """`bps` basis points of an amount, in whole minor units."""
    if rounding is Rounding.HALF_EVEN:
        whole, rest = divmod(amount_minor * bps, BPS)
        twice = 2 * rest
        return whole + (twice > BPS or (twice == BPS and whole % 2 == 1))
    return round_minor(Decimal(amount_minor * bps) / BPS, rounding)


def allocate(amount_minor: int, ratios: Sequence[int | Decimal]) -> list[int]:
    """Split an amount by ratios without loss: floors first, then the largest remainders, ties to the first.

    Raises ValueError when a ratio is negative or all are zero.
    """
    weights = [Fraction(ratio) for ratio in ratios]
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        msg = "ratios must be zero or more, with a sum above zero"
        raise ValueError(msg)
    exact = [amount_minor * weight / total for weight in weights]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(
        (index for index, weight in enumerate(weights) if weight),
        key=lambda index: (shares[index] - exact[index], index),
    )
    for index in by_remainder[: amount_minor - sum(shares)]:
        shares[index] += 1
    return shares
