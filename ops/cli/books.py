"""Commands for the books: statement, balance-sheet, income-statement, export, slice-accounts."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeAlias, TypeVar

import typer
from rich.text import Text

from ops.exports import batches as batching
from ops.exports.beancount import write_beancount
from ops.exports.files import FileError, replacing
from ops.exports.hledger import write_hledger
from ops.exports.journal import ExportError, entries, open_accounts, tenant_of
from ops.exports.warehouse import write_warehouse
from ops.inspect.screen import act, ask, fail, show, show_json
from ops.statements import csv_files, pdf, sheets, tables
from ops.statements.calendars import in_each_zone, zones_of
from ops.statements.fence import UnsettledError
from ops.statements.hints import balance_sheet_hint, income_statement_hint, statement_hint
from ops.statements.moments import Basis, MomentError, end_of, period_of, zone_of
from ops.statements.slices import slice_accounts
from ops.statements.statement import accounts, movements, page, statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from rich.table import Table

    from ops.statements.statement import Statement

T = TypeVar("T")
Sheet: TypeAlias = sheets.BalanceSheet | sheets.IncomeStatement

commands = typer.Typer()
export = typer.Typer(
    help="Give the books away: to Beancount, hledger, a warehouse, an accounting system.",
    no_args_is_help=True,
)
commands.add_typer(export, name="export")


class Format(StrEnum):
    """How a statement or sheet is told."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PDF = "pdf"


class Kind(StrEnum):
    """Of a warehouse's files."""

    PARQUET = "parquet"
    CSV = "csv"


Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Owner = Annotated[str | None, typer.Option(help="Whose accounts: a merchant, a provider, ...")]
Currency = Annotated[str | None, typer.Option(help="ISO 4217 code.")]
ByPeriod = Annotated[
    str,
    typer.Option("--period", help="2026, 2026-11, 2026-11-23, or first and last day: 2026-11-01..2026-11-15"),
]
AsOf = Annotated[str | None, typer.Option(help="The end of a date, or a moment. Without it: everything.")]
DatedBy = Annotated[Basis, typer.Option(help="When it happened (effective), or was written (posting).")]
Zone = Annotated[
    str | None,
    typer.Option(
        help="In which days begin and end; without it that of a tenant's periods (`periods calendar`)."
    ),
]
As = Annotated[Format, typer.Option("--format", help="What to make.")]
Out = Annotated[Path | None, typer.Option(help="Write to this file; a PDF needs one.")]
Folder = Annotated[Path, typer.Argument(help="Made when it is not there.")]

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@commands.command("statement")
def show_statement(  # noqa: PLR0913, PLR0917 - a command's options
    period: ByPeriod,
    code: Annotated[str | None, typer.Argument(help="An account code; all of an owner's without it.")] = None,
    owner: Owner = None,
    tenant: Tenant = None,
    currency: Currency = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    as_format: As = Format.TABLE,
    out: Out = None,
    most: Annotated[
        int, typer.Option(min=1, max=10_000, help="Movements of each account on the screen.")
    ] = 50,
) -> None:
    """Statements of an account or of all of an owner: opening, movements with their entries, closing."""
    if code is None and owner is None:
        fail("name an account code, an --owner, or both")

    async def tell(connection: Any) -> bool:
        asked = await in_each_zone(connection, lambda its: period_of(period, its), tenant, zone)
        found = await accounts(connection, code=code, owner=owner, tenant=tenant, currency=currency)
        if found:
            told = [await statement(connection, account, asked[account.tenant], basis) for account in found]
            await _tell_statements(connection, told, as_format, out, most)
        return bool(found)

    if not _asked(tell):
        fail("there is no account of that name")


@commands.command("balance-sheet")
def show_balance_sheet(
    as_of: AsOf = None,
    tenant: Tenant = None,
    currency: Currency = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    as_format: As = Format.TABLE,
    out: Out = None,
) -> None:
    """What each tenant has and owes, by currency. Exit 1 when assets are not liabilities, equity and result."""

    async def find(connection: Any) -> tuple[list[sheets.BalanceSheet], dict[str, ZoneInfo]]:
        before = await in_each_zone(connection, lambda its: _bound(as_of, its), tenant, zone)
        return (
            await sheets.balance_sheets(connection, before, basis, currency=currency),
            await zones_of(connection, tenant, zone),
        )

    told, zones = _asked(find)
    explained = [balance_sheet_hint(one, zones, as_of, basis) for one in told]

    def title(one: sheets.BalanceSheet) -> str:
        return f"as of {f'{as_of} ({zones[one.tenant].key})' if as_of else 'now'} by {basis} date"

    if as_format is Format.JSON:
        totals = ("assets_minor", "liabilities_minor", "equity_minor", "claims_minor", "off_by_minor")
        show_json([_sheet_json(*pair, totals) for pair in zip(told, explained, strict=True)])
    elif as_format is Format.CSV:
        with _to(out) as file:
            csv_files.write_balance_sheets(file, told)
    elif as_format is Format.PDF:
        _keep_pdf(
            out,
            f"Balance sheet as of {as_of or 'now'}",
            [pdf.balance_sheet_part(one, title(one)) for one in told],
        )
    else:
        _show_sheets([tables.balance_sheet_table(one, title(one)) for one in told], explained)
    if any(one.off_by_minor for one in told):
        raise typer.Exit(1)


@commands.command("income-statement")
def show_income_statement(
    period: ByPeriod,
    tenant: Tenant = None,
    currency: Currency = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    as_format: As = Format.TABLE,
    out: Out = None,
) -> None:
    """What each tenant earned and spent within a period, by currency."""

    async def find(connection: Any) -> tuple[list[sheets.IncomeStatement], dict[str, ZoneInfo]]:
        asked = await in_each_zone(connection, lambda its: period_of(period, its), tenant, zone)
        return (
            await sheets.income_statements(connection, asked, basis, currency=currency),
            await zones_of(connection, tenant, zone),
        )

    told, zones = _asked(find)
    explained = [income_statement_hint(one, zones, period, basis) for one in told]

    def title(one: sheets.IncomeStatement) -> str:
        return f"{period} ({zones[one.tenant].key}) by {basis} date"

    if as_format is Format.JSON:
        totals = ("revenue_minor", "expenses_minor", "result_minor")
        show_json([_sheet_json(*pair, totals) for pair in zip(told, explained, strict=True)])
    elif as_format is Format.CSV:
        with _to(out) as file:
            csv_files.write_income_statements(file, told)
    elif as_format is Format.PDF:
        _keep_pdf(
            out, f"Income statement {period}", [pdf.income_statement_part(one, title(one)) for one in told]
        )
    else:
        _show_sheets([tables.income_statement_table(one, title(one)) for one in told], explained)


@commands.command("slice-accounts")
def slice_long_accounts() -> None:
    """Sum up the past of long accounts, so that questions about it stay quick: what the scheduler does by itself."""
    added = _acted(lambda connection, _kafka: slice_accounts(connection))
    typer.echo(f"{added:,} slices added")


@export.command()
def beancount(
    file: Annotated[Path, typer.Argument(help="To write, for example books.beancount.")],
    tenant: Tenant = None,
    as_of: AsOf = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
) -> None:
    """A Beancount journal with a balance assertion for each account: `bean-check` it, look at it in Fava."""
    _plain_text(write_beancount, file, tenant, as_of, zone, basis)


@export.command()
def hledger(
    file: Annotated[Path, typer.Argument(help="To write, for example books.journal.")],
    tenant: Tenant = None,
    as_of: AsOf = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
) -> None:
    """An hledger journal with a balance assertion for each account: `hledger check --strict` it."""
    _plain_text(write_hledger, file, tenant, as_of, zone, basis)


@export.command()
def warehouse(
    folder: Folder,
    kind: Annotated[Kind, typer.Option("--format", help="Parquet has types, CSV has readers everywhere.")] = (
        Kind.PARQUET
    ),
    tenant: Tenant = None,
    as_of: AsOf = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
) -> None:
    """Accounts and journal lines as files for a warehouse; amounts are integers in minor units."""
    before = _understood(lambda: _bound(as_of, zone_of(zone or "UTC")))
    made = _asked(lambda connection: write_warehouse(connection, folder, kind, before, basis, tenant))
    for path, rows in made.items():
        typer.echo(f"{path}: {rows:,} rows")


@export.command()
def batches(
    folder: Folder,
    tenant: Tenant = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="Entries of one batch.")] = (
        batching.MOST_ENTRIES
    ),
) -> None:
    """Every entry once, in numbered batches with control totals; writes again what the folder lost."""

    async def give(connection: Any, _kafka: str) -> list[batching.Batch]:
        whose = await tenant_of(connection, tenant)
        return await batching.export_batches(connection, whose, folder, most_entries=most)

    written = _acted(give)
    for batch in written:
        typer.echo(f"{batch.name}: {batch.entries:,} entries, {batch.lines:,} lines, sha256 {batch.sha256}")
    if not written:
        typer.echo("nothing new")


@export.command()
def batch(number: int, folder: Folder, tenant: Tenant = None) -> None:
    """One batch again, the same to the byte. Exit 1 when the ledger no longer gives it."""

    async def give(connection: Any) -> batching.Batch:
        whose = await tenant_of(connection, tenant)
        for found in await batching.batches(connection, whose, number):
            return await batching.write_batch(connection, found, folder)
        raise ExportError(f"there is no batch {number} of {whose}")

    again = _asked(give)
    typer.echo(f"{again.name}: {again.entries:,} entries, {again.lines:,} lines, sha256 {again.sha256}")


def _plain_text(
    write: Callable[..., Coroutine[Any, Any, int]],
    file: Path,
    tenant: str | None,
    as_of: str | None,
    zone: str | None,
    basis: Basis,
) -> None:
    async def give(connection: Any) -> int:
        whose = await tenant_of(connection, tenant)
        before = (await in_each_zone(connection, lambda its: _bound(as_of, its), whose, zone))[whose]
        opened = await open_accounts(connection, whose, before, basis)
        with replacing(file) as part, part.open("w", encoding="utf-8") as to:
            return await write(to, whose, basis, opened, entries(connection, whose, before, basis))

    typer.echo(f"{file}: {_asked(give):,} entries")


async def _tell_statements(
    connection: Any, told: list[Statement], as_format: Format, out: Path | None, most: int
) -> None:
    if as_format is Format.CSV:
        with _to(out) as file:
            rows = csv_files.StatementCsv(file)
            for one in told:
                await rows.write(one, movements(connection, one))
    elif as_format is Format.PDF:
        parts = [await pdf.statement_part(one, movements(connection, one)) for one in told]
        _keep_pdf(out, f"Statements {told[0].period.name}", parts)
    elif as_format is Format.JSON:
        show_json([await _statement_json(connection, one, most) for one in told])
    else:
        for one in told:
            here = await page(connection, one, most=most)
            show(tables.statement_table(one, here.movements, first=True, last=here.next is None))
            if here.next is not None:
                left = one.lines - len(here.movements)
                show(f"and {left:,} more movements: --format csv has them all")
            show(Text(statement_hint(one), "dim"))


async def _statement_json(connection: Any, told: Statement, most: int) -> dict[str, Any]:
    here = await page(connection, told, most=most)
    return asdict(told) | {
        "closing_minor": told.closing_minor,
        "explain": statement_hint(told),
        "movements": [asdict(moved) for moved in here.movements],
        "next": here.next._asdict() if here.next else None,
    }


def _sheet_json(one: Sheet, hint: str | None, totals: tuple[str, ...]) -> dict[str, Any]:
    return asdict(one) | {name: getattr(one, name) for name in totals} | {"explain": hint}


def _show_sheets(shown: Sequence[Table], explained: Sequence[str | None]) -> None:
    for table, hint in zip(shown, explained, strict=True):
        show(table, *((Text(hint, "dim"),) if hint else ()))


def _understood(read: Callable[[], T]) -> T:
    try:
        return read()
    except MomentError as error:
        fail(str(error))


def _bound(as_of: str | None, zone: ZoneInfo) -> datetime:
    return END_OF_TIME if as_of is None else end_of(as_of, zone)


def _asked(work: Callable[[Any], Awaitable[T]]) -> T:
    """What `work` finds out as the readers' role, or exit 1 with what is wrong."""
    try:
        return ask(work)
    except (ExportError, FileError, MomentError, pdf.PdfError) as error:
        fail(str(error))


def _acted(work: Callable[[Any, str], Awaitable[T]]) -> T:
    try:
        return act(work)
    except (ExportError, FileError, UnsettledError) as error:
        fail(str(error))


@contextmanager
def _to(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    with replacing(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


def _keep_pdf(out: Path | None, title: str, parts: list[dict[str, Any]]) -> None:
    if out is None:
        fail("a PDF goes to a file: --out books.pdf")
    with replacing(out) as part:
        part.write_bytes(pdf.render(title, parts, datetime.now(UTC)))
    typer.echo(str(out))
