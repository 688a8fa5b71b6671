"""What the commands that look have in common: ask, fail, and put it on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import asyncpg
import orjson
import typer
from rich.console import Console

from ops.inspect.session import DatabaseTroubleError, read, write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import RenderableType

T = TypeVar("T")

UNBROKEN = 10_000
"""Columns of a line in a pipe or file."""


def ask(work: Callable[[Any], Awaitable[T]]) -> T:
    """What the database says, or exit 2 with the reason why it says nothing; 1 for what nobody can be called."""
    try:
        return read(work)
    except DatabaseTroubleError as error:
        fail(str(error), code=2)
    except asyncpg.DataError as error:
        fail(f"that cannot be asked: {error}")


def act(work: Callable[[Any, str], Awaitable[T]]) -> T:
    """Let `work` change something, told a connection and Kafka's address. Exit 2 without a database."""
    try:
        return write(work)
    except DatabaseTroubleError as error:
        fail(str(error), code=2)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong and exit."""
    typer.echo(f"counterfoil: {message}", err=True)
    raise typer.Exit(code)


def show(*parts: RenderableType) -> None:
    """On a terminal as it fits; in a pipe or file no line is broken, so that grep finds whole ids.

    Text is shown as it is: a stored name like `[/x]` or `:x:` is no markup. Colours come as `Text` with a style.
    """
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=UNBROKEN, markup=False, emoji=False)
    console.print(*parts, sep="\n")


def show_json(value: Any) -> None:
    """Indented JSON; what JSON does not know, as text."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str))
