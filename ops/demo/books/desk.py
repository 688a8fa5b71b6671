"""The finance desk: journals, reversals and conversions, and what each must leave in the accounts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any, Final

from handlers.journals.model import journal_uuid_of
from ops.demo.books.houses import CHIEF, CLERK, at, leg
from schemas.currencies import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from ops.demo.books.houses import Actor
    from ops.demo.books.script import Script
    from ops.demo.merchants import Market

OPPOSITE: Final = {"debit": "credit", "credit": "debit"}
ROUNDED: Final[dict[str, Callable[[Fraction], int]]] = {
    "half_even": round,
    "half_up": lambda exact: floor(exact + Fraction(1, 2)),
    "down": floor,
}
"""Rounding of what is bought, in fractions, for these are exact."""

Legs = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Instead:
    """What should have been posted, and how it is said."""

    legs: Legs
    said: dict[str, Any]


def these(legs: Legs) -> Instead:
    """It is said by the legs themselves."""
    return Instead(legs, {"legs": legs})


class Desk:
    """One matter at a desk, mostly in `currency`, proposed by `proposer`.

    Every method is something that a person there says; `refused` is why it must not happen.
    """

    def __init__(self, script: Script, random: Random, market: Market, name: str) -> None:
        self.currency = random.choice(market.currencies)
        self.script = script
        self.random = random
        self.market = market
        self.name = name
        self.proposer = CLERK
        self._journals = 0
        self._proposed: dict[str, Legs] = {}

    @property
    def states(self) -> dict[tuple[str, str], str]:
        """Where journals must stand in the end."""
        return self.script.expected.journals

    def propose(
        self,
        legs: Legs,
        *,
        day: int = 0,
        effective_at: datetime | None = None,
        refused: str | None = None,
        again: bool = False,
    ) -> str:
        """Propose a journal; `again`: under the name of the one before. Gives its name."""
        journal_id = self._name(new=not again)
        data = {
            "effective_at": (effective_at or at(day)).isoformat(),
            "legs": legs,
            "references": {"statement": f"{self.name}-of-{day}"},
        }
        self._say(day, journal_id, "journal_proposed", data | {"reason": self.name}, self.proposer, refused)
        if refused is None:
            self._opened(journal_id, legs)
        return journal_id

    def propose_in_parts(
        self, legs: Legs, order: list[int], *, day: int = 0, twice: int | None = None
    ) -> str:
        """Propose legs in as many parts as `order` has and one more: first the first, then the others in that order.

        Without any in `order` the second never comes. `twice`: a part that comes again, and is refused.
        """
        journal_id = self._name(new=True)
        parts = max(len(order), 1) + 1
        size = -(-len(legs) // parts)
        data = {"effective_at": at(day).isoformat(), "legs": legs[:size], "parts": parts}
        self._say(day, journal_id, "journal_proposed", data | {"reason": self.name}, CLERK)
        self._opened(journal_id, legs, "proposed" if order else "collecting")
        for part in order:
            more = {"part": part, "legs": legs[(part - 1) * size : part * size]}
            self._say(day, journal_id, "journal_part_added", more, CLERK)
            if part == twice:
                self._say(day, journal_id, "journal_part_added", more, CLERK, "part_exists")
        return journal_id

    def approve(
        self,
        journal_id: str,
        *,
        day: int = 0,
        who: Actor = CHIEF,
        reverses: dict[str, Any] | None = None,
        refused: str | None = None,
    ) -> None:
        """Agree to a journal, which so is in the books."""
        data = {"note": "as agreed"} | ({"reverses": reverses} if reverses else {})
        self._say(day, journal_id, "journal_approved", data, who, refused)
        if refused is None:
            self.states[self.market.tenant, journal_id] = "posted"
            self.script.book(self.market, self._proposed[journal_id])

    def approve_and_propose(self, legs: Legs) -> None:
        """The approval is sent before the journal, and waits for it."""
        journal_id = f"{self.name}-{self._journals + 1}"
        self._proposed[journal_id] = legs
        self.approve(journal_id)
        self.propose(legs)
        self.states[self.market.tenant, journal_id] = "posted"

    def refuse(
        self, journal_id: str, *, day: int = 0, who: Actor = CHIEF, refused: str | None = None
    ) -> None:
        """Decide against a journal, or withdraw it."""
        self._say(day, journal_id, "journal_refused", {"note": "better not"}, who, refused)
        if refused is None:
            self.states[self.market.tenant, journal_id] = "refused"

    def lapses(self, journal_id: str) -> None:
        """Nobody says anything more about it."""
        self.states[self.market.tenant, journal_id] = "lapsed"

    def reverse(
        self,
        entry: dict[str, Any],
        taken_back: Legs,
        *,
        day: int,
        lines: list[tuple[int, int]] | None = None,
        instead: Instead | None = None,
        effective: str = "today",
        refused: str | None = None,
    ) -> str:
        """Propose to take `taken_back` of an entry back: all that is left, or of some lines so much."""
        journal_id = self._name(new=True)
        data: dict[str, Any] = {"entry": entry, "effective": effective, "reason": self.name}
        if lines is not None:
            data["lines"] = [{"line": line, "amount_minor": minor} for line, minor in lines]
        if instead is not None:
            data |= instead.said
        self._say(day, journal_id, "reversal_proposed", data, self.proposer, refused)
        if refused is None:
            back = [one | {"side": OPPOSITE[one["side"]]} for one in taken_back]
            self._opened(journal_id, [*back, *(instead.legs if instead else [])])
        return journal_id

    def convert(
        self,
        currencies: tuple[str, str],
        sold_minor: int,
        rate: str,
        *,
        day: int = 0,
        rounding: str = "half_even",
        above_minor: int | None = None,
        refused: str | None = None,
    ) -> str:
        """Propose to sell one currency for the other; `above_minor`: so much more arrives than the rate says."""
        journal_id = self._name(new=True)
        sold, bought = currencies
        shift = Fraction(10) ** (MINOR_DIGITS[bought] - MINOR_DIGITS[sold])
        by_rate_minor = ROUNDED[rounding](sold_minor * Fraction(rate) * shift)
        arrived_minor = by_rate_minor + (above_minor or 0)
        data: dict[str, Any] = {
            "sold": {"amount_minor": sold_minor, "currency": sold},
            "sold_from": {"account": "bank_clearing", "owner": "house-bank"},
            "currency": bought,
            "bought_into": {"account": "bank_clearing", "owner": "house-bank"},
            "rate": rate,
            "rate_source": "central-bank",
            "rate_at": at(day).isoformat(),
            "rounding": rounding,
            "effective_at": at(day).isoformat(),
            "reason": self.name,
        }
        if above_minor is not None:
            data["bought_minor"] = arrived_minor
        self._say(day, journal_id, "conversion_proposed", data, CLERK, refused)
        if refused is None:
            self._opened(journal_id, self._traded(sold, sold_minor, bought, by_rate_minor, above_minor or 0))
            self.script.expected.differences[self.market.tenant, journal_id] = above_minor or 0
        return journal_id

    def entry_of(self, journal_id: str, number: int = 1) -> dict[str, Any]:
        """The name of an entry that a journal posted."""
        return {"object_id": str(journal_uuid_of(self.market.tenant, journal_id)), "number": number}

    def _traded(self, sold: str, sold_minor: int, bought: str, by_rate_minor: int, above_minor: int) -> Legs:
        pair = f"{sold}/{bought}"
        return [
            leg("credit", "bank_clearing", "house-bank", sold_minor, sold),
            leg("debit", "trading", pair, sold_minor, sold),
            leg("credit", "trading", pair, by_rate_minor, bought),
            leg("debit", "bank_clearing", "house-bank", by_rate_minor + above_minor, bought),
            leg("credit", "rounding_difference", self.market.tenant, above_minor, bought),
        ]

    def _name(self, *, new: bool) -> str:
        self._journals += new
        return f"{self.name}-{self._journals}"

    def _opened(self, journal_id: str, legs: Legs, state: str = "proposed") -> None:
        self.states[self.market.tenant, journal_id] = state
        self._proposed[journal_id] = legs

    def _say(
        self,
        day: int,
        journal_id: str,
        name: str,
        data: dict[str, Any],
        who: Actor,
        refused: str | None = None,
    ) -> None:
        named = {"journal_id": journal_id, "actor": who} | data
        self.script.say(day, self.market, journal_id, name, named, refused)
