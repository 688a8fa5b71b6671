"""How Stripe counts money: https://docs.stripe.com/currencies (zero-decimal, three-decimal, special cases)."""

from __future__ import annotations

from typing import Final

from producers.providers.units import Units, iso_decimals

ZERO_DECIMAL: Final = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - as Stripe lists them
)
ZERO_WRITTEN_WITH_TWO: Final = frozenset({"ISK", "UGX"})
"""Without decimals today, and still written with two that must be 00."""
THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""The third decimal must be 0."""


def _decimals() -> dict[str, int]:
    """Two-decimal currencies are Stripe's rule; one that ISO 4217 counts otherwise is taken only where listed."""
    two = dict.fromkeys((code for code, digits in iso_decimals(2).items() if digits), 2)
    return {
        **two,
        **dict.fromkeys(ZERO_DECIMAL, 0),
        **dict.fromkeys(ZERO_WRITTEN_WITH_TWO, 2),
        **dict.fromkeys(THREE_DECIMAL, 3),
    }


UNITS: Final = Units(
    decimals=_decimals(),
    multiples={**dict.fromkeys(ZERO_WRITTEN_WITH_TWO, 100), **dict.fromkeys(THREE_DECIMAL, 10)},
)
