"""Accounts and journal as CSV or Parquet for a warehouse: one row a line, amounts as integers of minor units."""

from __future__ import annotations

import csv
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from db.queries import exports as sql
from ops.exports.files import replacing
from ops.exports.journal import ExportError
from schemas.currencies import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from db.connection import Connection
    from ops.statements.moments import Basis

ACCOUNT_SCHEMA: Final[dict[str, str]] = {
    "tenant": "string",
    "account_id": "int64",
    "account": "string",
    "owner": "string",
    "type": "string",
    "currency": "string",
    "minor_digits": "int8",
    "created_at": "timestamp",
}
JOURNAL_SCHEMA: Final[dict[str, str]] = {
    "tenant": "string",
    "entry_id": "int64",
    "line": "int16",
    "effective_at": "timestamp",
    "posted_at": "timestamp",
    "rule": "string",
    "object_type": "string",
    "object_id": "string",
    "source": "string",
    "event_id": "string",
    "account_id": "int64",
    "account": "string",
    "owner": "string",
    "type": "string",
    "direction": "int8",
    "amount_minor": "int64",
    "currency": "string",
    "minor_digits": "int8",
}
"""Column -> type. `direction` is 1 for debit, -1 for credit: `sum(direction * amount_minor)` of a currency is zero.
An amount in major units is `amount_minor / 10 ^ minor_digits`. Timestamps are UTC, in microseconds."""

ROWS_AT_ONCE: Final = 20_000

Row = dict[str, Any]


class _Table(Protocol):
    def write(self, rows: list[Row]) -> None:
        """Add rows."""

    def close(self) -> None:
        """Nothing more comes."""


async def write_warehouse(
    connection: Connection,
    folder: Path,
    kind: str,
    before: datetime,
    basis: Basis,
    tenant: str | None = None,
) -> dict[Path, int]:
    """Write `accounts` and `journal` to a folder as `kind`, csv or parquet; gives the files and their rows.

    Runs in the caller's transaction: on one snapshot both fit together. The same entries give the same files.

    Raises:
        ExportError: the package for Parquet is not installed.
    """
    accounts = (_with_digits(dict(row)) for row in await sql.accounts(connection, tenant=tenant))
    made = {}
    path = folder / f"accounts.{kind}"
    with replacing(path) as part:
        made[path] = await _write(part, kind, ACCOUNT_SCHEMA, _in_turn(accounts))
    path = folder / f"journal.{kind}"
    with replacing(path) as part:
        lines = _lines(connection, before, basis, tenant)
        made[path] = await _write(part, kind, JOURNAL_SCHEMA, lines)
    return made


async def _lines(
    connection: Connection, before: datetime, basis: Basis, tenant: str | None
) -> AsyncIterator[list[Row]]:
    rows: list[Row] = []
    async with sql.journal_cursor(connection, before=before, basis=basis, tenant=tenant) as found:
        async for row in found:
            rows.append(_with_digits(dict(row)))
            if len(rows) == ROWS_AT_ONCE:
                yield rows
                rows = []
    yield rows


async def _in_turn(rows: Iterable[Row]) -> AsyncIterator[list[Row]]:
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some


async def _write(path: Path, kind: str, schema: Mapping[str, str], rows: AsyncIterable[list[Row]]) -> int:
    table: _Table = _Parquet(path, schema) if kind == "parquet" else _Csv(path, schema)
    written = 0
    try:
        async for some in rows:
            table.write(some)
            written += len(some)
    finally:
        table.close()
    return written


class _Csv:
    def __init__(self, path: Path, schema: Mapping[str, str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._times = [name for name, kind in schema.items() if kind == "timestamp"]
        self._rows = csv.DictWriter(self._file, list(schema), extrasaction="ignore", lineterminator="\n")
        self._rows.writeheader()

    def write(self, rows: list[Row]) -> None:
        for row in rows:
            self._rows.writerow(row | {name: row[name].isoformat() for name in self._times})

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path, schema: Mapping[str, str]) -> None:
        try:
            import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional package, of 50 MB
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError as error:
            raise ExportError(
                "Parquet needs the package pyarrow: pip install 'counterfoil[books]'"
            ) from error
        types = {
            "string": pa.string(),
            "int8": pa.int8(),
            "int16": pa.int16(),
            "int64": pa.int64(),
            "timestamp": pa.timestamp("us", tz="UTC"),
        }
        self._batch = pa.RecordBatch
        self._schema = pa.schema(
            [pa.field(name, types[kind], nullable=False) for name, kind in schema.items()]
        )
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: list[Row]) -> None:
        if rows:
            self._writer.write_batch(self._batch.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _with_digits(row: Row) -> Row:
    return row | {"minor_digits": MINOR_DIGITS[row["currency"]]}
