"""`counterfoil import orders`: orders of a CSV file become recorded payments. docs/imports.md says how."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ops.endpoints import places
from ops.imports.events import TOPIC, Importer
from ops.imports.mapping import BUILT_IN, Mapping, load_mapping
from ops.imports.orders import DayTotal, Kind, OrderBook
from ops.imports.rejects import write_rejects
from ops.imports.rows import UnreadableFileError, read_rows
from ops.settings import Settings
from producers.client import Client
from producers.kafka import create_topics
from schemas.currencies import MINOR_DIGITS

if TYPE_CHECKING:
    from decimal import Decimal

    from ops.imports.rows import Problem

commands = typer.Typer()
group = typer.Typer(help="Bring in what other systems hold in files.", no_args_is_help=True)
commands.add_typer(group, name="import")

PROBLEMS_TOLD: Final = 50
HEADINGS: Final = {
    Kind.SALE: "payments",
    Kind.NOT_POSITIVE: "not positive",
    Kind.CANCELLATION: "cancellations",
    Kind.ADJUSTMENT: "adjustments",
}


@group.command()
def orders(  # noqa: PLR0913 - each one is an option
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, gzip or not.")],
    *,
    mapping: Annotated[
        str, typer.Option(help=f"What the columns mean: {', '.join(BUILT_IN)}, or a TOML or JSON file.")
    ] = "orders",
    tenant: Annotated[str, typer.Option(help="Whose books.")] = "main",
    merchant: Annotated[str, typer.Option(help="Whom the sales are owed to.")] = "shop",
    currency: Annotated[str | None, typer.Option(help="Of a file without a currency column.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Of times without an offset, and of the days.")] = None,
    fee_bps: Annotated[
        int, typer.Option(min=0, max=10_000, help="The merchant's first fee schedule, in basis points.")
    ] = 0,
    existing_fees: Annotated[bool, typer.Option("--existing-fees", help="Publish no fee schedule.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Import the good orders and write the others' rows here.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; publish nothing.")] = False,
) -> None:
    """Publish each order of a file as a recorded payment, and print totals by currency and day.

    A second import of the same file changes nothing. Without --rejects, one bad row keeps all back: exit 1.
    """
    meaning = _mapping(mapping, currency, timezone)
    importer = _importer(tenant, merchant, None if existing_fees else fee_bps)
    book = _read(file, meaning)
    book.problems += importer.check(book)
    if book.problems:
        _tell_problems(file, book.problems)
        _leave_out(file, book, rejects)
    _print_totals(book)
    if not dry_run:
        _publish(importer, book)


def _mapping(name: str, currency: str | None, timezone: str | None) -> Mapping:
    try:
        return load_mapping(name).changed(currency=currency, timezone=timezone)
    except ValidationError as error:
        raise typer.BadParameter(f"mapping {name}: {_first(error)}") from error
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"mapping {name}: {error}") from error


def _importer(tenant: str, merchant: str, fee_bps: int | None) -> Importer:
    try:
        return Importer(tenant=tenant, merchant=merchant, fee_bps=fee_bps)
    except ValidationError as error:
        raise typer.BadParameter(_first(error)) from error


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    first = error.errors(include_url=False)[0]
    return ": ".join([*(str(part) for part in first["loc"]), first["msg"]])


def _read(file: Path, mapping: Mapping) -> OrderBook:
    with (
        Progress(console=Console(stderr=True), transient=True) as progress,
        progress.open(file, "rb", description=f"reading {file.name}") as raw,
    ):
        try:
            return OrderBook.of(read_rows(raw, mapping), mapping)
        except UnreadableFileError as error:
            raise _failure(f"{file}: {error}") from error


def _tell_problems(file: Path, problems: list[Problem]) -> None:
    for problem in problems[:PROBLEMS_TOLD]:
        typer.echo(f"{file}: {problem}", err=True)
    more = len(problems) - PROBLEMS_TOLD
    if more > 0:
        typer.echo(f"{file}: and {more} more", err=True)


def _leave_out(file: Path, book: OrderBook, rejects: Path | None) -> None:
    """Write the rejects, or end: a row of an unknown order could belong to any, so then nothing is taken."""
    lost = [problem for problem in book.problems if problem.order is None]
    if lost:
        raise _failure(f"{len(lost)} rows do not say which order they belong to; nothing is imported")
    if rejects is None:
        count = len(book.problems)
        raise _failure(f"{count} problems; nothing is imported. Mend the file, or say --rejects FILE")
    with file.open("rb") as raw:
        rows = write_rejects(raw, book, rejects)
    typer.echo(f"{len(book.spoiled())} orders left out; their {rows} rows are in {rejects}", err=True)


def _publish(importer: Importer, book: OrderBook) -> None:
    kafka = places(Settings()).kafka
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        total = len(book.orders(Kind.SALE)) + (importer.fee_bps is not None)
        task = progress.add_task("publishing", total=total)

        async def send() -> int:
            await create_topics(kafka)
            async with Client(kafka, TOPIC) as client:
                for message in importer.messages(book):
                    await client.send(message.key, message.body)
                    progress.update(task, completed=client.acknowledged)
            return client.acknowledged

        try:
            sent = asyncio.run(send())
        except KafkaError as error:
            raise _failure(f"{error}; to import the same file again is safe") from error
    typer.echo(f"{sent} events published for tenant {importer.tenant}")


def _print_totals(book: OrderBook) -> None:
    """Amounts and, in brackets, orders. What is no payment stands beside, so that the sum is the file's."""
    table = Table("currency", "day", *HEADINGS.values())
    for column in table.columns[2:]:
        column.justify = "right"
    sums: dict[str, dict[Kind, DayTotal]] = {}
    for (currency, day), kinds in book.totals().items():
        table.add_row(currency, str(day), *_cells(kinds, currency))
        so_far = sums.setdefault(currency, {})
        for kind, total in kinds.items():
            so_far[kind] = so_far.get(kind, DayTotal()).plus(total)
    for currency, kinds in sums.items():
        table.add_section()
        table.add_row(currency, "all days", *_cells(kinds, currency))
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    typer.echo(f"{book.rows} rows; cancellations and adjustments are counted, not imported")
    flat = [order.number for order in book.orders(Kind.NOT_POSITIVE)]
    if flat:
        typer.echo(f"{len(flat)} orders with a total of zero or less cannot be payments: {', '.join(flat)}")


def _cells(kinds: dict[Kind, DayTotal], currency: str) -> list[str]:
    totals = (kinds.get(kind, DayTotal()) for kind in HEADINGS)
    return [f"{_shown(total.amount, currency)} ({total.orders:,})" for total in totals]


def _shown(amount: Decimal, currency: str) -> str:
    """With the currency's decimals, or with more when the file has more."""
    exponent = amount.normalize().as_tuple().exponent
    return f"{amount:,.{max(MINOR_DIGITS[currency], -int(exponent))}f}"


def _failure(message: str) -> typer.Exit:
    typer.echo(f"counterfoil: {message}", err=True)
    return typer.Exit(1)
