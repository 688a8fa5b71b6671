"""`counterfoil bench`: how fast it is, on the real thing and with every guard on."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
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
from ops.bench.ledger import run_ledger, run_through_kafka
from ops.bench.machine import Machine, look_at_machine
from ops.bench.payments import run_payments
from ops.bench.pgbench import Yardstick, yardstick
from ops.bench.proof import prove
from ops.bench.site import Site, site
from ops.bench.webhooks import About, Plan, run_webhooks
from ops.bench.workload import TOPIC, Workload
from ops.processes import RoleEndedError
from ops.settings import Settings
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

commands = typer.Typer()
bench = typer.Typer(help="How fast it is, on the real thing and with every guard on.", no_args_is_help=True)
commands.add_typer(bench, name="bench")

Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file, too.")]
Seed = Annotated[int, typer.Option(help="Of the payments; the same seed makes the same ones.")]
Workers = Annotated[int, typer.Option(min=1, max=TOPICS[TOPIC].partitions)]
PgbenchSeconds = Annotated[
    int, typer.Option(min=0, help="Of each pgbench run, before and after; 0 for none.")
]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every benchmark has: servers of its own, pgbench before and after, and somebody to tell."""

    here: Site
    pgbench: Yardstick
    machine: Machine
    console: Console

    def log(self, line: str) -> None:
        """Say how far it is."""
        self.console.log(line)

    def result(self, name: str, found: dict[str, Any]) -> dict[str, Any]:
        """What was found, and on what machine."""
        return {"benchmark": name, "machine": asdict(self.machine), **found}

    def tell(
        self, result: dict[str, Any], *shown: Table, json: Path | None, problems: Sequence[str] = ()
    ) -> None:
        """Show the result and keep it; with problems the command ends in exit 1."""
        for table in shown:
            self.console.print(table)
        if json is not None:
            json.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(1)


@contextmanager
def _bench(pgbench_seconds: int = 0) -> Iterator[Bench]:
    """Within the block the servers run; what ends it early is told, and the command ends in exit 1."""
    console = Console()
    machine = look_at_machine()
    try:
        with site(Settings(), console.log) as here:
            measured = yardstick(here.at.admin_url, pgbench_seconds, console.log)
            with measured if pgbench_seconds else nullcontext(Yardstick([])) as pgbench:
                yield Bench(here, pgbench, machine, console)
    except (BenchError, RoleEndedError) as error:
        typer.echo(f"counterfoil: {error}", err=True)
        raise typer.Exit(1) from error


@bench.command()
def payments(
    events: Annotated[int, typer.Option(min=1)] = 100_000,
    warm_up: Annotated[
        int, typer.Option(min=0, help="Payments before these; their rate, from a cold start, is told beside.")
    ] = 150_000,
    workers: Workers = 2,
    seed: Seed = 7,
    pgbench_seconds: PgbenchSeconds = 8,
    json: Json = None,
) -> None:
    """Recorded payments from Kafka through commit to the relayed downstream events, against pgbench."""
    workload = Workload(seed=seed)
    with _bench(pgbench_seconds) as at:
        runs = uvloop.run(run_payments(at.here, workload, events, workers, at.log, warm_up=warm_up))
        proof = uvloop.run(prove(at.here.at, warm_up + events, workload.paid_minor))
    run = runs.warm
    found = {
        **asdict(run),
        "cold": asdict(runs.cold) if runs.cold else None,
        "pgbench": at.pgbench.told(),
        "ratio": at.pgbench.ratio(run.events_per_second),
        "proof": asdict(proof),
    }
    result = at.result("payments", found)
    at.tell(result, tables.payments(result), json=json, problems=proof.problems)


@bench.command()
def latency(
    rate: Annotated[int, typer.Option(min=1, help="Events a second.")] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="After the warm-up.")] = 20,
    workers: Workers = 2,
    seed: Seed = 7,
    json: Json = None,
) -> None:
    """From when an event was due to be published to its downstream event, at a fixed rate."""
    with _bench() as at:
        run = uvloop.run(run_latency(at.here, Workload(seed=seed), rate, seconds, workers, at.log))
    result = at.result("latency", asdict(run))
    at.tell(result, tables.latency(result, STAGES), json=json)


@bench.command()
def profile(
    events: Annotated[int, typer.Option(min=10)] = 40_000,
    batch_size: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Seed = 7,
    json: Json = None,
) -> None:
    """Where the time of one event goes: one engine and one relay in this process, watched from outside."""
    with _bench() as at:
        found = uvloop.run(measure_steps(at.here, Workload(seed=seed), events, batch_size))
    result = at.result("profile", asdict(found))
    shown = [
        tables.breakdown("engine: from bytes to committed", result["engine"]),
        tables.breakdown("relay: from outbox to acknowledged", result["relay"]),
        *([tables.guards(found.guards)] if found.guards else []),
    ]
    at.tell(result, *shown, json=json)


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
    with _bench(pgbench_seconds) as at:
        run = uvloop.run(run_webhooks(at.here, Plan(burst, rate, full_speed, about), workers, at.log))
    rates = {"answered": run.full_speed.answered_per_second, "committed": run.committed_per_second}
    ratio = {name: at.pgbench.ratio(per_second) for name, per_second in rates.items()}
    found = {**asdict(run), "pgbench": at.pgbench.told(), "ratio": ratio if pgbench_seconds else None}
    result = at.result("webhooks", found)
    at.tell(result, tables.webhooks(result), json=json, problems=run.problems)


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
    with _bench(pgbench_seconds) as at:
        run = uvloop.run(run_cards(at.here, Orders(payments, rate, seconds), workers, at.log))
    ratio = at.pgbench.ratio(run.payments_per_second)
    result = at.result("cards", {**asdict(run), "pgbench": at.pgbench.told(), "ratio": ratio})
    at.tell(result, tables.cards(result), json=json, problems=run.problems)


@bench.command()
def ledger(
    entries: Annotated[int, typer.Option(min=1, help="Of three legs, for each run in bulk.")] = 200_000,
    writers: Annotated[
        int, typer.Option(min=1, max=TOPICS[TOPIC].partitions, help="Processes: workers, or writers in bulk.")
    ] = 2,
    batch: Annotated[int, typer.Option(min=1, help="Entries of one transaction in bulk.")] = 10_000,
    payments: Annotated[int, typer.Option(min=1, help="For each run through Kafka.")] = 50_000,
    pgbench_seconds: PgbenchSeconds = 4,
    json: Json = None,
) -> None:
    """Entries through Kafka and in bulk, over many accounts and on hot ones, against pgbench."""
    with _bench(pgbench_seconds) as at:
        through_kafka = uvloop.run(run_through_kafka(at.here, payments, writers, at.log))
        found = uvloop.run(run_ledger(at.here, entries, writers, batch, at.log))
    runs = {
        name: asdict(run) | {"ratio": at.pgbench.ratio(run.entries_per_second)}
        for name, run in found.runs.items()
    }
    told = {
        "through_kafka": {
            name: asdict(run) | {"ratio": at.pgbench.ratio(run.events_per_second)}
            for name, run in through_kafka.items()
        },
        "runs": runs,
        "problems": found.problems,
        "pgbench": at.pgbench.told(),
    }
    result = at.result("ledger", told)
    at.tell(result, tables.ledger(result), json=json, problems=found.problems)


@bench.command()
def books(
    lines: Annotated[int, typer.Option(min=3, help="Of the ledger.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Times that each question is asked.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the moments asked about.")] = 7,
    json: Json = None,
) -> None:
    """Balances as of any moment and pages of statements, in a ledger of many lines."""
    with _bench() as at:
        run = uvloop.run(run_books(at.here.at.admin_url, lines, rounds, seed, at.log))
    at.tell(at.result("books", asdict(run)), books_table(run), json=json)
