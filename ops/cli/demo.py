"""The command `demo`: a seeded day of a marketplace on the whole stack, and its report."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import httpx
import orjson
import typer
from aiokafka.errors import KafkaError
from rich.console import Console

from ops.demo.books.draft import Books
from ops.demo.marketplace import FEWEST_EVENTS, generate
from ops.demo.printed import printed
from ops.demo.progress import live_view
from ops.demo.report import Report, make_report, owed_by_providers
from ops.demo.stage import NotSettledError, staged
from ops.demo.weeks import play_weeks, set_house_clocks
from ops.endpoints import Places
from ops.processes import RoleEndedError
from ops.settings import Settings
from ops.site import SiteInUseError, site

commands = typer.Typer()

FOLDER: Final = "demo"
DEADLINE_S: Final = 60
EVENTS_PER_SECOND_AT_LEAST: Final = 50
WIDTH: Final = 120
"""Of the report, where there is no terminal to ask."""


@commands.command()
def demo(
    events: Annotated[
        int, typer.Option(min=FEWEST_EVENTS, max=1_000_000, help="How many events the day has.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal days.")] = 7,
    report: Annotated[Path | None, typer.Option(help="Write the report here as JSON, too.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 2,
    *,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="With external servers: play also on what they hold; take another seed."),
    ] = False,
) -> None:
    """Play a day of a marketplace and what follows it, and prove the books.

    The day: cards, cash, declines, time-outs, duplicates and rubbish; journals, conversions and wallets. The days
    after it: refunds and their approvals, disputes, bank debits, the provider's webhooks: twice, late, in the wrong
    order; reversals, promotions that expire, and the closing of the books.

    Runs on an embedded stack of its own in the folder .counterfoil/demo, which is emptied first, or on external servers
    that are empty. Exit code 1 when a law is broken or something does not settle.
    """
    settings = Settings()
    folder = settings.counterfoil_folder / FOLDER
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    if not settings.external:
        console.print(f"This demo's own stack is in {folder}; what an earlier demo left there is deleted.")
    try:
        with site(settings, folder, console.print, keep=keep) as at:
            made = asyncio.run(_play(at, folder / "roles", console, events, seed, workers))
    except SiteInUseError as error:
        raise _failure(f"{error}; empty servers are needed, or --keep to play on top of it") from error
    except (NotSettledError, RoleEndedError, KafkaError, httpx.HTTPError) as error:
        raise _failure(f"{error}\nlogs of all roles: {folder / 'roles'}") from error
    console.print(printed(made))
    if report is not None:
        report.write_bytes(orjson.dumps(made.as_json(), option=orjson.OPT_INDENT_2))
        console.print(f"report written to {report}")
    if not settings.external:
        console.print(
            f"Look closer: COUNTERFOIL_FOLDER={folder} counterfoil up, then journals list, wallets list,"
        )
        console.print(
            "periods list, dead-letters list, explain, statement, check, verify or replay; down in the end."
        )
    if not made.ok:
        raise typer.Exit(1)


async def _play(at: Places, logs: Path, console: Console, events: int, seed: int, workers: int) -> Report:
    owed_before = await owed_by_providers(at.database_url)
    deadline_s = DEADLINE_S + events / EVENTS_PER_SECOND_AT_LEAST
    async with staged(at, logs, workers=workers) as stage:
        console.print(f"running: {', '.join(stage.processes.names)}; logs in {logs}")
        books = Books(events, seed)
        await set_house_clocks(stage, books, 0)
        day = [*generate(events, seed), *books.script.on(0)]
        with live_view(console, len(day)) as observe:
            seconds = await stage.play(day, deadline_s=deadline_s, observe=observe)
        console.print(
            f"the day is settled after {seconds:.1f} s; what follows it, with the provider's webhooks:"
        )
        with live_view(console) as observe:
            aftermath = await play_weeks(
                stage,
                events=events,
                seed=seed,
                books=books,
                deadline_s=deadline_s,
                tell=console.print,
                observe=observe,
            )
        return await make_report(
            stage,
            events=events,
            seed=seed,
            seconds=seconds,
            owed_before=owed_before,
            desks=books,
            aftermath=aftermath,
        )


def _failure(message: str) -> typer.Exit:
    typer.echo(f"counterfoil: {message}", err=True)
    return typer.Exit(1)
