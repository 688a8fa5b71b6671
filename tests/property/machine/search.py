"""Walks on purpose to what chance has not reached: lives of one order that came into the right state, continued.

A step is still one number, and chance has its own seed: a search finds the same each time, until the rules change.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tests.property.machine.commands import COMMANDS
from tests.property.machine.luck import Luck
from tests.property.machine.steps import STEPS, take
from tests.property.machine.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Step = tuple[str, str | None, str]
"""A transition: type of the object, state, trigger."""
Refusal = tuple[str, str]
"""A command, and the state in which it must be refused."""
Place = tuple[str, str | None]
"""Type of an object, and its state."""

LIFE: Final = 60
"""Steps of a life, and of its continuation."""
KEPT: Final = 25
"""Lives of which it is remembered how they came to a place."""
LUCK: Final = 2**20
LATE: Final = frozenset({"authorize_late", "capture_late"})
UNDECIDED: Final = frozenset({"requires_action", "pending", "declined"})
_ABOUT: Final = {command.name: command for command in COMMANDS}


class Search:
    """What is still `missing`, and how to come to where it could happen."""

    def __init__(self, steps: set[Step], refusals: set[Refusal], chance: Random) -> None:
        self.steps = set(steps)
        self.refusals = set(refusals)
        self._chance = chance
        self._ways: defaultdict[Place, list[list[int]]] = defaultdict(list)

    @property
    def missing(self) -> list[Step | Refusal]:
        """What was not reached yet."""
        return sorted((*self.steps, *self.refusals), key=str)

    def run(self, lives: int) -> None:
        """So many lives at most; the laws hold in each, and when it is settled."""
        for number in range(lives):
            goals = self.missing
            if not goals:
                return
            goal = goals[number % len(goals)]
            ways = self._ways[_place(goal)]
            way = self._chance.choice(ways) if ways and number % 2 else []
            self._live(list(way), goal)

    def _live(self, numbers: list[int], goal: Step | Refusal) -> None:
        """One order: as far as it is known, and on by chance."""
        numbers = numbers or [self._chance.randrange(LUCK) * len(STEPS)]  # the first step opens it
        town = Town(names_calls=numbers[0] % 2 == 0)
        for number in numbers:
            take(town, number)
        for _ in range(LIFE):
            if _place(goal) in _places(town):
                self._nudge(town, goal)
            numbers.append(self._next())
            take(town, numbers[-1])
            self._remember(town, numbers)
        for order_id in list(town.orders):
            town.retire(order_id)
        self.steps -= set(town.memory.taken)
        self.refusals -= set(town.refused)

    def _next(self) -> int:
        """Any step that does not open another order."""
        return self._chance.randrange(LUCK) * len(STEPS) + self._chance.randrange(1, len(STEPS))

    def _nudge(self, town: Town, goal: Step | Refusal) -> None:
        """What is to be refused is asked; what is to succeed late does."""
        command = _ABOUT.get(goal[0])
        if command is not None:
            for order_id in town.orders:
                town.command(command, order_id, Luck(self._chance.randrange(LUCK)))
        elif goal[-1] in LATE:
            for charge in town.provider.charges.values():
                if charge.status in UNDECIDED and (charge.method, charge.status) != (
                    "bank_debit",
                    "declined",
                ):
                    town.provider.decide(charge, None)
            for report in list(town.provider.reports):
                town.deliver(report)

    def _remember(self, town: Town, numbers: list[int]) -> None:
        for place in _places(town):
            ways = self._ways[place]
            if len(ways) < KEPT:
                ways.append(list(numbers))


def _place(goal: Step | Refusal) -> Place:
    """Where it could happen."""
    if len(goal) == 2:
        return _ABOUT[goal[0]].about, goal[1]
    kind, state, _ = goal
    return kind, state


def _places(town: Town) -> Iterator[Place]:
    """Where the objects are now."""
    for kind in ("payment", "refund", "dispute"):
        for one in town.memory.of(kind):
            yield kind, str(one.state)
