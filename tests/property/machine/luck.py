"""Chance and time, both from outside: one number decides what a step does, so that Hypothesis can shrink it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

START: Final = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


class Luck:
    """Choices made by the digits of one number; when they are used up, every choice is the first."""

    def __init__(self, number: int) -> None:
        self._left = number

    def below(self, limit: int) -> int:
        """A number from 0 on, below the limit."""
        self._left, chosen = divmod(self._left, limit)
        return chosen

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[self.below(len(choices))]

    def one_in(self, number: int) -> bool:
        """Rarely True; not when luck is used up."""
        return self.below(number) == 1


class Clock:
    """The one time of everybody; it only moves on."""

    def __init__(self) -> None:
        self.now = START

    def tick(self) -> None:
        """A second."""
        self.now += timedelta(seconds=1)

    def jump(self, to: datetime) -> None:
        """To a time, unless that is past."""
        self.now = max(self.now, to)
