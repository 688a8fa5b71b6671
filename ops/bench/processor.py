"""Who used the processor meanwhile: our processes one by one, and everybody else on the machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Use:
    """Processor seconds by process; `others_cores` is how many cores, on average, work that is not ours kept busy."""

    cpu_seconds: dict[str, float]
    others_cores: float


class Meter:
    """Counts from its construction on. `roots` are processes by name; each counts with all its descendants."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = {**roots, "bench": os.getpid()}
        self._since = time.monotonic()
        self._before = self._spent()
        self._busy_before = _busy_seconds()

    def read(self) -> Use:
        """What was used since."""
        seconds = time.monotonic() - self._since
        busy = _busy_seconds() - self._busy_before
        spent = {name: total - self._before[name] for name, total in self._spent().items()}
        return Use(spent, max(0.0, busy - sum(spent.values())) / seconds)

    def _spent(self) -> dict[str, float]:
        ours = {*self._roots.values()}
        return {name: _tree_seconds(pid, ours - {pid}) for name, pid in self._roots.items()}


def _tree_seconds(pid: int, apart: set[int]) -> float:
    """Of a process and its descendants, but for those that are counted `apart`, with theirs."""
    if pid in apart:
        return 0.0
    try:
        root = psutil.Process(pid)
        times = root.cpu_times()
        children = root.children()
    except psutil.NoSuchProcess:
        return 0.0  # it ended between two looks
    return times.user + times.system + sum(_tree_seconds(child.pid, apart) for child in children)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
