"""How Adyen counts money: https://docs.adyen.com/development-resources/currency-codes."""

from __future__ import annotations

from typing import Final

from producers.providers.units import Units, iso_decimals

OTHER_THAN_ISO: Final = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}
"""Adyen's decimals, where they differ from ISO 4217. It takes no currency with four."""

UNITS: Final = Units(decimals={**iso_decimals(3), **OTHER_THAN_ISO})
