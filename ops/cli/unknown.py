"""The commands `calls unknown` and `calls resolve`: outcomes that nobody knows, and what a person decides of them."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer
from aiokafka.errors import KafkaError
from rich.table import Table
from rich.text import Text

from db.queries import operator as sql
from ops.charge.sending import command, send
from ops.endpoints import places
from ops.inspect.screen import ask, fail, show, show_json
from ops.inspect.words import age, printable
from ops.settings import Settings
from producers.client import InvalidEventError
from schemas.currencies import format_amount

commands = typer.Typer()
PAYMENT: Final = "payment"

calls = typer.Typer(help="Provider calls whose outcome nobody knows.", no_args_is_help=True)
commands.add_typer(calls, name="calls")


@calls.command("unknown")
def list_unknown(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; amounts in minor units.")] = False,
) -> None:
    """List them, the most urgent first: what was asked, what was heard, and by when somebody should decide."""
    rows = ask(lambda connection: sql.unknown_outcomes(connection, tenant=tenant, most=limit))
    if as_json:
        show_json([dict(row) for row in rows])
        return
    if not rows:
        typer.echo("none")
        return
    now = datetime.now(UTC)
    table = Table(
        "call", "order", "of", "asked", "amount", "provider", "reference", "heard", "for", "decide within"
    )
    for row in rows:
        amount = f"{format_amount(row['call_amount_minor'], row['currency'])} {row['currency']}"
        heard = row["reason"] or f"{row['answer'] or 'nothing'} {row['detail'] or ''}"
        named = "" if row["object_type"] == PAYMENT else f" {row['object_name']}"
        table.add_row(
            str(row["call_id"]),
            Text(f"{row['tenant']}:{row['order_id']}"),
            Text(printable(f"{row['object_type']}{named}")),
            row["call_operation"],
            amount,
            row["provider"],
            Text(printable(row["provider_reference"] or "")),
            Text(printable(heard)),
            age(now - row["asked_at"]),
            _within(row, now),
        )
    show(table)
    typer.echo(
        "Look it up in the provider's console. A payment's: counterfoil calls resolve CALL VERDICT --note WHY"
    )
    if any(row["object_type"] != PAYMENT for row in rows):
        typer.echo(
            "A refund's or dispute's: the gateway goes on asking, and the provider's webhook ends it, too"
        )


@calls.command("resolve")
def resolve(
    call_id: Annotated[UUID, typer.Argument(help="As `calls unknown` shows it.")],
    verdict: Annotated[Literal["succeeded", "no_effect"], typer.Argument(help="What became of it.")],
    note: Annotated[str, typer.Option(help="How you know.")],
    amount_minor: Annotated[int | None, typer.Option(help="What was moved, in minor units.")] = None,
    reference: Annotated[str | None, typer.Option(help="The provider's id of the authorization.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who decides, for the audit log; by default you.")] = None,
    role: Annotated[Literal["manager", "finance"], typer.Option(help="As what.")] = "finance",
) -> None:
    """Decide what became of a call. A large amount needs a second person who says the same."""
    row = ask(lambda connection: sql.unknown_outcome(connection, call_id=call_id))
    if row is None:
        operation = ask(lambda connection: sql.operation_of_call(connection, call_id=call_id))
        if operation is not None:
            fail(f"call {call_id}, {operation}, is no payment's: its provider decides, by answer or webhook")
        fail(f"call {call_id} is not among those whose outcome is unknown")
    who = actor or getpass.getuser()
    body = command(
        row["tenant"],
        "checkout.outcome_decided.v1",
        f"resolve/{call_id}/{verdict}/{amount_minor}/{who}",
        {
            "order_id": row["order_id"],
            "call_id": str(call_id),
            "verdict": verdict,
            "amount_minor": amount_minor,
            "provider_reference": reference,
            "actor": {"id": who, "role": role},
            "note": note,
        },
    )
    kafka = places(Settings()).kafka
    try:
        asyncio.run(send(kafka, body))
    except InvalidEventError as error:
        fail(str(error))
    except KafkaError as error:
        fail(f"{kafka} did not take the decision: {error}")
    typer.echo(
        f"decided: {row['call_operation']} of order {row['order_id']} {verdict}; see `explain payment`"
    )


def _within(row: Any, now: datetime) -> str:
    """How long there is to decide a payment's; the others are not for a person to decide."""
    if row["object_type"] != PAYMENT:
        return "the provider decides"
    return "now" if row["deadline_at"] is None else _left(row["deadline_at"], now)


def _left(deadline_at: Any, now: datetime) -> str:
    return age(deadline_at - now) if deadline_at > now else f"late by {age(now - deadline_at)}"
