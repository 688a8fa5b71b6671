"""Whose books they are, who works at the desk, and what day it is there.

Each house lives by a test clock that begins on the day of the play, whatever the machine's clock says: so promotions
expire, proposals lapse and a quarter ends within minutes. Their names have the seed in them, for clocks never go back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.demo.merchants import DAY, MARKETS, Market, worth_minor

if TYPE_CHECKING:
    from random import Random

Actor = dict[str, str]

CLERK: Final[Actor] = {"id": "ada", "role": "finance"}
CHIEF: Final[Actor] = {"id": "grace", "role": "finance"}
MANAGER: Final[Actor] = {"id": "maya", "role": "manager"}
HELPER: Final[Actor] = {"id": "kim", "role": "support"}
PROGRAM: Final[Actor] = {"id": "treasury-bot", "role": "system"}

AT_WORK: Final = timedelta(hours=10)
"""When the desk says something, after midnight."""
NOON: Final = timedelta(hours=12)
"""When promotions and holds expire on their last day."""
NIGHT: Final = timedelta(hours=23)
"""What the test clock says on a day: all that is due has come."""
FOR_GOOD: Final = 40_000
"""So many days after the day, nothing expires while we play, by whatever clock."""


@dataclass(frozen=True, slots=True)
class House:
    """A tenant that keeps books: how it counts periods, the one that it closes first, and the one that the day is in.

    `before` is the one before the first, which nobody ever closes. `starts`, `ends`: when the day's period begins and
    ends, written out; `zone` says why.
    """

    market: Market
    zone: str
    unit: str
    before: str
    first: str
    period: str
    starts: datetime
    ends: datetime


def houses(seed: int) -> tuple[House, ...]:
    """The houses of a play, with currencies of 2, 0 and 3 decimals; their clocks change in spring, never, and never."""
    return (
        House(
            Market(f"kontor-{seed}", f"/finance/kontor-{seed}", ("EUR", "USD", "CHF")),
            "Europe/Berlin", "month", "2026-01", "2026-02", "2026-03",
            datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC),
        ),
        House(
            Market(f"soroban-{seed}", f"/finance/soroban-{seed}", ("JPY", "KRW", "USD")),
            "Asia/Tokyo", "month", "2026-01", "2026-02", "2026-03",
            datetime(2026, 2, 28, 15, tzinfo=UTC), datetime(2026, 3, 31, 15, tzinfo=UTC),
        ),
        House(
            Market(f"diwan-{seed}", f"/finance/diwan-{seed}", ("KWD", "BHD", "USD")),
            "Asia/Kuwait", "quarter", "2025-Q3", "2025-Q4", "2026-Q1",
            datetime(2025, 12, 31, 21, tzinfo=UTC), datetime(2026, 3, 31, 21, tzinfo=UTC),
        ),
    )  # fmt: skip


def desks(seed: int) -> tuple[Market, ...]:
    """The finance desks of the marketplaces themselves, which publish under names of their own."""
    return tuple(
        Market(market.tenant, f"/finance/{market.tenant}-{seed}", market.currencies) for market in MARKETS
    )


def at(day: int, hour: timedelta = AT_WORK) -> datetime:
    """A time on a day of the play."""
    return DAY + timedelta(days=day) + hour


def some_minor(random: Random, currency: str, least_euros: int = 10, most_euros: int = 900) -> int:
    """An amount worth between so many euros, not a round one."""
    return worth_minor(random.randint(least_euros, most_euros), currency) + random.randrange(10)


def leg(side: str, account: str, owner: str, amount_minor: int, currency: str) -> dict[str, Any]:
    """A leg of a journal."""
    return {
        "side": side,
        "account": account,
        "owner": owner,
        "amount_minor": amount_minor,
        "currency": currency,
    }
