"""Commands about accounting periods: list, show, late, close and its kin, snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from db.queries import periods as sql
from handlers.ledger.model import DEBIT, AccountType
from ops.cli.asking import Actor, AsJson, Limit, OfTenant, acting, carry_out
from ops.inspect.screen import act, ask, fail, show, show_json
from ops.inspect.words import amount, printable
from ops.periods.closings import take_closings
from ops.statements.fence import UnsettledError
from ops.statements.moments import local, zone_of

commands = typer.Typer()
periods = typer.Typer(
    help="Accounting periods: what is closed, closing, opening again.", no_args_is_help=True
)
commands.add_typer(periods, name="periods")

Tenant = Annotated[str, typer.Argument(help="Whose books.")]
Name = Annotated[
    str, typer.Argument(help="A month 2026-10, a quarter 2026-Q4, a year 2026: as the tenant counts.")
]
Note = Annotated[str, typer.Option(help="Why; kept in the audit log.")]


@periods.command("list")
def list_periods(tenant: OfTenant = None, limit: Limit = 50, *, as_json: AsJson = False) -> None:
    """List the periods that somebody touched, newest first; all later ones are open. Each tenant by its own clock."""

    async def found(connection: Any) -> tuple[list[Any], int, dict[str, tzinfo]]:
        rows = await sql.periods(connection, tenant=tenant, most=limit)
        return rows, await sql.count_periods(connection, tenant=tenant), await _zones(connection, rows)

    rows, count, zones = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("tenant", "period", "state", "from", "before", "by", "asked to reopen", "balances taken")
    for row in rows:
        taken = f"{row['accounts']:,} accounts, {row['lines']:,} lines" if row["taken_at"] else ""
        table.add_row(
            row["tenant"],
            row["period"],
            row["state"],
            local(row["starts_at"], zones[row["tenant"]]),
            local(row["ends_at"], zones[row["tenant"]]),
            Text(printable(row["changed_by"])),
            Text(printable(row["reopening_requested_by"] or "")),
            taken,
        )
    show(table)
    typer.echo(f"{len(rows)} of {count}")


@periods.command("show")
def show_period(tenant: Tenant, period: Name, *, as_json: AsJson = False) -> None:
    """Show what every account held when the period was closed, by effective date."""
    rows = ask(lambda connection: sql.closing_balances(connection, tenant=tenant, period=period))
    if not rows:
        fail(
            f"no balances of {period}: it is open, they are not taken yet (the scheduler does), or all was empty"
        )
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table(
        "account", "owner", "lines", "debit", "credit", "balance", title=f"{tenant}, end of {period}"
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        debit, credit, currency = row["debit_minor"], row["credit_minor"], row["currency"]
        grown = debit - credit if AccountType(row["type"]).normal_side == DEBIT else credit - debit
        money = [amount(minor, currency) for minor in (debit, credit, grown)]
        table.add_row(row["code"], Text(printable(row["owner"])), f"{row['lines']:,}", *money)
    show(table)


@periods.command("late")
def list_late(
    tenant: OfTenant = None,
    period: Annotated[str | None, typer.Option(help="Only what happened in this one.")] = None,
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List entries that happened in a period which was closed by then, newest first. Each tenant by its own clock."""

    async def found(connection: Any) -> tuple[list[Any], dict[str, tzinfo]]:
        rows = await sql.late_entries(connection, tenant=tenant, period=period, most=limit)
        return rows, await _zones(connection, rows)

    rows, zones = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("entry", "tenant", "rule", "about", "happened", "in", "booked as of")
    for row in rows:
        about = Text(printable(f"{row['object_type']} {row['object_id']}"))
        here = zones[row["tenant"]]
        happened, booked = local(row["origin_effective_at"], here), local(row["effective_at"], here)
        table.add_row(
            str(row["entry_id"]), row["tenant"], row["rule"], about, happened, row["period"], booked
        )
    show(table)


@periods.command("snapshot")
def snapshot() -> None:
    """Take the balances of closed periods that have none yet: what the scheduler does by itself."""
    try:
        closings = act(lambda connection, _: take_closings(connection))
    except UnsettledError as error:
        fail(str(error))
    for taken in closings:
        typer.echo(f"{taken.tenant} {taken.period}: {taken.accounts:,} accounts, {taken.lines:,} lines")


@periods.command("calendar")
def set_calendar(
    tenant: Tenant,
    zone: Annotated[str, typer.Argument(help="In which days begin and end: Europe/Berlin.")],
    unit: Annotated[str, typer.Option(help="month, quarter or year.")] = "month",
    actor: Actor = None,
) -> None:
    """Say how a tenant counts its periods, before the first is closed."""
    _ask_for(tenant, "calendar_set", {"zone": zone, "unit": unit}, actor)


@periods.command("soft-close")
def soft_close(tenant: Tenant, period: Name, note: Note = "", actor: Actor = None) -> None:
    """From now on only manual journals reach the period."""
    _ask_for(tenant, "period_soft_close_requested", {"period": period, "note": note}, actor)


@periods.command("close")
def close(tenant: Tenant, period: Name, note: Note = "", actor: Actor = None) -> None:
    """From now on nothing reaches the period; then its balances are taken."""
    _ask_for(tenant, "period_close_requested", {"period": period, "note": note}, actor)
    snapshot()


@periods.command("reopen")
def reopen(tenant: Tenant, period: Name, note: Note, actor: Actor = None) -> None:
    """Ask that a closed period opens again; somebody else approves. A soft-closed one is open at once."""
    _ask_for(tenant, "period_reopening_requested", {"period": period, "note": note}, actor)


@periods.command("approve")
def approve(tenant: Tenant, period: Name, note: Note, actor: Actor = None) -> None:
    """Agree that a closed period opens again, which somebody else asked for."""
    _ask_for(tenant, "period_reopening_approved", {"period": period, "note": note}, actor)


@periods.command("refuse")
def refuse(tenant: Tenant, period: Name, note: Note, actor: Actor = None) -> None:
    """Decide that it stays closed."""
    _ask_for(tenant, "period_reopening_refused", {"period": period, "note": note}, actor)


async def _zones(connection: Any, rows: Sequence[Any]) -> dict[str, tzinfo]:
    """Tenant -> the zone in which it counts, of the tenants in `rows`; UTC where it never said."""
    tenants = sorted({row["tenant"] for row in rows})
    counting = await sql.tenants_now(connection, tenants=tenants)
    return dict.fromkeys(tenants, UTC) | {
        row["tenant"]: zone_of(row["zone"]) for row in counting if row["zone"] is not None
    }


def _ask_for(tenant: str, name: str, data: Mapping[str, Any], actor: str | None) -> None:
    """Have it done as finance. Exit 1 when it is refused, 3 when it waits."""
    carry_out(tenant, [(f"ledger.{name}", {"actor": acting(actor, "finance"), **data})])
    typer.echo("done")
