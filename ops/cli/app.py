"""Puts the groups of commands together."""

from __future__ import annotations

import sys
from typing import Final

import typer

from ops.cli import bench, clock, contracts, demo, imports, inspect, publish, queues, run, stack
from ops.embedded import EmbeddedStackError

app: Final = typer.Typer(
    name="counterfoil",
    help="An async, message-driven financial system: payments, a double-entry ledger, and the proof of both.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
for group in (stack, run, demo, publish, imports, inspect, queues, clock, bench, contracts):
    app.add_typer(group.commands)


def main() -> None:
    """Run the command line; what a user can mend is told in one line."""
    try:
        app()
    except EmbeddedStackError as error:
        typer.echo(f"counterfoil: {error}", err=True)
        sys.exit(1)
