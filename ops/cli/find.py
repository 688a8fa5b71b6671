"""The command `find`: payments by whatever name somebody has of them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from db.queries import operator as sql
from handlers.payments.model import payment_id_of
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import moment, printable
from schemas.currencies import format_amount

commands = typer.Typer()


@commands.command()
def find(
    name: Annotated[
        str,
        typer.Argument(
            help="Of an order, payment, call, provider's charge or customer; NAME=VALUE is a member of the metadata."
        ),
    ],
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's; finds an order at once.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 20,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")] = False,
) -> None:
    """Find payments by any of their names. Exit 1 when there is none."""

    async def found(connection: Any) -> list[Any]:
        member, _, value = name.partition("=")
        asked = {"name": name, "tenant": tenant, "most": limit}
        rows: list[Any] = await sql.find_payments(
            connection,
            **asked,
            id=_uuid(name),
            order_payment_id=payment_id_of(tenant, name) if tenant else None,
            member={member: value} if value else None,
        )
        return rows or await sql.find_anywhere(connection, **asked)

    rows = ask(found)
    if not rows:
        fail(f"nothing is known by the name {name}")
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table(
        "found by", "tenant", "order", "payment", "state", "amount", "captured", "reference", "opened"
    )
    for row in rows:
        amounts = (f"{format_amount(row[column], row['currency'])} {row['currency']}" for column in _AMOUNTS)
        table.add_row(
            row["found_by"],
            row["tenant"],
            printable(row["order_id"]),
            str(row["payment_id"]),
            row["state"],
            *amounts,
            row["provider_reference"] or "",
            moment(row["created_at"]),
        )
    show(table)


_AMOUNTS = ("amount_minor", "captured_minor")


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
