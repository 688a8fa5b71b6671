"""The command `publish`: events from a file or a pipe to Kafka, as an upstream service sends them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from ops.endpoints import places
from ops.settings import Settings
from producers.client import Client, InvalidEventError, key_of, likely_key
from schemas.topics import INBOUND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from io import BufferedReader

commands = typer.Typer()

CHUNK_BYTES: Final = 65_536


@commands.command()
def publish(
    file: Annotated[
        Path, typer.Argument(help="One JSON event a line; - is standard input.", metavar="FILE|-")
    ],
    topic: Annotated[str, typer.Option(help=f"One of {', '.join(INBOUND)}.")] = "checkout.events",
    *,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate", help="Refuse events that nobody could read, or let all through."
        ),
    ] = True,
) -> None:
    """Publish events. A line that does not fit its schema is named and left out; then the exit code is 1."""
    if topic not in INBOUND:
        raise typer.BadParameter(f"{topic}: choose from {', '.join(INBOUND)}", param_hint="--topic")
    kafka = places(Settings()).kafka
    try:
        piped = nullcontext(cast("BufferedReader", sys.stdin.buffer))
        with piped if str(file) == "-" else file.open("rb") as source:
            sent, refused = asyncio.run(_publish(kafka, topic, file.name, source, validate=validate))
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from error
    except KafkaError as error:
        typer.echo(f"counterfoil: {kafka} did not take the events: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{sent} published, {refused} refused")
    if refused:
        raise typer.Exit(1)


async def _publish(
    kafka: str, topic: str, name: str, source: BufferedReader, *, validate: bool
) -> tuple[int, int]:
    """How many lines were published, how many refused. Blank lines are no events."""
    refused = 0
    columns = TextColumn("{task.description} {task.completed:,}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("published", total=None)
        async with Client(kafka, topic) as client:
            number = 0
            async for line in _lines(source):
                number += 1
                body = line.strip()
                if not body:
                    continue
                try:
                    await client.send(key_of(topic, body) if validate else likely_key(body), body)
                except InvalidEventError as error:
                    refused += 1
                    for field, problem in error.problems:
                        progress.console.print(
                            f"{name}:{number}: {field}: {problem}", markup=False, highlight=False
                        )
                progress.update(task, completed=client.acknowledged)
    return client.acknowledged, refused


async def _lines(source: BufferedReader) -> AsyncIterator[bytes]:
    """The lines as they come; a pipe that is slow keeps nothing back that it has written."""
    rest = b""
    while chunk := await asyncio.to_thread(source.read1, CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
    yield rest
