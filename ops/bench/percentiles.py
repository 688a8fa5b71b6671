"""Percentiles by nearest rank: each is a value that was really measured."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PERCENTS = (50, 90, 99)


def percentile(values: Collection[float], percent: float) -> float:
    """The smallest of the values that at least `percent` (over 0, to 100) of them do not exceed.

    Raises:
        ValueError: there are no values, or the percentage is none.
    """
    if not values or not 0 < percent <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"no percentile {percent} of {len(values)} values")
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def summary(values: Collection[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest."""
    return {f"p{percent}": percentile(values, percent) for percent in PERCENTS} | {"max": max(values)}
