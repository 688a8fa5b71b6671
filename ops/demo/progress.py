"""A live view of a play: where the records are, and how fast they go."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ops.demo.stage import Observer
    from ops.demo.standing import Standing

LINE_EVERY_S: Final = 2.0
"""Without a terminal, a line is printed now and then instead."""


@contextmanager
def live_view(console: Console, events: int | None = None) -> Iterator[Observer]:
    """Show what the observer is told; with bars where it is known how many events there will be."""
    if console.is_terminal:
        with Live(console=console, transient=True, refresh_per_second=8) as live:
            view = _View(events)

            def show(acknowledged: int, standing: Standing) -> None:
                live.update(view.drawn(acknowledged, standing))

            yield show
        return

    began = last = time.monotonic()

    def tell(acknowledged: int, standing: Standing) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            console.print(f"{now - began:5.1f} s  " + ", ".join(_numbers(acknowledged, standing)))

    yield tell


def _numbers(acknowledged: int, standing: Standing) -> list[str]:
    return [
        f"{acknowledged:,} published",
        f"{standing.taken_in:,} taken in",
        f"{standing.applied:,} applied",
        f"{standing.parked:,} parked",
        f"{standing.calls_open:,} calls open ({standing.calls_unknown:,} unknown)",
        f"{standing.published:,} published out",
    ]


class _View:
    """Bars, where there is an end, and the numbers that go up and down."""

    def __init__(self, events: int | None) -> None:
        self._began = time.monotonic()
        self._has_end = events is not None
        self._bars = Progress(
            TextColumn("{task.description:>10}"), BarColumn(60), TextColumn("{task.completed:,}")
        )
        self._published = self._bars.add_task("published", total=events)
        self._taken_in = self._bars.add_task("taken in", total=events)

    def drawn(self, acknowledged: int, standing: Standing) -> Table:
        """The view as it is now."""
        self._bars.update(self._published, completed=acknowledged)
        self._bars.update(self._taken_in, completed=standing.taken_in)
        seconds = time.monotonic() - self._began
        numbers = {
            "applied": standing.applied,
            "parked": standing.parked,
            "calls open": standing.calls_open,
            "unknown": standing.calls_unknown,
            "published out": standing.published,
            "seconds": round(seconds),
        }
        below = Table(*numbers, box=None, padding=(0, 2))
        below.add_row(*(f"{number:,}" for number in numbers.values()))
        view = Table.grid()
        if self._has_end:
            view.add_row(self._bars)
        view.add_row(below)
        return view
