"""`counterfoil bench`: how fast it is, on the real thing and with every guard on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
import uvloop
from rich.console import Console

from ops.bench import tables
from ops.bench.books import run_books
from ops.bench.books import table as books_table
from ops.bench.breakdown import profile as measure_steps
from ops.bench.cards import Orders, run_cards
from ops.bench.errors import BenchError
from ops.bench.latency import STAGES, run_latency
from ops.bench.ledger import run_ledger
from ops.bench.machine import look_at_machine
from ops.bench.payments import run_payments
from ops.bench.pgbench import yardstick
from ops.bench.proof import prove
from ops.bench.site import site
from ops.bench.webhooks import About, Plan, run_webhooks
from ops.bench.workload import TOPIC, Workload
from ops.processes import RoleEndedError
from ops.settings import Settings
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

commands = typer.Typer()
bench = typer.Typer(help="How fast it is, on the real thing and with every guard on.", no_args_is_help=True)
commands.add_typer(bench, name="bench")

Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file, too.")]
Seed = Annotated[int, typer.Option(help="Of the payments; the same seed makes the same ones.")]
Workers = Annotated[int, typer.Option(min=1, max=TOPICS[TOPIC].partitions)]

PgbenchSeconds = Annotated[
    int, typer.Option(min=0, help="Of each pgbench run, before and after; 0 for none.")
]


@bench.command()
def payments(
    events: Annotated[int, typer.Option(min=1)] = 100_000,
    workers: Workers = 2,
    seed: Seed = 7,
    pgbench_seconds: PgbenchSeconds = 8,
    json: Json = None,
) -> None:
    """Recorded payments from Kafka through commit to the relayed downstream events, against pgbench."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    workload = Workload(seed=seed)
    try:
        with (
            site(settings, console.log) as here,
            yardstick(here.at.admin_url, pgbench_seconds, console.log) as pgbench,
        ):
            run = uvloop.run(run_payments(here, workload, events, workers, console.log))
            proof = uvloop.run(prove(here.at, events, workload.paid_minor))
    except (BenchError, RoleEndedError) as error:
        raise _told(error) from error
    result = {
        "benchmark": "payments",
        "machine": asdict(machine),
        **asdict(run),
        "pgbench": pgbench.told(),
        "ratio": pgbench.ratio(run.events_per_second),
        "proof": asdict(proof),
    }
    console.print(tables.payments(result))
    _keep(result, json)
    _complain(proof.problems)


@bench.command()
def latency(
    rate: Annotated[int, typer.Option(min=1, help="Events a second.")] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="After the warm-up.")] = 20,
    workers: Workers = 2,
    seed: Seed = 7,
    json: Json = None,
) -> None:
    """From when an event was due to be published to its downstream event, at a fixed rate."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    try:
        with site(settings, console.log) as here:
            found = uvloop.run(run_latency(here, Workload(seed=seed), rate, seconds, workers, console.log))
    except (BenchError, RoleEndedError) as error:
        raise _told(error) from error
    result = {"benchmark": "latency", "machine": asdict(machine), **asdict(found)}
    console.print(tables.latency(result, STAGES))
    _keep(result, json)


@bench.command()
def profile(
    events: Annotated[int, typer.Option(min=10)] = 40_000,
    batch_size: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Seed = 7,
    json: Json = None,
) -> None:
    """Where the time of one event goes: one engine and one relay in this process, watched from outside."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    try:
        with site(settings, console.log) as here:
            found = uvloop.run(measure_steps(here, Workload(seed=seed), events, batch_size))
    except BenchError as error:
        raise _told(error) from error
    result = {"benchmark": "profile", "machine": asdict(machine), **asdict(found)}
    console.print(tables.breakdown("engine: from bytes to committed", result["engine"]))
    console.print(tables.breakdown("relay: from outbox to acknowledged", result["relay"]))
    if found.guards:
        console.print(tables.guards(found.guards))
    _keep(result, json)


@bench.command()
def webhooks(
    burst: Annotated[int, typer.Option(min=1, help="Webhooks sent at the rate.")] = 10_000,
    rate: Annotated[int, typer.Option(min=1, help="Of the burst, a second.")] = 2_000,
    full_speed: Annotated[
        int, typer.Option(min=1, help="Webhooks sent as fast as they are answered.")
    ] = 20_000,
    about: Annotated[
        About, typer.Option(help="payment: each makes one succeed; order: each is parked.")
    ] = "payment",
    workers: Workers = 2,
    pgbench_seconds: PgbenchSeconds = 4,
    json: Json = None,
) -> None:
    """Signed webhooks from the first byte to the answer, and to the committed state, against pgbench."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    plan = Plan(burst, rate, full_speed, about)
    try:
        with (
            site(settings, console.log) as here,
            yardstick(here.at.admin_url, pgbench_seconds, console.log) as pgbench,
        ):
            run = uvloop.run(run_webhooks(here, plan, workers, console.log))
    except (BenchError, RoleEndedError) as error:
        raise _told(error) from error
    rates = {"answered": run.full_speed.answered_per_second, "committed": run.committed_per_second}
    ratio = (
        {name: pgbench.ratio(per_second) for name, per_second in rates.items()} if pgbench_seconds else None
    )
    result = {
        "benchmark": "webhooks",
        "machine": asdict(machine),
        **asdict(run),
        "pgbench": pgbench.told(),
        "ratio": ratio,
    }
    console.print(tables.webhooks(result))
    _keep(result, json)
    _complain(run.problems)


@bench.command()
def cards(
    payments: Annotated[int, typer.Option(min=1, help="All at once, for the rate.")] = 5_000,
    rate: Annotated[int, typer.Option(min=1, help="Payments a second, for the latency.")] = 50,
    seconds: Annotated[int, typer.Option(min=1, help="At that rate.")] = 10,
    workers: Workers = 2,
    pgbench_seconds: PgbenchSeconds = 4,
    json: Json = None,
) -> None:
    """Card payments from Kafka to the provider, over HTTP, and back to succeeded and published, against pgbench."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    try:
        with (
            site(settings, console.log) as here,
            yardstick(here.at.admin_url, pgbench_seconds, console.log) as pgbench,
        ):
            run = uvloop.run(run_cards(here, Orders(payments, rate, seconds), workers, console.log))
    except (BenchError, RoleEndedError) as error:
        raise _told(error) from error
    result = {
        "benchmark": "cards",
        "machine": asdict(machine),
        **asdict(run),
        "pgbench": pgbench.told(),
        "ratio": pgbench.ratio(run.payments_per_second),
    }
    console.print(tables.cards(result))
    _keep(result, json)
    _complain(run.problems)


@bench.command()
def ledger(
    entries: Annotated[int, typer.Option(min=1, help="Of three legs, for each run.")] = 200_000,
    writers: Annotated[int, typer.Option(min=1, help="Processes, each with a connection and a stripe.")] = 2,
    batch: Annotated[int, typer.Option(min=1, help="Entries of one transaction.")] = 2_000,
    pgbench_seconds: PgbenchSeconds = 4,
    json: Json = None,
) -> None:
    """Entries through the in-process bulk interface, over many accounts and on hot ones, against pgbench."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    try:
        with (
            site(settings, console.log) as here,
            yardstick(here.at.admin_url, pgbench_seconds, console.log) as pgbench,
        ):
            found = uvloop.run(run_ledger(here, entries, writers, batch, console.log))
    except BenchError as error:
        raise _told(error) from error
    result = {
        "benchmark": "ledger",
        "machine": asdict(machine),
        "runs": {
            name: asdict(run) | {"ratio": pgbench.ratio(run.entries_per_second)}
            for name, run in found.runs.items()
        },
        "problems": found.problems,
        "pgbench": pgbench.told(),
    }
    console.print(tables.ledger(result))
    _keep(result, json)
    _complain(found.problems)


@bench.command()
def books(
    lines: Annotated[int, typer.Option(min=3, help="Of the ledger.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each question is asked.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the moments asked about.")] = 7,
    json: Json = None,
) -> None:
    """Balances as of any moment and pages of statements, in a ledger of many lines."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    try:
        with site(settings, console.log) as here:
            run = uvloop.run(run_books(here.at.admin_url, lines, rounds, seed, console.log))
    except BenchError as error:
        raise _told(error) from error
    console.print(books_table(run))
    _keep({"benchmark": "books", "machine": asdict(machine), **asdict(run)}, json)


def _complain(problems: Sequence[str]) -> None:
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)


def _keep(result: dict[str, Any], json: Path | None) -> None:
    if json is not None:
        json.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _told(error: Exception) -> typer.Exit:
    typer.echo(f"counterfoil: {error}", err=True)
    return typer.Exit(1)
