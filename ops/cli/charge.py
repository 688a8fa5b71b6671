"""The command `charge`: an operator charges an order by hand, after having seen what was tried before."""

from __future__ import annotations

import asyncio
import shlex
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.table import Table

from ops.charge.prior import Prior, prior
from ops.charge.sending import command, send
from ops.endpoints import places
from ops.inspect.screen import ask, fail, show
from ops.inspect.words import moment, printable
from ops.settings import Settings
from producers.client import InvalidEventError
from schemas.currencies import format_amount

commands = typer.Typer()


@commands.command()
def charge(  # noqa: PLR0913 - a charge's parts
    order: Annotated[str, typer.Argument(help="The order to charge.")],
    *,
    tenant: Annotated[str, typer.Option(help="Whose order.")],
    token: Annotated[str, typer.Option(help="The provider's token of the card; never a card number.")],
    network: Annotated[str, typer.Option(help="visa, mastercard, ...")],
    last4: Annotated[str, typer.Option(help="The card's last four digits.")],
    merchant: Annotated[str | None, typer.Option(help="For an order without a payment.")] = None,
    customer: Annotated[str | None, typer.Option(help="For an order without a payment.")] = None,
    amount_minor: Annotated[
        int | None, typer.Option(help="In minor units; for an order without a payment.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="For an order without a payment.")] = None,
    seen: Annotated[str | None, typer.Option(help="The code under what you were shown: charge.")] = None,
) -> None:
    """Show every prior attempt. Charge only with --seen and the code of exactly what was shown.

    Exit 3 when there is something that you have not seen, or that has changed since. Charging twice with the same
    code charges once.
    """

    async def look(connection: Any) -> Prior:
        return await prior(
            connection,
            tenant,
            order,
            customer_id=customer,
            amount_minor=amount_minor,
            currency=currency,
        )

    before = ask(look)
    _show(order, before)
    if seen != before.digest:
        if seen is not None:
            typer.echo("What you have seen is out of date.", err=True)
        typer.echo(f"To charge all the same: --seen {before.digest}", err=True)
        raise typer.Exit(3)
    method = {"type": "card", "token": token, "network": network, "last4": last4}
    key = f"charge/{before.digest}"
    if before.payment is None:
        opening = {
            "order_id": order,
            "merchant_id": merchant,
            "customer_id": customer,
            "amount": {"amount_minor": amount_minor, "currency": currency},
            "payment_method": method,
            "confirm": True,
        }
        body = command(tenant, "checkout.payment_requested.v1", key, opening)
    else:
        again = {"order_id": order, "payment_method": method}
        body = command(tenant, "checkout.confirmation_requested.v1", key, again)
    kafka = places(Settings()).kafka
    try:
        asyncio.run(send(kafka, body))
    except InvalidEventError as error:
        fail(str(error))
    except KafkaError as error:
        fail(f"{kafka} did not take the charge: {error}")
    typer.echo(f"asked for; see `{shlex.join(('counterfoil', 'explain', 'payment', order))}`")


def _show(order: str, before: Prior) -> None:
    if before.is_empty:
        typer.echo(f"order {printable(order)}: nothing was tried before")
        return
    payment = before.payment
    if payment is not None:
        amount = f"{format_amount(payment['amount_minor'], payment['currency'])} {payment['currency']}"
        why = f" ({payment['reason']})" if payment["reason"] else ""
        typer.echo(
            f"order {printable(order)}: {amount}, {payment['state']}{why}, {payment['attempts']} attempts"
        )
    if before.calls:
        table = Table("when", "asked", "provider", "status", "answer", "detail")
        for call in before.calls:
            table.add_row(
                moment(call["created_at"]),
                call["operation"],
                call["provider"],
                call["status"],
                call["answer"] or "none yet",
                printable(call["detail"] or ""),
            )
        show(table)
    for other in before.similar:
        typer.echo(
            f"order {printable(other['order_id'])}: the same amount, {other['state']}, {moment(other['created_at'])}"
        )
    for warning in before.warnings:
        typer.echo(f"WARNING: {printable(warning)}")
