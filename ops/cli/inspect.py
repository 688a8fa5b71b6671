"""Commands that look: check, trial-balance, balance, explain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from ops.checks import Verdict
from ops.checks import check as check_laws
from ops.cli.explain import explain
from ops.inspect.balances import (
    AccountBalance,
    TrialBalance,
    balances,
    balances_before,
    trial_balances,
    trial_balances_before,
)
from ops.inspect.hints import explain_command
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import amount, printable
from ops.statements.calendars import in_each_zone, zones_of
from ops.statements.moments import Basis, MomentError, end_of
from schemas.currencies import format_amount, is_currency

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from zoneinfo import ZoneInfo

T = TypeVar("T")

commands = typer.Typer()
commands.add_typer(explain, name="explain")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Owner = Annotated[str | None, typer.Option(help="Whose account: a merchant, a provider, ...")]
Currency = Annotated[str | None, typer.Option(help="ISO 4217 code.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="What stood at the end of a date (2026-11-30) or at a moment (2026-11-30T12:00:00Z)."),
]
DatedBy = Annotated[
    Basis, typer.Option(help="For --as-of: when it happened (effective) or was written (posting).")
]
Zone = Annotated[
    str | None,
    typer.Option(help="In which a date ends; without it that of a tenant's periods (`periods calendar`)."),
]
AccountCode = Annotated[
    str, typer.Argument(help="As in the chart of accounts, for example merchant_payable.")
]


@commands.command()
def check(
    *,
    settled: Annotated[
        bool, typer.Option(help="Also that nothing is under way, parked or unpublished.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify on the live database every law that data can show. Exit 1 names what breaks one."""
    verdicts = ask(lambda connection: check_laws(connection, settled=settled))
    if as_json:
        show_json([asdict(verdict) for verdict in verdicts])
    else:
        _show_verdicts(verdicts)
    if not all(verdict.ok for verdict in verdicts):
        raise typer.Exit(1)


@commands.command("trial-balance")
def trial_balance(
    tenant: Tenant = None,
    currency: Currency = None,
    as_of: AsOf = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Debits and credits of every account code, per tenant and currency. Exit 1 when they differ."""

    async def find(connection: Any) -> tuple[list[TrialBalance], dict[str, ZoneInfo]]:
        zones = await zones_of(connection, tenant, zone)
        if as_of is None:
            return await trial_balances(connection, tenant, currency), zones
        before = await in_each_zone(connection, lambda its: end_of(as_of, its), tenant, zone)
        return await trial_balances_before(connection, before, basis, currency=currency), zones

    books, zones = _asked(find)

    def dated(book: TrialBalance) -> dict[str, Any]:
        return {"as_of": as_of, "basis": basis, "zone": zones[book.tenant].key}

    if as_json:
        show_json([_books_json(book, **dated(book)) for book in books])
    else:
        show(*(part for book in books for part in _books_parts(book, **dated(book))))
        if not books:
            typer.echo("nothing is posted yet")
    if any(book.off_by_minor for book in books):
        raise typer.Exit(1)


@commands.command()
def balance(  # noqa: PLR0913 - a command's options
    code: AccountCode,
    owner: Owner = None,
    tenant: Tenant = None,
    currency: Currency = None,
    as_of: AsOf = None,
    basis: DatedBy = Basis.EFFECTIVE,
    zone: Zone = None,
    *,
    from_lines: Annotated[bool, typer.Option(help="Sum up the lines, too. Exit 1 when they differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what accounts hold, on the side on which their kind grows."""
    named: dict[str, Any] = {"tenant": tenant, "owner": owner, "currency": currency}
    if as_of is not None and from_lines:
        fail("--from-lines compares what is held now: leave out --as-of")

    async def both(connection: Any) -> tuple[list[AccountBalance], list[AccountBalance]]:
        if as_of is not None:
            before = await in_each_zone(connection, lambda its: end_of(as_of, its), tenant, zone)
            held = await balances_before(connection, code, before, basis, **named)
            return held, held
        kept = await balances(connection, code, **named)
        return kept, await balances(connection, code, **named, from_lines=True) if from_lines else kept

    kept, summed = _asked(both)
    if not kept:
        fail(f"there is no account {code} of that name")
    if as_json:
        show_json([_balance_json(*pair) for pair in zip(kept, summed, strict=True)])
    else:
        _show_balances(kept, summed)
    if kept != summed:
        raise typer.Exit(1)


def _asked(work: Callable[[Any], Awaitable[T]]) -> T:
    """What the database says; exit 1 with what is wrong about a date or a zone."""
    try:
        return ask(work)
    except MomentError as error:
        fail(str(error))


def _show_verdicts(verdicts: list[Verdict]) -> None:
    table = Table("law", "what was checked", "rows", "verdict")
    table.columns[2].justify = "right"
    for verdict in verdicts:
        judged = (
            Text("holds", "green") if verdict.ok else Text(f"BROKEN {verdict.broken:,} times", "bold red")
        )
        table.add_row(str(verdict.law), verdict.title, f"{verdict.checked:,}", judged)
    show(table)
    for verdict in verdicts:
        if not verdict.ok:
            show(Text(f"law {verdict.law}: {verdict.title}", "bold red"))
            show(*(Text(f"  {printable(offender)}") for offender in verdict.offenders))
        if verdict.broken > len(verdict.offenders):
            show(f"  and {verdict.broken - len(verdict.offenders):,} more")


def _books_parts(book: TrialBalance, **dated: Any) -> tuple[Table, Text]:
    def money(amount_minor: int) -> str:
        return format_amount(amount_minor, book.currency) if is_currency(book.currency) else str(amount_minor)

    title = f"Trial balance of {book.tenant} in {book.currency}"
    hint = explain_command("balance", "ACCOUNT", tenant=book.tenant, currency=book.currency, **dated)
    table = Table(title=title, title_justify="left", show_footer=True)
    balanced = "balanced" if not book.off_by_minor else f"OFF BY {amount(book.off_by_minor, book.currency)}"
    table.add_column("account", balanced)
    table.add_column("type")
    table.add_column("debit", money(book.debit_minor), justify="right")
    table.add_column("credit", money(book.credit_minor), justify="right")
    table.add_column("balance", justify="right")
    for code in book.codes:
        turnover = (money(code.debit_minor), money(code.credit_minor), money(code.balance_minor))
        table.add_row(code.code, code.type, *turnover)
    return table, Text(hint, "dim")


def _books_json(book: TrialBalance, **dated: Any) -> dict[str, Any]:
    named = {"tenant": book.tenant, "currency": book.currency, **dated}
    codes = [
        asdict(code)
        | {"balance_minor": code.balance_minor, "explain": explain_command("balance", code.code, **named)}
        for code in book.codes
    ]
    totals = {name: getattr(book, name) for name in ("debit_minor", "credit_minor", "off_by_minor")}
    return {"tenant": book.tenant, "currency": book.currency, **totals, "codes": codes}


def _show_balances(kept: list[AccountBalance], summed: list[AccountBalance]) -> None:
    table = Table("tenant", "account", "owner", "debit", "credit", "balance", "lines")
    for column in table.columns[3:]:
        column.justify = "right"
    for account, lines in zip(kept, summed, strict=True):
        table.add_row(*_balance_row(account))
        if account != lines:
            table.add_row("", "BUT ITS LINES SAY", "", *_balance_row(lines)[3:], style="bold red")
    show(table)


def _balance_row(account: AccountBalance) -> tuple[str, ...]:
    sums = (account.debit_minor, account.credit_minor, account.balance_minor)
    money = (amount(amount_minor, account.currency) for amount_minor in sums)
    return (account.tenant, account.code, account.owner, *money, f"{account.lines:,}")


def _balance_json(kept: AccountBalance, summed: AccountBalance) -> dict[str, Any]:
    told = asdict(kept) | {"balance_minor": kept.balance_minor, "agrees_with_lines": kept == summed}
    if kept != summed:
        told["from_lines"] = asdict(summed) | {"balance_minor": summed.balance_minor}
    return told
