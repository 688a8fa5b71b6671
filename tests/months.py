"""Which months of the books are shut, kept as a bookkeeper would: a list of months, each with a word beside it.

Knows nothing of how the system does it: months are walked one by one, and where one begins is found by looking at a
clock in the zone until its hand passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

Month = tuple[int, int]
"""Year and month of the zone's own dates."""
Word = Literal["open", "soft", "shut"]


@dataclass
class Months:
    """`words` are of months that somebody touched; before the first of them all is shut."""

    zone: str = "UTC"
    words: dict[Month, Word] = field(default_factory=dict)

    def took(self, command: str, period: str) -> None:
        """Somebody's command about a month was carried out."""
        month = (int(period[:4]), int(period[5:]))
        before = self.words.get(month, "open")
        after: dict[str, Word] = {
            "soft_close_requested": "soft",
            "close_requested": "shut",
            "reopening_requested": "open" if before == "soft" else before,
            "reopening_approved": "open",
            "reopening_refused": before,
        }
        self.words[month] = after[command]

    def goes(self, happened: datetime, *, by_hand: bool) -> tuple[datetime, str | None]:
        """When an entry is effective, and the month it comes from, if it could not go there."""
        came_from = month = _month_of(happened, self.zone)
        while self._is_shut(month, by_hand=by_hand):
            month = _after(month)
        if month == came_from:
            return happened, None
        return begins(month, self.zone), f"{came_from[0]:04}-{came_from[1]:02}"

    def _is_shut(self, month: Month, *, by_hand: bool) -> bool:
        if self.words and month < min(self.words):
            return True
        word = self.words.get(month, "open")
        return word == "shut" or (word == "soft" and not by_hand)


@cache
def begins(month: Month, zone: str) -> datetime:
    """The first minute in which a calendar on the wall of that zone shows the month."""
    minute = datetime(*month, 1, tzinfo=UTC) - timedelta(hours=15)
    while _month_of(minute, zone) < month:
        minute += timedelta(minutes=1)
    return minute


def _month_of(moment: datetime, zone: str) -> Month:
    local = moment.astimezone(ZoneInfo(zone))
    return local.year, local.month


def _after(month: Month) -> Month:
    return (month[0], month[1] + 1) if month[1] < 12 else (month[0] + 1, 1)
