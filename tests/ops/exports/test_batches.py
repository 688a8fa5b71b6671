"""Batches for accounting: each entry once, the same bytes again, whatever crashes, races or comes late."""

from __future__ import annotations

import asyncio
import csv
from hashlib import sha256
from typing import TYPE_CHECKING

import asyncpg
import orjson
import pytest

from db.connection import connect
from db.queries import exports as sql
from ops.exports.batches import ChangedHistoryError, batches, export_batches, write_batch
from ops.exports.files import FileError, replacing
from tests.ops.exports.conftest import DAY
from tests.ops.statements.ledgers import START, post, post_within, sale

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Connection, Database


def files(folder: Path) -> dict[str, bytes]:
    """Name -> content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def exported(folder: Path) -> list[int]:
    """The numbers of all entries in all files, in order, one for each entry of a file."""
    found: list[int] = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            found += dict.fromkeys(int(row["entry_id"]) for row in csv.DictReader(file))
    return found


async def test_every_entry_is_exported_once_with_its_control_totals(
    booked: Connection, tmp_path: Path
) -> None:
    made = await export_batches(booked, "acme", tmp_path, most_entries=7)
    assert [batch.entries for batch in made] == [7, 7, len(DAY) - 14]
    assert exported(tmp_path) == list(range(1, len(DAY) + 1))
    for batch in made:
        body = (tmp_path / f"{batch.name}.csv").read_bytes()
        told = orjson.loads((tmp_path / f"{batch.name}.json").read_bytes())
        assert told["sha256"] == batch.sha256 == sha256(body).hexdigest()
        rows = list(csv.DictReader(body.decode().splitlines()))
        for currency, total in told["totals"].items():
            of_currency = [row for row in rows if row["currency"] == currency]
            debits = sum(int(row["debit_minor"]) for row in of_currency)
            assert debits == total["debit_minor"] == total["credit_minor"]
            assert len(of_currency) == total["lines"]
    assert await export_batches(booked, "acme", tmp_path) == []
    assert await sql.wrong_batches(booked) == []


async def test_what_is_posted_later_is_in_the_next_batch_alone(booked: Connection, tmp_path: Path) -> None:
    await export_batches(booked, "acme", tmp_path)
    before = files(tmp_path)
    ids = await post(booked, [sale(500), sale(600)])
    await post(booked, [sale(tenant="umbrella")])
    (batch,) = await export_batches(booked, "acme", tmp_path)
    assert (batch.batch, batch.entries) == (2, 2)
    assert exported(tmp_path)[-2:] == ids
    assert {name: files(tmp_path)[name] for name in before} == before
    (others,) = await export_batches(booked, "umbrella", tmp_path)
    assert (others.batch, others.entries) == (1, 1)


async def test_a_lost_folder_is_written_again_to_the_byte(booked: Connection, tmp_path: Path) -> None:
    await export_batches(booked, "acme", tmp_path / "first", most_entries=5)
    await post(booked, [sale(500)])
    again = await export_batches(booked, "acme", tmp_path / "second", most_entries=1)
    first, second = files(tmp_path / "first"), files(tmp_path / "second")
    assert {name: second[name] for name in first} == first
    assert len(again) == len(first) // 2 + 1


@pytest.mark.parametrize("ending", [".csv", ".json"])
async def test_a_file_that_a_crash_left_out_is_written_by_the_next_run(
    booked: Connection, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replacing

    def full_disk(path: Path) -> object:
        if path.suffix == ending:
            raise FileError("No space left on device")
        return real(path)

    monkeypatch.setattr("ops.exports.batches.replacing", full_disk)
    with pytest.raises(FileError, match="No space"):
        await export_batches(booked, "acme", tmp_path)
    monkeypatch.undo()
    assert len(await batches(booked, "acme")) == 1
    (batch,) = await export_batches(booked, "acme", tmp_path)
    assert sorted(files(tmp_path)) == [f"{batch.name}.csv", f"{batch.name}.json"]
    assert exported(tmp_path) == list(range(1, len(DAY) + 1))


async def test_exporters_at_once_take_turns(database: Database, app: Connection, tmp_path: Path) -> None:
    await post(app, [sale(100 + number) for number in range(60)])
    exporters = [await connect(database.app_url, application="test") for _ in range(4)]
    await asyncio.gather(
        *(
            export_batches(exporter, "acme", tmp_path / str(number), most_entries=3)
            for number, exporter in enumerate(exporters)
        )
    )
    for exporter in exporters:
        await exporter.close()
    numbered = await batches(app, "acme")
    assert [batch.batch for batch in numbered] == list(range(1, 21))
    await export_batches(app, "acme", tmp_path / "all")
    assert exported(tmp_path / "all") == list(range(1, 61))
    together = {name: body for number in range(4) for name, body in files(tmp_path / str(number)).items()}
    assert together == files(tmp_path / "all")
    assert await sql.wrong_batches(app) == []


async def test_an_entry_that_commits_late_is_not_skipped(
    database: Database, booked: Connection, tmp_path: Path
) -> None:
    writer = await connect(database.app_url, application="late")
    transaction = writer.transaction()
    await transaction.start()
    (late,) = await post_within(writer, [sale(7_777)], stripe=1)
    (early,) = await post(booked, [sale(8_888)])
    assert late < early
    exporting_now = asyncio.create_task(export_batches(booked, "acme", tmp_path))
    await transaction.commit()
    await exporting_now
    await writer.close()
    assert exported(tmp_path)[-2:] == [late, early]


async def test_a_number_that_was_never_used_is_no_entry(
    database: Database, booked: Connection, tmp_path: Path
) -> None:
    writer = await connect(database.app_url, application="gone")
    transaction = writer.transaction()
    await transaction.start()
    (gone,) = await post_within(writer, [sale()], stripe=1)
    await transaction.rollback()
    await writer.close()
    (batch,) = await export_batches(booked, "acme", tmp_path)
    assert batch.entries == len(DAY)
    assert gone not in exported(tmp_path)


async def test_changed_history_is_refused_and_found(
    booked: Connection, admin: Connection, tmp_path: Path
) -> None:
    (batch,) = await export_batches(booked, "acme", tmp_path)
    await admin.execute("ALTER TABLE lines DISABLE TRIGGER ALL")
    await admin.execute("UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 3")
    with pytest.raises(ChangedHistoryError, match=r"batch 1 of acme .* were changed"):
        await write_batch(booked, batch, tmp_path)
    assert [row["offender"] for row in await sql.wrong_batches(booked)] == [
        "batch 1 of acme does not hold what its entries come to"
    ]


@pytest.mark.parametrize(("number", "after"), [(3, 16), (2, 15), (2, 17), (1, 0)])
async def test_the_database_refuses_a_batch_with_a_gap_or_an_overlap(
    booked: Connection, tmp_path: Path, number: int, after: int
) -> None:
    (first,) = await export_batches(booked, "acme", tmp_path)
    assert first.last_entry_id == 16
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)):
        await sql.add_batch(
            booked,
            tenant="acme",
            batch=number,
            format="journal-lines.v1",
            after=after,
            last=99,
            entries=1,
            lines=2,
            totals={},
            sha256="0" * 64,
        )


GOLDEN = b"""\
tenant,entry_id,line,effective_at,posted_at,rule,object_type,object_id,source,event_id,account,owner,type,\
debit_minor,credit_minor,currency
acme,1,1,2026-03-01T00:00:00.000000Z,2026-03-01T00:00:00.000000Z,card_captured,payment,"a""b,c",/shops/a,e0,\
processor_receivable,sandbox,asset,1000,0,EUR
acme,1,2,2026-03-01T00:00:00.000000Z,2026-03-01T00:00:00.000000Z,card_captured,payment,"a""b,c",/shops/a,e0,\
merchant_payable,m1,liability,0,970,EUR
acme,1,3,2026-03-01T00:00:00.000000Z,2026-03-01T00:00:00.000000Z,card_captured,payment,"a""b,c",/shops/a,e0,\
platform_fee_revenue,platform,revenue,0,30,EUR
"""


async def test_the_format_stays_as_it_was_released(app: Connection, tmp_path: Path) -> None:
    await post(app, [sale(effective_at=START, object_id='a"b,c')])
    (batch,) = await export_batches(app, "acme", tmp_path)
    assert batch.format == "journal-lines.v1"
    assert (tmp_path / f"{batch.name}.csv").read_bytes() == GOLDEN
