"""`counterfoil contracts`: the AsyncAPI document and the JSON Schemas in `docs/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.contracts import files

commands = typer.Typer()
contracts = typer.Typer(
    help="The AsyncAPI document and the JSON Schemas of every message.", no_args_is_help=True
)
commands.add_typer(contracts, name="contracts")

Docs = Annotated[Path, typer.Option(help="The folder that holds asyncapi.json and schemas/.")]
DOCS = Path("docs")


@contracts.command()
def write(docs: Docs = DOCS) -> None:
    """Write what follows from the code."""
    changed = files.write(docs)
    typer.echo("\n".join(changed) or "nothing changed")


@contracts.command()
def check(docs: Docs = DOCS) -> None:
    """Exit 1 when a file differs from the code, or when the code breaks what a release promised."""
    problems = [f"{path}: out of date; run counterfoil contracts write" for path in files.drift(docs)]
    _tell(problems + files.broken_promises(docs))


@contracts.command()
def release(docs: Docs = DOCS) -> None:
    """Promise the schemas as they are. Exit 1, and promise nothing, when that breaks an earlier promise."""
    files.write(docs)
    _tell(files.release(docs))


def _tell(problems: list[str]) -> None:
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
