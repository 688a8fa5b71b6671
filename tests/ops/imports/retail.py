"""The UCI Online Retail files beside the repository, and the independent totals of SOURCES.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

DATA = Path(__file__).parents[4] / "shared" / "data"
FILES = {"first_days": 2010, "edge_days": 2011}
"""Name -> the year of its days; January belongs to the year after."""

_DAY = re.compile(r"(\d\d)-(\d\d) (\d+)/(\d+)/(-?\d+\.\d+)/(-?\d+\.\d+)")


@dataclass(frozen=True)
class Expected:
    """A day as SOURCES.md has it: rows and orders of all kinds; adjustments are in `sales`."""

    rows: int
    orders: int
    sales: Decimal
    cancelled: Decimal


def retail_file(name: str) -> Path:
    """The file, or a skip that says what is missing."""
    file = DATA / "retail" / f"online_retail_{name}.csv.gz"
    if not file.exists():
        pytest.skip("needs ../shared/data/retail beside the repository: the UCI Online Retail files")
    return file


def expected_days(name: str) -> dict[str, Expected]:
    """ISO day -> its independent totals."""
    retail_file(name)
    lines = (DATA / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith(f"Per day, {name} "))
    days = {}
    for month, day, rows, orders, sales, cancelled in _DAY.findall(line):
        year = FILES[name] + (month == "01")
        days[f"{year}-{month}-{day}"] = Expected(int(rows), int(orders), Decimal(sales), Decimal(cancelled))
    return days


def expected_sum(name: str, row: str) -> str:
    """A cell of the summary table, as it is written."""
    retail_file(name)
    lines = (DATA / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    cells = next(line for line in lines if line.startswith(f"| {row} |")).split("|")
    return cells[2 + list(FILES).index(name)].strip().replace(",", "")
