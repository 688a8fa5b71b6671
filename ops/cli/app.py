"""Puts the groups of commands together; a command loads only its own group, because a role should start at once."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer

from ops.embedded.errors import EmbeddedStackError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "stack": ("up", "down", "status", "reset"),
    "run": ("migrate", "worker", "relay", "scheduler", "gateway", "sandbox", "run"),
    "ingress": ("ingress",),
    "demo": ("demo",),
    "publish": ("publish",),
    "imports": ("import",),
    "inspect": ("check", "trial-balance", "balance", "explain"),
    "proof": ("verify", "replay", "chain"),
    "books": ("statement", "balance-sheet", "income-statement", "slice-accounts", "export"),
    "disputes": ("disputes",),
    "periods": ("periods",),
    "journals": ("journals",),
    "wallets": ("wallets",),
    "chart": ("chart",),
    "approvals": ("approvals",),
    "tenants": ("tenants",),
    "charge": ("charge",),
    "unknown": ("calls",),
    "find": ("find",),
    "queues": ("dead-letters", "parked"),
    "clock": ("clock",),
    "bench": ("bench",),
    "contracts": ("contracts",),
}
"""Module of this package -> its commands."""


def application(groups: Iterable[str] = GROUPS) -> typer.Typer:
    """The command line with these groups."""
    app = typer.Typer(
        name="counterfoil",
        help="An async, message-driven financial system: payments, a double-entry ledger, and the proof of both.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )

    @app.callback()
    def root() -> None:
        """Keep the name of a command even when it is the only one."""

    for group in groups:
        app.add_typer(import_module(f"ops.cli.{group}").commands)
    return app


def main() -> None:
    """Run the command line; what a user can mend is told in one line."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    owners = [group for group, names in GROUPS.items() if asked in names]
    try:
        application(owners or GROUPS)()
    except EmbeddedStackError as error:
        typer.echo(f"counterfoil: {error}", err=True)
        sys.exit(1)
