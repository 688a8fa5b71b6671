"""Tables as the report draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

BAR_WIDTH: Final = 30


def new_table(title: str, first: str, *numbers: str) -> Table:
    """A table with a heading of its first column, and such of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def counts_table(title: str, counts: Mapping[str, int]) -> Table:
    """Counts with a bar each; what there is none of is left out."""
    table = new_table(title, "", "number", "")
    table.columns[2].justify = "left"
    most = max(counts.values(), default=0)
    for name, count in counts.items():
        if count:
            table.add_row(name, f"{count:,}", _bar(count, most))
    return table


def _bar(count: int, most: int) -> str:
    """A bar of BAR_WIDTH for the most there is; never none for something."""
    return "▇" * max(1, round(BAR_WIDTH * count / most))
