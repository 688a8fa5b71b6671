"""The command that takes in providers' webhooks."""

from __future__ import annotations

import typer

from ops import roles
from ops.ingress.role import SCHEMES, ingress
from ops.ingress.settings import IngressSettingsError, load
from ops.settings import Settings
from producers.ingress.endpoints import EndpointError, served

commands = typer.Typer()


@commands.command("ingress")
def run() -> None:
    """Take in providers' webhooks: verified, kept, published; see docs/webhooks.md."""
    try:
        served(load().endpoints(), SCHEMES)
    except (IngressSettingsError, EndpointError) as error:
        typer.echo(f"counterfoil: {error}", err=True)
        raise typer.Exit(1) from None
    roles.run_roles("ingress", [ingress], Settings())
