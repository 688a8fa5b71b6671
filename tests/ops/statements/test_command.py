"""The commands, as people call them, on a day of a marketplace that went through the engine."""

from __future__ import annotations

import asyncio
import csv
from io import StringIO
from typing import TYPE_CHECKING, Any

import orjson
import pypdf
import pytest
import typer
from beancount import loader
from typer.testing import CliRunner, Result

from ops.cli import books, inspect
from tests.ops.busy import busy_template, copy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ops.embedded import Endpoints
    from tests.conftest import Database


@pytest.fixture(scope="session")
async def market(endpoints: Endpoints, template: str) -> AsyncIterator[Database]:
    async with (
        busy_template(endpoints, template, "busy_books") as name,
        copy_of(endpoints, name, "books_to_look_at") as database,
    ):
        yield database


class Commands:
    """The command line, pointed at the marketplace."""

    def __init__(self, database: Database) -> None:
        self._app = typer.Typer()
        for group in (books, inspect):
            self._app.add_typer(group.commands)
        self._environment = {
            "DATABASE_URL": database.app_url,
            "DATABASE_READ_URL": database.read_url,
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        }

    async def run(self, *arguments: str, code: int = 0) -> Result:
        """A command as from a shell; `code` is the exit code that it must have."""
        result = await asyncio.to_thread(CliRunner().invoke, self._app, arguments, env=self._environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    async def out(self, *arguments: str) -> str:
        """What it prints."""
        return (await self.run(*arguments)).stdout

    async def trial(self, *arguments: str) -> list[dict[str, Any]]:
        """The trial balance, to compare with; how to explain a number depends on how it was asked for."""
        books_of: list[dict[str, Any]] = orjson.loads(await self.out("trial-balance", "--json", *arguments))
        for one in (row for book in books_of for row in (book, *book["codes"])):
            one.pop("explain", None)
        return books_of


@pytest.fixture
def cli(market: Database) -> Commands:
    return Commands(market)


EVER = "2026-01-01..2999-12-31"
"""The sales were on 2026-11-23, what became of them is of the day of the test."""
STATEMENT = ("statement", "merchant_payable", "--owner", "m1", "--currency", "KWD", "--period", "2026")


async def test_a_statement_on_the_screen_has_opening_entries_and_closing(cli: Commands) -> None:
    shown = await cli.out(*STATEMENT)
    for word in (
        "opening",
        "0.000",
        "11.916",
        "closing, 1 movements",
        "terminal_sale",
        "2027-01-01 00:00:00 UTC",
    ):
        assert word in shown
    (told,) = orjson.loads(await cli.out(*STATEMENT, "--format", "json"))
    (moved,) = told["movements"]
    assert (told["opening_minor"], told["closing_minor"], moved["balance_minor"]) == (0, 11916, 11916)
    assert str(moved["entry_id"]) in shown
    assert "m1" in await cli.out("explain", "entry", str(moved["entry_id"]))


async def test_a_long_statement_says_how_much_is_left(cli: Commands) -> None:
    shown = await cli.out("statement", "--owner", "m1", "--currency", "EUR", "--period", EVER, "--most", "1")
    assert "more movements: --format csv has them all" in shown
    assert "closing" not in shown


async def test_a_statement_as_csv_runs_from_opening_to_closing(cli: Commands) -> None:
    rows = list(
        csv.DictReader(StringIO(await cli.out(*STATEMENT[:-2], "--period", "2026-11", "--format", "csv")))
    )
    assert [row["kind"] for row in rows] == ["opening", "movement", "closing"]
    assert [row["balance"] for row in rows] == ["0.000", "11.916", "11.916"]
    assert rows[1]["entry_id"].isdigit()


async def test_statements_of_an_owner_as_pdf_hold_every_movement(cli: Commands, tmp_path: Path) -> None:
    path = tmp_path / "m1.pdf"
    await cli.out("statement", "--owner", "m1", "--period", EVER, "--format", "pdf", "--out", str(path))
    told = orjson.loads(await cli.out("statement", "--owner", "m1", "--period", EVER, "--format", "json"))
    document = pypdf.PdfReader(path)
    text = "\n".join(page.extract_text() for page in document.pages)
    assert len(document.pages) >= len(told) == 3
    for one in told:
        for moved in one["movements"]:
            assert str(moved["entry_id"]) in text
            assert moved["object_id"] in text
    for word in ("67.35", "1,422", "11.916", "opening", "closing", "merchant_payable of m1"):
        assert word in text
    assert document.metadata is not None
    assert document.metadata.title == f"Statements {EVER}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("balance-sheet",), ("Balance sheet of acme in KWD", "12.345", "11.916", "0.429", "result to date")),
        (("balance-sheet", "--as-of", "2020-01-01"), ()),
        (("income-statement", "--period", "2026"), ("Income statement of acme in JPY", "78", "0.429")),
    ],
)
async def test_sheets_are_told(
    cli: Commands, tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    shown = await cli.out(*arguments)
    assert "OFF BY" not in shown
    path = tmp_path / "sheet.pdf"
    await cli.out(*arguments, "--format", "pdf", "--out", str(path))
    printed = "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    for word in words:
        assert word in shown
        assert word in printed


async def test_the_balance_sheet_ties_to_the_trial_balance(cli: Commands) -> None:
    sheets = {
        one["currency"]: one for one in orjson.loads(await cli.out("balance-sheet", "--format", "json"))
    }
    trial = await cli.trial()
    assert sheets.keys() == {book["currency"] for book in trial}
    for book in trial:
        sheet = sheets[book["currency"]]
        assert sheet["off_by_minor"] == 0
        assert sheet["assets_minor"] == sum(
            code["balance_minor"] for code in book["codes"] if code["type"] == "asset"
        )
    rows = list(csv.DictReader(StringIO(await cli.out("balance-sheet", "--format", "csv"))))
    assert {row["currency"] for row in rows} == sheets.keys()
    for currency, sheet in sheets.items():
        amounts = [int(row["amount_minor"]) for row in rows if row["currency"] == currency]
        assert sum(amounts) == sheet["assets_minor"] + sheet["claims_minor"]


async def test_the_trial_balance_as_of_now_is_the_trial_balance(cli: Commands) -> None:
    assert await cli.trial("--as-of", "9000-01-01", "--basis", "posting") == await cli.trial()
    assert await cli.trial("--as-of", "2020-01-01") == []
    shown = await cli.out("balance", "merchant_payable", "--currency", "EUR", "--as-of", "9000-01-01")
    assert "67.35 EUR" in shown
    assert "0.00 EUR" in await cli.out(
        "balance", "merchant_payable", "--currency", "EUR", "--as-of", "2026-11-23T09:59:59Z"
    )


async def test_everything_is_exported(cli: Commands, tmp_path: Path) -> None:
    path = tmp_path / "books.beancount"
    await cli.out("export", "beancount", str(path))
    _found, errors, _options = loader.load_file(str(path))
    assert errors == []
    assert "entries" in await cli.out("export", "hledger", str(tmp_path / "books.journal"))
    made = await cli.out("export", "warehouse", str(tmp_path / "parquet"))
    assert "journal.parquet" in made
    assert "journal.csv" in await cli.out("export", "warehouse", str(tmp_path), "--format", "csv")


async def test_batches_are_exported_once_and_again_on_demand(
    endpoints: Endpoints, template: str, tmp_path: Path
) -> None:
    async with (
        busy_template(endpoints, template, "busy_batches") as name,
        copy_of(endpoints, name, "books_to_export") as database,
    ):
        cli = Commands(database)
        first = await cli.out("export", "batches", str(tmp_path / "all"), "--most", "4")
        assert "acme-000000002: " in first
        assert await cli.out("export", "batches", str(tmp_path / "all")) == "nothing new\n"
        again = await cli.out("export", "batch", "2", str(tmp_path / "again"))
        assert again.strip() in first
        wrong = await cli.run("export", "batch", "99", str(tmp_path / "again"), code=1)
        assert "there is no batch 99 of acme" in wrong.stderr
        assert await cli.out("slice-accounts") == "0 slices added\n"

    def same() -> bool:
        one = {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir()}
        other = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
        return len(other) == 2 and other.items() <= one.items()

    assert same()


def names(folder: Path) -> list[str]:
    """Of the files in it."""
    return [path.name for path in folder.iterdir()]


async def test_an_owner_that_is_not_there_leaves_no_file(cli: Commands, tmp_path: Path) -> None:
    for kind in ("csv", "pdf"):
        out = ("--format", kind, "--out", str(tmp_path / f"nobody.{kind}"))
        await cli.run("statement", "--owner", "nobody", "--period", "2026", *out, code=1)
    assert names(tmp_path) == []


MISTAKES: dict[tuple[str, ...], str] = {
    ("statement", "--period", "2026"): "name an account code",
    ("statement", "cash", "--period", "2026"): "no account of that name",
    ("statement", "cash", "--period", "soon"): "'soon' is no period",
    ("statement", "cash", "--period", "2026", "--zone", "Mars"): "no time zone",
    ("balance-sheet", "--as-of", "yesterday"): "neither a date",
    ("balance-sheet", "--format", "pdf"): "--out books.pdf",
    ("balance", "merchant_payable", "--as-of", "2026-11-23", "--from-lines"): "leave out --as-of",
    ("export", "beancount", "/dev/null/x", "--tenant", "acme"): "/dev/null/x cannot be written",
    ("export", "hledger", "x.journal", "--tenant", "nobody"): "no books of nobody",
}


@pytest.mark.parametrize("arguments", MISTAKES)
async def test_a_mistake_is_told_in_one_line(cli: Commands, arguments: tuple[str, ...]) -> None:
    result = await cli.run(*arguments, code=1)
    assert MISTAKES[arguments] in result.stderr
    assert result.stderr.count("\n") == 1
