"""Who sells on the marketplace, in which currencies and on what terms; and what is sold there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from schemas.money import Rounding

if TYPE_CHECKING:
    from random import Random

DAY: Final = datetime(2026, 3, 6, tzinfo=UTC)
"""The day's midnight. Everything happens on it, whatever the clock says."""
IN_FORCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
ANNOUNCED: Final = (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
"""From when the terms of the day hold, and from when announced ones will."""


ANNOUNCES_TERMS: Final = 4
OPENS_LATE: Final = 5
"""Every so many merchants do."""
HAS_FIXED_FEE: Final = 0.8
"""In how many of its currencies a merchant pays a fixed fee too."""


@dataclass(frozen=True, slots=True)
class Market:
    """A tenant, the shop system that publishes for it, and the currencies its customers pay in."""

    tenant: str
    source: str
    currencies: tuple[str, ...]


MARKETS: Final = (
    Market("nordlicht", "/shops/nordlicht", ("EUR", "USD", "GBP", "CHF")),
    Market("sakura", "/shops/sakura", ("JPY", "USD", "KRW")),
    Market("souq", "/shops/souq", ("KWD", "BHD", "USD")),
)
"""Currencies with 2, 0 and 3 decimals."""

SANDBOX: Final = Market("zeitraffer", "/shops/zeitraffer", ("EUR",))
"""A tenant of its own that lives by a test clock, so that its timers are due within the play."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """A seller with its fee schedules, as messages carry them; `opens_late`: its first orders come before those."""

    market: Market
    merchant_id: str
    fees: tuple[dict[str, Any], ...]
    opens_late: bool


def settle_in(random: Random, number: int) -> Merchant:
    """The marketplace's `number`-th merchant; some announce new terms, some open late."""
    return _settled(random, number, MARKETS[number % len(MARKETS)])


def sandbox_merchant(random: Random) -> Merchant:
    """The one merchant of the tenant with the test clock."""
    return replace(_settled(random, 0, SANDBOX), opens_late=False)


def _settled(random: Random, number: int, market: Market) -> Merchant:
    merchant_id = f"merchant-{number:03d}"
    moments = (IN_FORCE, *(ANNOUNCED[: random.randint(1, 2)] if not (number + 1) % ANNOUNCES_TERMS else ()))
    fees = tuple(
        {
            "merchant_id": merchant_id,
            "version": version,
            "effective_from": moment.isoformat(),
            "bps": random.choice((90, 140, 175, 250, 290)),
            "fixed_minor": {
                currency: random.randint(5, 35) * _OF_A_EURO_MINOR[currency] // 100
                for currency in market.currencies
                if random.random() < HAS_FIXED_FEE
            },
            "rounding": random.choice(list(Rounding)),
        }
        for version, moment in enumerate(moments, 1)
    )
    return Merchant(market, merchant_id, fees, opens_late=not (number + 1) % OPENS_LATE)


_OF_A_EURO_MINOR: Final = {
    "EUR": 100, "USD": 100, "GBP": 100, "CHF": 100, "JPY": 150, "KRW": 1400, "KWD": 300, "BHD": 400,
}  # fmt: skip
"""What costs a euro costs about so much elsewhere, in minor units; only to make prices look like prices."""


def worth_minor(euros: int, currency: str) -> int:
    """About what so many euros are worth, in minor units."""
    return euros * _OF_A_EURO_MINOR[currency]


def price_minor(random: Random, currency: str) -> int:
    """The price of a basket: mostly some dozens of euros' worth, sometimes thousands; never below two."""
    euros = random.choice((random.randint(2, 40), random.randint(10, 150), random.randint(50, 3000)))
    unit = _OF_A_EURO_MINOR[currency]
    return euros * unit + random.randrange(unit)
