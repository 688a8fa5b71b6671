"""ISO 4217 currencies and their minor units, taken from the maintained `iso4217` package (SIX's published table)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from iso4217 import Currency

MINOR_DIGITS: Final[dict[str, int]] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
"""Active currency -> decimals of its minor unit (0, 2, 3 or 4); metals, funds and test codes have none."""


def is_currency(code: str) -> bool:
    """Whether `code` is an active ISO 4217 currency that money can be held in."""
    return code in MINOR_DIGITS


def to_major(amount_minor: int, currency: str) -> Decimal:
    """The amount in major units, for people: 1999 EUR -> 19.99, 1999 JPY -> 1999. Exact."""
    return Decimal(amount_minor).scaleb(-MINOR_DIGITS[currency])


def to_minor(amount: Decimal, currency: str) -> int:
    """The amount in minor units. Raises ValueError when it has more decimals than the currency; nothing is rounded."""
    scaled = amount.scaleb(MINOR_DIGITS[currency])
    if scaled != scaled.to_integral_value():
        msg = f"{amount} has more decimals than {currency} ({MINOR_DIGITS[currency]})"
        raise ValueError(msg)
    return int(scaled)


def format_amount(amount_minor: int, currency: str) -> str:
    """The amount as people read it, with thousands separators: 123456 EUR -> '1,234.56'."""
    return f"{to_major(amount_minor, currency):,}"
