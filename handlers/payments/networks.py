"""What each network allows, as data. The card rules as processors publish them for online payments, 2025."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from schemas.money import BPS
from schemas.value import value


@value
class Network:
    """How long a hold lasts and when we warn of its end; how far a capture may exceed it; whether it can be raised."""

    hold: timedelta
    warning: timedelta
    overcapture_bps: int = 0
    incremental: bool = False


# fmt: off
NETWORKS: Final[dict[str, Network]] = {
    #                     hold                 warning before it ends  overcapture           incremental
    "visa":       Network(timedelta(days=7),   timedelta(days=1),      overcapture_bps=1500, incremental=True),
    "mastercard": Network(timedelta(days=7),   timedelta(days=1),      overcapture_bps=2000, incremental=True),
    "amex":       Network(timedelta(days=7),   timedelta(days=1),      overcapture_bps=1500, incremental=True),
    "discover":   Network(timedelta(days=10),  timedelta(days=2),      overcapture_bps=1500, incremental=True),
    "jcb":        Network(timedelta(days=7),   timedelta(days=1)),
    "unionpay":   Network(timedelta(days=7),   timedelta(days=1)),
    "diners":     Network(timedelta(days=7),   timedelta(days=1),      incremental=True),
}
# fmt: on

DEBIT: Final = Network(timedelta(0), timedelta(0))
"""A bank debit holds nothing: it is taken at once, or not at all."""


def network_of(name: str | None) -> Network:
    """A network's rules; of a method without one, those of a debit."""
    return NETWORKS[name] if name else DEBIT


def most_capturable_minor(name: str | None, authorized_minor: int) -> int:
    """The most that may be captured in all of a hold of `authorized_minor`, rounded down."""
    return authorized_minor + authorized_minor * network_of(name).overcapture_bps // BPS
