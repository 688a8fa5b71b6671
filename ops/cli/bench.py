"""`counterfoil bench`: how fast it is, on the real thing and with every guard on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop
from rich.console import Console

from ops.bench import tables
from ops.bench.breakdown import profile as measure_steps
from ops.bench.errors import BenchError
from ops.bench.latency import STAGES, run_latency
from ops.bench.machine import look_at_machine
from ops.bench.payments import run_payments
from ops.bench.pgbench import run_pgbench
from ops.bench.proof import prove
from ops.bench.site import site
from ops.bench.workload import TOPIC, Workload
from ops.processes import RoleEndedError
from ops.settings import Settings
from schemas.topics import TOPICS

commands = typer.Typer()
bench = typer.Typer(help="How fast it is, on the real thing and with every guard on.", no_args_is_help=True)
commands.add_typer(bench, name="bench")

Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file, too.")]
Seed = Annotated[int, typer.Option(help="Of the payments; the same seed makes the same ones.")]
Workers = Annotated[int, typer.Option(min=1, max=TOPICS[TOPIC].partitions)]


@bench.command()
def payments(
    events: Annotated[int, typer.Option(min=1)] = 100_000,
    workers: Workers = 2,
    seed: Seed = 7,
    pgbench_seconds: Annotated[
        int, typer.Option(min=0, help="Of each pgbench run, before and after; 0 for none.")
    ] = 8,
    json: Json = None,
) -> None:
    """Recorded payments from Kafka through commit to the relayed downstream events, against pgbench."""
    settings = Settings()
    console = Console()
    machine = look_at_machine()
    workload = Workload(seed=seed)
    try:
        with site(settings, console.log) as here:
            console.log(f"pgbench, {pgbench_seconds} s each")
            before = run_pgbench(here.at.admin_url, pgbench_seconds)
            run = uvloop.run(run_payments(here, workload, events, workers, console.log))
            proof = uvloop.run(prove(here.at, events, workload.paid_minor))
            after = run_pgbench(here.at.admin_url, pgbench_seconds)
    except (BenchError, RoleEndedError) as error:
        raise _told(error) from error
    best = max((measured.tps for measured in (*before, *after)), default=None)
    result = {
        "benchmark": "payments",
        "machine": asdict(machine),
        **asdict(run),
        "pgbench": {"before": list(map(asdict, before)), "after": list(map(asdict, after)), "best_tps": best},
        "ratio": run.events_per_second / best if best else None,
        "proof": asdict(proof),
    }
    console.print(tables.payments(result))
    _keep(result, json)
    for problem in proof.problems:
        typer.echo(problem, err=True)
    if proof.problems:
        raise typer.Exit(1)


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


def _keep(result: dict[str, Any], json: Path | None) -> None:
    if json is not None:
        json.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _told(error: Exception) -> typer.Exit:
    typer.echo(f"counterfoil: {error}", err=True)
    return typer.Exit(1)
