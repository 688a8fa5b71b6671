"""Amounts as a provider writes them: most follow ISO 4217's minor units, and each has exceptions of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.currencies import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Units:
    """How one provider counts money. Nothing is ever rounded: what it cannot say raises `ValueError`."""

    decimals: Mapping[str, int]
    """Currency -> decimals, for every currency that the provider takes."""
    multiples: Mapping[str, int] = field(default_factory=dict)
    """Currency -> what every amount of it, in the provider's units, must be a multiple of."""

    def theirs(self, amount_minor: int, currency: str) -> int:
        """Our minor units in the provider's units.

        Raises:
            ValueError: the provider does not take the currency, or cannot express the amount; the message says which.
        """
        amount, rest = divmod(amount_minor * 10 ** self._decimals(currency), 10 ** MINOR_DIGITS[currency])
        if rest or amount % self.multiples.get(currency, 1):
            raise ValueError(f"amount_minor: the provider cannot express {amount_minor} {currency}")
        return int(amount)

    def ours(self, amount: int, currency: str) -> int:
        """The provider's units in our minor units.

        Raises:
            ValueError: the provider does not take the currency, or the amount has a fraction of our minor unit.
        """
        decimals = self._decimals(currency)
        amount_minor, rest = divmod(amount * 10 ** MINOR_DIGITS[currency], 10**decimals)
        if rest:
            raise ValueError(f"amount: {amount} {currency} has a fraction of a minor unit")
        return int(amount_minor)

    def _decimals(self, currency: str) -> int:
        if currency not in self.decimals:
            raise ValueError(f"currency: the provider does not take {currency}")
        return self.decimals[currency]


def iso_decimals(most: int) -> dict[str, int]:
    """ISO 4217's own decimals of every active currency that has at most so many."""
    return {currency: digits for currency, digits in MINOR_DIGITS.items() if digits <= most}
