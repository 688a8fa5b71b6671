"""`counterfoil import orders` as a person meets it, without a broker: what it prints, keeps and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ops.cli.imports import commands

HEADER = "order_id,time,amount,currency\n"
GOOD = "a,2026-01-02T10:00:00Z,1234.50,EUR\nb,2026-01-03T10:00:00Z,1999,JPY\n"
BAD = "c,2026-01-02T10:00:00Z,1,EUR\nd,2026-01-02T10:00:00Z,1,EUR\nc,2026-01-02T10:00:00Z,many,EUR\n"


def run(folder: Path, content: str, *options: str) -> Result:
    file = folder / "orders.csv"
    file.write_text(content)
    return CliRunner().invoke(commands, ["import", "orders", str(file), "--dry-run", *options])


def test_totals_are_printed_by_currency_and_day_in_major_units(tmp_path: Path) -> None:
    result = run(tmp_path, HEADER + GOOD)
    assert result.exit_code == 0
    cells = [
        [cell.strip() for cell in line.split("│")[1:4]] for line in result.stdout.splitlines() if "│" in line
    ]
    assert cells == [
        ["EUR", "2026-01-02", "1,234.50 (1)"],
        ["JPY", "2026-01-03", "1,999 (1)"],
        ["EUR", "all days", "1,234.50 (1)"],
        ["JPY", "all days", "1,999 (1)"],
    ]


def test_orders_without_a_positive_total_are_named(tmp_path: Path) -> None:
    result = run(
        tmp_path, HEADER + GOOD + "gift,2026-01-02T10:00:00Z,0,EUR\nback,2026-01-02T10:00:00Z,-3,EUR\n"
    )
    assert result.exit_code == 0
    assert "2 orders with a total of zero or less cannot be payments: gift, back" in result.stdout


def test_one_bad_row_keeps_all_back_and_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, HEADER + GOOD + BAD)
    assert result.exit_code == 1
    assert "line 6, amount: 'many' is not a plain decimal number" in result.stderr
    assert "nothing is imported" in result.stderr
    assert result.stdout == ""


def test_rejects_can_be_mended_and_imported_and_nothing_is_lost(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    result = run(tmp_path, HEADER + GOOD + BAD, "--rejects", str(rejects))
    assert result.exit_code == 0
    assert "1 orders left out; their 2 rows are in" in result.stderr
    assert rejects.read_text().splitlines() == [HEADER.strip(), *BAD.splitlines()[::2]]
    mended = run(tmp_path, rejects.read_text().replace("many", "2.00"))
    assert mended.exit_code == 0
    assert "3.00 (1)" in mended.stdout


def test_a_row_of_an_unknown_order_keeps_all_back_even_with_rejects(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    result = run(tmp_path, HEADER + GOOD + ",2026-01-02T10:00:00Z,1,EUR\n", "--rejects", str(rejects))
    assert result.exit_code == 1
    assert "do not say which order" in result.stderr
    assert not rejects.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--mapping", "nothing"), "online-retail"),
        (("--currency", "EUR"), "currency column"),
        (("--timezone", "Mars/Olympus"), "Mars/Olympus"),
        (("--tenant", "No Tenant"), "tenant"),
        (("--fee-bps", "10001"), "10000"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    result = run(tmp_path, HEADER + GOOD, *options)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_file_that_is_no_csv_ends_in_one_line(tmp_path: Path) -> None:
    result = run(tmp_path, HEADER + 'a,"2026')
    assert result.exit_code == 1
    assert result.stderr.strip().endswith("line 2: unexpected end of data")
