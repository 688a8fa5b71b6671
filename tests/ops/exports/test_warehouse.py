"""CSV and Parquet: every line once, whole numbers, balanced, and the same files for the same entries."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from ops.exports.warehouse import ACCOUNT_SCHEMA, JOURNAL_SCHEMA, write_warehouse
from ops.statements.moments import Basis
from tests.ops.exports.conftest import AWKWARD
from tests.ops.statements.ledgers import post, sale

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Connection

END = datetime(2027, 1, 1, tzinfo=UTC)


async def written(
    connection: Connection, folder: Path, kind: str, tenant: str | None = None
) -> dict[Path, int]:
    async with connection.transaction(isolation="repeatable_read"):
        return await write_warehouse(connection, folder, kind, END, Basis.EFFECTIVE, tenant)


async def test_parquet_has_every_line_in_whole_minor_units(booked: Connection, tmp_path: Path) -> None:
    await post(booked, [sale(tenant="umbrella")])
    await written(booked, tmp_path, "parquet")
    journal = pq.read_table(tmp_path / "journal.parquet")
    lines = journal.to_pylist()
    assert len(lines) == await booked.fetchval("SELECT count(*) FROM lines")
    assert journal.column_names == list(JOURNAL_SCHEMA)
    assert str(journal.schema.field("amount_minor").type) == "int64"
    assert str(journal.schema.field("effective_at").type) == "timestamp[us, tz=UTC]"
    totals = {(line["tenant"], line["currency"]): 0 for line in lines}
    for line in lines:
        totals[line["tenant"], line["currency"]] += line["direction"] * line["amount_minor"]
    assert set(totals.values()) == {0}
    assert {(line["currency"], line["minor_digits"]) for line in lines} == {
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("CLF", 4),
    }
    known = pq.read_table(tmp_path / "accounts.parquet")
    assert known.column_names == list(ACCOUNT_SCHEMA)
    assert {line["account_id"] for line in lines} == set(known["account_id"].to_pylist())


async def test_csv_says_the_same_as_parquet(booked: Connection, tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        await written(booked, tmp_path, kind)
    with (tmp_path / "journal.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    typed = pq.read_table(tmp_path / "journal.parquet").to_pylist()
    assert rows == [
        {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in line.items()
        }
        for line in typed
    ]
    assert set(AWKWARD) <= {row["owner"] for row in rows}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
async def test_the_same_entries_give_the_same_files(booked: Connection, tmp_path: Path, kind: str) -> None:
    first = await written(booked, tmp_path / "first", kind)
    again = await written(booked, tmp_path / "again", kind)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert {path.parent.name for path in (*first, *again)} == {"first", "again"}


async def test_a_tenants_files_hold_nobody_elses(booked: Connection, tmp_path: Path) -> None:
    await post(booked, [sale(tenant="umbrella")])
    await written(booked, tmp_path, "parquet", "umbrella")
    for name, rows in (("accounts", 3), ("journal", 3)):
        assert pq.read_table(tmp_path / f"{name}.parquet")["tenant"].to_pylist() == ["umbrella"] * rows
