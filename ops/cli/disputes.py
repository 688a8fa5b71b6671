"""Commands about disputes: list, show, and the evidence package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from db.queries import disputes as sql
from handlers.disputes.states import State
from ops.disputes.package import CaseFile, PackageError, case_file, files_of, write
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import amount, moment, printable

commands = typer.Typer()
disputes = typer.Typer(help="Disputes: what must be answered, and what to answer with.", no_args_is_help=True)
commands.add_typer(disputes, name="disputes")

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")]
Name = Annotated[str, typer.Argument(help="The provider's name of the dispute, or our id.")]


@disputes.command("list")
def list_disputes(
    tenant: Tenant = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List disputes, those that must be answered soonest first."""
    which = {"tenant": tenant, "state": state}

    async def found(connection: Any) -> tuple[list[Any], int]:
        rows = await sql.disputes(connection, **which, most=limit)
        return rows, await sql.count_disputes(connection, **which)

    rows, count = ask(found)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("dispute", "tenant", "order", "state", "stage", "amount", "answer until")
    table.columns[5].justify = "right"
    for row in rows:
        due = moment(row["evidence_due_at"]) if row["evidence_due_at"] else ""
        names = (printable(row[name]) for name in ("dispute_reference", "tenant", "order_id"))
        state_cell = row["state"] if row["certain"] else f"{row['state']} (outcome unknown)"
        table.add_row(*names, state_cell, row["stage"], amount(row["amount_minor"], row["currency"]), due)
    show(table)
    typer.echo(f"{len(rows)} of {count}")


@disputes.command("show")
def show_dispute(name: Name, tenant: Tenant = None, *, as_json: AsJson = False) -> None:
    """Show where a dispute stands, what led there, what it moved, and what was sent for it."""
    case = _found(name, tenant)
    if as_json:
        show_json(case.as_json())
        return
    dispute = case.dispute
    money = {
        title: amount(dispute[column], dispute["currency"])
        for title, column in (
            ("disputed", "amount_minor"),
            ("withdrawn", "withdrawn_minor"),
            ("fee", "fee_minor"),
        )
    }
    stands = f"{dispute['dispute_reference']} is {dispute['state']} ({dispute['stage']})"
    whose = (
        f"payment {dispute['payment_id']} of order {dispute['order_id']}, merchant {dispute['merchant_id']}"
    )
    show(Text(printable(stands), "bold"), printable(whose))
    show("; ".join(f"{title} {text}" for title, text in money.items()))
    if dispute["evidence_due_at"]:
        show(f"answer until {moment(dispute['evidence_due_at'])}")
    show(_steps(case), _entries(case), _papers(case))


@disputes.command("package")
def package(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Where to; a new or empty folder.")],
    tenant: Tenant = None,
) -> None:
    """Write the evidence package: payment, order, messages, shipments and evidence, with their hashes."""
    files = files_of(_found(name, tenant))
    try:
        write(files, folder)
    except PackageError as error:
        fail(str(error))
    typer.echo(f"{len(files)} files in {folder}")


def _found(name: str, tenant: str | None) -> CaseFile:
    try:
        case = ask(lambda connection: case_file(connection, name, tenant))
    except PackageError as error:
        fail(str(error))
    if case is None:
        fail(f"there is no dispute {name}")
    return case


def _steps(case: CaseFile) -> Table:
    table = Table("at", "what", "step", "to", "by message", title="History", title_justify="left")
    for row in case.steps:
        cause = printable(f"{row['source']} {row['event_id']}")
        table.add_row(moment(row["at"]), row["object_type"], row["event"], row["to_state"], Text(cause))
    return table


def _entries(case: CaseFile) -> Table:
    table = Table("entry", "rule", "side", "account", "owner", "amount", title="Ledger", title_justify="left")
    table.columns[5].justify = "right"
    for row in case.entries:
        money = amount(row["amount_minor"], row["currency"])
        table.add_row(
            str(row["entry_id"]), row["rule"], row["side"], row["code"], Text(printable(row["owner"])), money
        )
    return table


def _papers(case: CaseFile) -> Table:
    table = Table("kind", "reference", "at", "sha256", title="Evidence and documents", title_justify="left")
    for row in case.evidence:
        table.add_row("evidence", f"version {row['version']}", moment(row["submitted_at"]), row["sha256"])
    for row in case.documents:
        reference = Text(printable(row["reference"]))
        table.add_row(row["kind"], reference, moment(row["occurred_at"]), row["sha256"] or "")
    return table
