"""The closing of a house's books: what its people and a program say on each day, and what comes late."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.demo.books.desk import Desk
from ops.demo.books.houses import CHIEF, CLERK, HELPER, PROGRAM, some_minor
from ops.demo.books.journal_cases import banked
from ops.demo.books.purse import Purse
from ops.demo.cases import DECIDED

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from ops.demo.books.houses import Actor, House
    from ops.demo.books.script import Script

SOFT, LAST_ENTRIES, CLOSED, LATE, REOPENED, CORRECTED, FINAL = 26, 27, 28, 29, 30, 31, 32
"""The days of the closing, of which the first is 1 April."""
DAYS: Final[dict[int, str]] = {
    SOFT: "a program closes the books softly",
    LAST_ENTRIES: "people book the last of it",
    CLOSED: "finance closes the books",
    LATE: "what comes late is booked into the open period",
    REOPENED: "two people open them again",
    CORRECTED: "what was wrong is corrected",
    FINAL: "the books are closed for good",
}
SHORTLY: Final = timedelta(days=9)
"""So long before the end of a period happens what comes late."""


def close_books(script: Script, random: Random, house: House) -> None:
    """Everything about the periods of one house."""
    _Closing(script, random, house).play()


class _Closing:
    def __init__(self, script: Script, random: Random, house: House) -> None:
        self.script = script
        self.random = random
        self.house = house
        self.tenant = house.market.tenant
        self.desk = Desk(script, random, house.market, "closing")
        self.purse = Purse(script, random, house.market, "latecomer")

    def play(self) -> None:
        house = self.house
        self.purse.open()
        self._first_period()
        self._late(DECIDED, house.first, house.starts)
        self.desk.lapses(self._too_late(DECIDED, house.starts))

        self._say(SOFT, "period_soft_close_requested", house.period, PROGRAM)
        self._late(LAST_ENTRIES, house.period, house.ends)
        legs = banked(self.desk)
        last = self._in_time(LAST_ENTRIES, legs)
        self._say(CLOSED, "period_close_requested", house.period, CLERK)

        self._late(LATE, house.period, house.ends)
        self._too_late(LATE, house.ends)
        self._undo_last(last, legs)
        self._say(LATE, "period_close_requested", house.period, CLERK, "state_forbids")
        self._say(LATE, "period_close_requested", house.before, CLERK, "period_out_of_order")
        self._unfinished()

        self._say(REOPENED, "period_reopening_requested", house.period, CLERK)
        self._say(REOPENED, "period_reopening_approved", house.period, CLERK, "four_eyes")
        self._say(REOPENED, "period_reopening_approved", house.period, CHIEF)
        self._in_time(CORRECTED, banked(self.desk))
        self._credit(CORRECTED, house.ends - SHORTLY)
        self._say(FINAL, "period_close_requested", house.period, CHIEF)
        self._say(FINAL, "period_reopening_requested", house.period, CHIEF)
        self._say(FINAL, "period_reopening_refused", house.period, CLERK)
        self.purse.end()
        for period in (house.first, house.period):
            self.script.expected.periods[self.tenant, period] = "closed"

    def _first_period(self) -> None:
        """The calendar, and the period before, which was over when the day began."""
        house = self.house
        calendar = {"zone": house.zone, "unit": house.unit}
        self._ask(0, "calendar_set", calendar, HELPER, "actor_not_allowed")
        self._ask(0, "calendar_set", calendar, CLERK)
        self._say(0, "period_soft_close_requested", house.first, PROGRAM)
        self._say(0, "period_close_requested", house.first, PROGRAM, "actor_not_allowed")
        self._say(0, "period_close_requested", house.first, CLERK)
        self._ask(0, "calendar_set", calendar | {"unit": "year"}, CLERK, "calendar_in_use")
        self._say(0, "period_close_requested", house.period, CLERK, "period_not_over")
        self._say(0, "period_close_requested", "2025", CLERK, "period_unknown")

    def _late(self, day: int, period: str, opens: datetime) -> None:
        """Money came shortly before the period's end: it is booked when the next one starts, and says so."""
        happened_at = opens - SHORTLY
        self._credit(day, happened_at)
        self.script.expected.origins[self.tenant, period, happened_at, opens] += 1

    def _credit(self, day: int, happened_at: datetime) -> None:
        self.purse.on(day)
        self.purse.credit(some_minor(self.random, self.purse.currency), happened_at=happened_at)

    def _in_time(self, day: int, legs: list[dict[str, Any]]) -> str:
        """A journal of a day in the period, which takes it."""
        journal_id = self.desk.propose(legs, day=day, effective_at=self.house.ends - SHORTLY)
        self.desk.approve(journal_id, day=day)
        return journal_id

    def _too_late(self, day: int, closed_before: datetime) -> str:
        """A journal of a day in a closed period; nobody can approve it."""
        journal_id = self.desk.propose(banked(self.desk), day=day, effective_at=closed_before - SHORTLY)
        self.desk.approve(journal_id, day=day, refused="period_closed")
        return journal_id

    def _undo_last(self, journal_id: str, legs: list[dict[str, Any]]) -> None:
        """An entry of a closed period is taken back today, not at its own date."""
        entry = self.desk.entry_of(journal_id)
        back = self.desk.reverse(entry, legs, day=LATE, effective="original")
        self.desk.approve(back, day=LATE, reverses=entry, refused="period_closed")
        back = self.desk.reverse(entry, legs, day=REOPENED)
        self.desk.approve(back, day=REOPENED, reverses=entry)

    def _unfinished(self) -> None:
        """What still waits for somebody when the play ends."""
        self.desk.propose(banked(self.desk), day=LATE)
        self.desk.propose_in_parts(banked(self.desk), [], day=LATE)

    def _say(self, day: int, name: str, period: str, who: Actor, refused: str | None = None) -> None:
        self._ask(day, name, {"period": period, "note": DAYS.get(day, "as every time")}, who, refused)

    def _ask(self, day: int, name: str, data: dict[str, Any], who: Actor, refused: str | None = None) -> None:
        self.script.say(day, self.house.market, "periods", name, data | {"actor": who}, refused)
