"""Commands for the embedded stack: up, down, status, reset."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from ops.embedded import Stack
from ops.settings import Settings

commands = typer.Typer()


def _stack() -> Stack:
    return Stack(Settings().counterfoil_folder)


@commands.command()
def up() -> None:
    """Start PostgreSQL and Kafka, and say where they are."""
    _stack().up(typer.echo)
    status()


@commands.command()
def down() -> None:
    """Stop them; their data stays."""
    _stack().down()


@commands.command()
def status() -> None:
    """Show what runs, where, since when, and how much space it takes."""
    table = Table("service", "version", "state", "pid", "port", "uptime", "data")
    found = _stack().status()
    for name, service in found.services.items():
        table.add_row(
            name,
            service.version or "",
            "ready" if service.ready else "starting" if service.running else "stopped",
            str(service.pid or ""),
            str(service.port or ""),
            f"{service.uptime_seconds:.0f} s" if service.uptime_seconds is not None else "",
            f"{service.data_bytes / 2**20:.0f} MiB",
        )
    Console().print(table)
    if found.note:
        typer.echo(found.note)


@commands.command()
def reset() -> None:
    """Stop them and delete their data."""
    _stack().reset()
