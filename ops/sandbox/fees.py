"""What the provider charges for its work, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.currencies import MINOR_DIGITS
from schemas.money import Rounding, bps_of, round_minor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.sandbox.networks import MethodType


@dataclass(frozen=True, slots=True)
class Price:
    """A share of the amount and something on top of it."""

    bps: int
    fixed: Decimal
    """In major units of the charge's currency, whichever that is."""


CAPTURE_PRICES: Mapping[MethodType, Price] = {
    "card": Price(140, Decimal("0.25")),
    "bank_debit": Price(80, Decimal("0.10")),
}
"""For each capture. It is kept when the money goes back."""
DISPUTE_PRICE = Decimal("15.00")
"""For each stage of a dispute but the inquiry, won or lost; in major units."""
RETURN_PRICE = Decimal("5.00")
"""For a debit that the bank takes back; in major units."""


def capture_fee_minor(method_type: MethodType, amount_minor: int, currency: str) -> int:
    """Price of a capture; the share is rounded half to even, as is the fixed part."""
    price = CAPTURE_PRICES[method_type]
    return bps_of(amount_minor, price.bps, Rounding.HALF_EVEN) + _minor(price.fixed, currency)


def dispute_fee_minor(currency: str) -> int:
    """Price of a stage of a dispute."""
    return _minor(DISPUTE_PRICE, currency)


def return_fee_minor(currency: str) -> int:
    """Price of a late return."""
    return _minor(RETURN_PRICE, currency)


def _minor(major: Decimal, currency: str) -> int:
    return round_minor(major.scaleb(MINOR_DIGITS[currency]), Rounding.HALF_EVEN)
