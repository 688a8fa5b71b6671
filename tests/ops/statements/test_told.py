"""What a finance person reads: dates by the tenant's own clock, where late money comes from, and nothing hostile."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING

import orjson
import pypdf
import pytest

from tests.ops.statements.ledgers import post, sale
from tests.ops.statements.test_command import Commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Connection, Database

HOSTILE = "[bold]o[/]\x1b[31m=1+1"
OCTOBER = ("statement", "merchant_payable", "--owner", "m1", "--period", "2026-10")


@pytest.fixture
async def cli(database: Database, app: Connection) -> Commands:
    """Books that are counted in Berlin: two sales in the hour that comes twice, one on the last evening, one late."""
    await app.execute(
        "INSERT INTO period_bounds (tenant, calendar, number, zone, unit, step, set_at)"
        " VALUES ('acme', 'books', 1, 'Europe/Berlin', 'month', 'set_calendar', now())"
    )
    times = [
        datetime(2026, 9, 30, 22, tzinfo=UTC),  # Berlin's October begins
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),  # and ends
    ]
    sales = [
        sale(1_000, fee_minor=0, effective_at=at, object_id=HOSTILE if number == 1 else f"o{number}")
        for number, at in enumerate(times)
    ]
    ids = await post(app, sales)
    await app.execute("INSERT INTO entry_origins VALUES ('acme', $1, '2026-09-12 10:00Z', '2026-09')", ids[0])
    return Commands(database)


async def test_days_end_at_the_tenant_s_midnight_and_are_shown_by_its_clock(cli: Commands) -> None:
    shown = await cli.out(*OCTOBER)
    for word in (
        "2026-10-01 00:00:00 CEST",
        "2026-10-25 02:30:00 CEST",
        "2026-10-25 02:30:00 CET",
        "2026-10-31 23:59:59 CET",
        "2026-11-01 00:00:00 CET",
        "closing, 4 movements",
        "40.00",
    ):
        assert word in shown
    (told,) = orjson.loads(await cli.out(*OCTOBER, "--zone", "UTC", "--format", "json"))
    assert told["lines"] == 4  # without the first second of Berlin's October, with that of its November
    assert [told["period"][name] for name in ("since", "zone")] == ["2026-10-01T00:00:00+00:00", "UTC"]
    (told,) = orjson.loads(await cli.out(*OCTOBER, "--format", "json"))
    assert [told["period"][name] for name in ("since", "zone")] == [
        "2026-09-30T22:00:00+00:00",
        "Europe/Berlin",
    ]


@pytest.mark.parametrize(
    ("question", "amount"),
    [
        (("balance", "merchant_payable", "--as-of", "2026-10-31"), "40.00"),
        (("trial-balance", "--as-of", "2026-10-31"), "40.00"),
        (("balance-sheet", "--as-of", "2026-10-31"), "as of 2026-10-31 (Europe/Berlin) by effective date"),
        (("income-statement", "--period", "2026-10"), "2026-10 (Europe/Berlin) by effective date"),
    ],
)
async def test_every_question_ends_its_day_there(
    cli: Commands, question: tuple[str, ...], amount: str
) -> None:
    assert amount in " ".join((await cli.out(*question)).split())


async def test_what_came_late_says_from_where(cli: Commands, tmp_path: Path) -> None:
    assert "card_captured, late from 2026-09" in await cli.out(*OCTOBER)
    rows = list(csv.DictReader(StringIO(await cli.out(*OCTOBER, "--format", "csv"))))
    assert [(row["origin_period"], row["origin_effective_at"]) for row in rows] == [
        ("", ""),
        ("2026-09", "2026-09-12T10:00:00+00:00"),
        *[("", "")] * 4,
    ]
    (told,) = orjson.loads(await cli.out(*OCTOBER, "--format", "json"))
    assert [moved["origin_period"] for moved in told["movements"]] == ["2026-09", None, None, None]
    path = tmp_path / "october.pdf"
    await cli.out(*OCTOBER, "--format", "pdf", "--out", str(path))
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    assert "late from 2026-09" in " ".join(text.split())
    assert "02:30:00 CET" in " ".join(text.split())


async def test_a_sender_has_no_say_over_the_screen(cli: Commands, tmp_path: Path) -> None:
    shown = await cli.out(*OCTOBER)
    assert r"[bold]o[/]\x1b[31m=1+1" in shown
    assert "\x1b" not in shown
    path = tmp_path / "october.pdf"
    await cli.out(*OCTOBER, "--format", "pdf", "--out", str(path))
    assert "x1b" in "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


async def test_a_pdf_without_a_font_for_it_says_so(cli: Commands, app: Connection, tmp_path: Path) -> None:
    await post(app, [sale(merchant="\U00012000", effective_at=datetime(2026, 10, 2, tzinfo=UTC))])
    wanted = ("statement", "--owner", "\U00012000", "--period", "2026-10", "--format", "pdf")
    told = await cli.run(*wanted, "--out", str(tmp_path / "it.pdf"), code=1)
    assert "install a font that has it, or take --format csv" in told.stderr
    assert "\U00012000" in await cli.out(*wanted[:-1], "csv")
