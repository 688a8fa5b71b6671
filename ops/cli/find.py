"""The command `find`: payments, refunds, disputes, journals, holds and wallets by whatever name somebody has."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from db.queries import explain_messages
from db.queries import operator as sql
from handlers.payments.model import payment_id_of
from ops.inspect.hints import explain_command
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import moment, printable
from schemas.currencies import format_amount

commands = typer.Typer()

Found = tuple[list[Any], list[Any]]
"""Payments, and other things."""


@commands.command()
def find(
    name: Annotated[
        str,
        typer.Argument(
            help="Ours, a caller's or a provider's: an order, payment, call, charge, customer, refund, dispute, "
            "journal, hold, wallet; NAME=VALUE is a member of a payment's metadata."
        ),
    ],
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's; finds an order at once.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to list.")] = 20,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")] = False,
) -> None:
    """Find whatever goes by a name, and the command that explains it. Exit 1 when there is nothing."""

    async def found(connection: Any) -> Found:
        member, _, value = name.partition("=")
        asked = {"name": name, "tenant": tenant, "most": limit}
        uuid = _uuid(name)
        payments: list[Any] = await sql.find_payments(
            connection,
            **asked,
            id=uuid,
            order_payment_id=payment_id_of(tenant, name) if tenant else None,
            member={member: value} if value else None,
        )
        things: list[Any] = await explain_messages.things_named(connection, **asked, id=uuid)
        if not payments:
            payments = await sql.find_anywhere(connection, **asked)
        if not payments and not things:
            things = await explain_messages.traces_of(connection, **asked, id=uuid)
        return payments, things

    payments, things = ask(found)
    if not payments and not things:
        fail(f"nothing is known by the name {name}")
    if as_json:
        show_json([{"kind": "payment", **row} for row in payments] + [dict(row) for row in things])
        return
    if payments:
        show(_payments_table(payments))
    if things:
        show(_things_table(things))


_AMOUNTS = ("amount_minor", "captured_minor")


def _payments_table(rows: list[Any]) -> Table:
    table = Table(
        "found by", "tenant", "order", "payment", "state", "amount", "captured", "reference", "opened"
    )
    for row in rows:
        amounts = (f"{format_amount(row[column], row['currency'])} {row['currency']}" for column in _AMOUNTS)
        table.add_row(
            row["found_by"],
            row["tenant"],
            Text(printable(row["order_id"])),
            str(row["payment_id"]),
            row["state"],
            *amounts,
            Text(printable(row["provider_reference"] or "")),
            moment(row["created_at"]),
        )
    return table


def _things_table(rows: list[Any]) -> Table:
    table = Table("kind", "tenant", "name", "state", "to explain it")
    for row in rows:
        named = row["id"].split(" ") if row["kind"] == "wallet" else [row["id"]]
        command = explain_command(row["kind"], *named, tenant=row["tenant"])
        table.add_row(
            row["kind"],
            row["tenant"],
            Text(printable(row["name"])),
            row["state"],
            Text(printable(command)),
        )
    return table


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
