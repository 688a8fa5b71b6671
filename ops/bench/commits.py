"""When each batch was committed, as its NOTIFY tells: no table knows the moment of its own commit.

A NOTIFY names the database session that sent it, but not the batch. Batches that share a partition come from one
worker, thus from one session, one after the other; so a worker's session is the one that notified exactly once
between the beginnings of each two of its batches.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

Notified = Mapping[int, Sequence[float]]
"""Process id of the session -> when it notified, in seconds, ascending."""


class Began(NamedTuple):
    """When a batch's transaction began, and whose messages it took in."""

    at: float
    partitions: set[int]


def commit_times(batches: Mapping[int, Began], notified: Notified) -> dict[int, float]:
    """Batch id -> when it was committed.

    Raises:
        ValueError: a batch was never notified of.
    """
    committed = {}
    for worker in _workers(batches):
        starts = {batch: began.at for batch, began in batches.items() if began.partitions <= worker}
        times = max(notified.values(), key=lambda times: _fit(sorted(starts.values()), times), default=())
        for batch, start in starts.items():
            following = bisect(times, start)
            if following == len(times):
                raise ValueError(f"nobody heard of batch {batch}")
            committed[batch] = times[following]
    return committed


def _workers(batches: Mapping[int, Began]) -> list[set[int]]:
    """The partitions of each worker: those that met in batches, directly or through others."""
    workers: list[set[int]] = []
    for began in batches.values():
        together = set(began.partitions).union(*(worker for worker in workers if worker & began.partitions))
        workers = [worker for worker in workers if not worker & together] + [together]
    return workers


def _fit(starts: Sequence[float], times: Sequence[float]) -> int:
    return sum(bisect(times, after) - bisect(times, before) == 1 for before, after in pairwise(starts))
