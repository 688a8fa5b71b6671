"""The accounting export: the journal in numbered batches, each entry in exactly one, each batch the same forever.

A batch is a row of `journal_batches` (from which entry to which, control totals, hash) and a file that follows from
the ledger alone. The row is committed first; a file that a crash left out is written by the next run, and so is one
that got lost. Because the ledger only grows, the bytes are the same, and the hash says so.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson

from db.queries import exports as sql
from ops.exports.files import replacing
from ops.exports.journal import ExportError
from ops.statements.fence import settled_entry_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import asyncpg

    from db.connection import Connection

FORMAT: Final = "journal-lines.v1"
"""Columns and spelling of a batch's file. What this name stands for never changes: another way is another name."""
COLUMNS: Final = (
    "tenant",
    "entry_id",
    "line",
    "effective_at",
    "posted_at",
    "rule",
    "object_type",
    "object_id",
    "source",
    "event_id",
    "account",
    "owner",
    "type",
    "debit_minor",
    "credit_minor",
    "currency",
)
MOST_ENTRIES: Final = 20_000
"""Of one batch; there is no other limit to what a run exports."""


_SPELLING: Final = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


class ChangedHistoryError(ExportError):
    """A batch's entries no longer give the bytes that were exported: somebody changed the ledger."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's control totals; `totals` is debits, credits (minor units) and lines by currency."""

    tenant: str
    batch: int
    format: str
    after_entry_id: int
    last_entry_id: int
    entries: int
    lines: int
    totals: dict[str, dict[str, int]]
    sha256: str

    @property
    def name(self) -> str:
        """Of its files, without the ending: they sort by number."""
        return f"{self.tenant}-{self.batch:09}"


async def export_batches(
    connection: Connection, tenant: str, folder: Path, *, most_entries: int = MOST_ENTRIES
) -> list[Batch]:
    """Write every batch that `folder` lacks, then export all settled entries that are in none. Gives what it wrote.

    As the application's role, outside of a transaction. Exporters of one tenant take turns: none sees an entry that
    another took. Nothing new, no batch.

    Raises:
        ChangedHistoryError: a batch of the past is not what it was.
        UnsettledError: a transaction that may hold entries does not end.
    """
    written = [
        await write_batch(connection, batch, folder)
        for batch in await batches(connection, tenant)
        if not (_manifest(batch, folder).exists() and _file(batch, folder).exists())
    ]
    settled = await settled_entry_id(connection)
    while batch := await _next_batch(connection, tenant, settled, most_entries):
        written.append(await write_batch(connection, batch, folder))
    return written


async def batches(connection: Connection, tenant: str, number: int | None = None) -> list[Batch]:
    """A tenant's batches, or the one of that number."""
    rows = await sql.batches(connection, tenant=tenant, batch=number)
    return [Batch(**{name: row[name] for name in Batch.__slots__}) for row in rows]


async def write_batch(connection: Connection, batch: Batch, folder: Path) -> Batch:
    """Write a batch's CSV, then its manifest (the batch's control totals as JSON): with the manifest it is whole.

    Raises:
        ChangedHistoryError: the ledger no longer gives these bytes.
    """
    content = await _content(connection, batch.tenant, batch.after_entry_id, batch.last_entry_id)
    if content.sha256 != batch.sha256:
        raise ChangedHistoryError(
            f"batch {batch.batch} of {batch.tenant} was exported with {batch.sha256}, its entries now give"
            f" {content.sha256}: entries {batch.after_entry_id + 1} to {batch.last_entry_id} were changed;"
            " run `counterfoil check`"
        )
    with replacing(_file(batch, folder)) as part:
        part.write_bytes(content.body)
    told = {name: getattr(batch, name) for name in Batch.__slots__}
    with replacing(_manifest(batch, folder)) as part:
        part.write_bytes(orjson.dumps(told, option=_SPELLING))
    return batch


async def _next_batch(connection: Connection, tenant: str, settled: int, most_entries: int) -> Batch | None:
    async with connection.transaction():
        await sql.lock_batches(connection, tenant=tenant)
        row = await sql.last_batch(connection, tenant=tenant)
        number, after = (row["batch"] + 1, row["last_entry_id"]) if row else (1, 0)
        last = await sql.end_of_batch(
            connection, tenant=tenant, after=after, settled=settled, most=most_entries
        )
        if last is None:
            return None
        content = await _content(connection, tenant, after, last)
        batch = Batch(
            tenant,
            number,
            FORMAT,
            after,
            last,
            content.entries,
            content.lines,
            content.totals,
            content.sha256,
        )
        await sql.add_batch(
            connection,
            tenant=tenant,
            batch=number,
            format=FORMAT,
            after=after,
            last=last,
            entries=batch.entries,
            lines=batch.lines,
            totals=batch.totals,
            sha256=batch.sha256,
        )
        return batch


@dataclass(slots=True)
class _Content:
    """A batch's file and what it holds."""

    body: bytes
    entries: int = 0
    lines: int = 0
    totals: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()


async def _content(connection: Connection, tenant: str, after: int, last: int) -> _Content:
    rows = await sql.batch_lines(connection, tenant=tenant, after=after, last=last)
    content = _Content(_csv(rows), len({row["entry_id"] for row in rows}), len(rows))
    for row in sorted(rows, key=lambda row: row["currency"]):
        total = content.totals.setdefault(row["currency"], {"debit_minor": 0, "credit_minor": 0, "lines": 0})
        total["debit_minor" if row["direction"] == 1 else "credit_minor"] += row["amount_minor"]
        total["lines"] += 1
    return content


def _csv(rows: Iterable[asyncpg.Record]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_fields(row) for row in rows)
    return text.getvalue().encode()


def _fields(row: asyncpg.Record) -> tuple[Any, ...]:
    """A line, its times always with six digits and Z."""
    times = (f"{row[name]:%Y-%m-%dT%H:%M:%S.%fZ}" for name in ("effective_at", "posted_at"))
    amounts = (row["amount_minor"], 0) if row["direction"] == 1 else (0, row["amount_minor"])
    return (
        *(row[name] for name in COLUMNS[:3]),
        *times,
        *(row[name] for name in COLUMNS[5:13]),
        *amounts,
        row["currency"],
    )


def _file(batch: Batch, folder: Path) -> Path:
    return folder / f"{batch.name}.csv"


def _manifest(batch: Batch, folder: Path) -> Path:
    return folder / f"{batch.name}.json"
