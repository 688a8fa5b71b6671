"""Entries of three legs, over many accounts and on hot ones, through Kafka and through `db.ledger.Ledger.write`.

Through Kafka an entry is what a recorded payment leads to, with everything around it. In bulk, each writer is a process
with a connection of the application's role and a stripe of the balances, as an engine has. Every guard of the database
is on: what does not balance would be refused.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any, Final

from db.connection import connect
from db.ledger import Entry, Ledger
from db.queries import bench as sql
from db.queries import engine
from handlers.ledger.model import CREDIT, DEBIT, Code, Posting
from ops.bench.errors import BenchError
from ops.bench.payments import run_payments
from ops.bench.processor import Meter
from ops.bench.workload import TENANT, Workload
from schemas.ledger import Leg
from schemas.outgoing import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.bench import payments
    from ops.bench.processor import Use
    from ops.bench.site import Site

OWNERS: Final = {"spread": 2_000, "hot": 1}
"""Run -> how many terminals, merchants and platforms the legs are spread over; with one, every entry has the same
three accounts."""
THROUGH_KAFKA: Final[dict[str, dict[str, Any]]] = {
    "spread": {"tenant": "bench-spread"},
    "hot": {
        "tenant": "bench-hot",
        "merchants": 1,
        "currencies": ("EUR",),
        "collections": ("point_of_sale",),
    },
}
"""The same of a workload of payments."""
AMOUNT_MINOR, FEE_MINOR = 2_500, 93
WARM_UP_BATCHES: Final = 2
START_S: Final = 60
LONGEST_S: Final = 600

_meet: Any = None
"""In a writer's process: where the writers and their conductor wait for each other."""


@dataclass(frozen=True, slots=True)
class Run:
    """Entries, from the first writer's first transaction to the last one's commit."""

    entries: int
    writers: int
    batch: int
    seconds: float
    entries_per_second: float
    processor: Use


@dataclass(frozen=True, slots=True)
class LedgerRuns:
    """Runs by their name in OWNERS, and what is wrong with what was written."""

    runs: dict[str, Run]
    problems: list[str]


async def run_through_kafka(
    site: Site, events: int, workers: int, tell: Callable[[str], None]
) -> dict[str, payments.Run]:
    """One entry for each recorded payment, run after run, each after as many to warm up.

    Raises:
        BenchError: nothing moved for a minute, or some are not there.
        RoleEndedError: a process ended.
    """
    runs = {}
    for name, shape in THROUGH_KAFKA.items():
        runs[name] = (await run_payments(site, Workload(**shape), events, workers, tell, warm_up=events)).warm
        connection = await connect(site.at.admin_url, application="counterfoil bench")
        try:
            written = await sql.count_entries(connection, tenant=shape["tenant"])
        finally:
            await connection.close()
        if written != 2 * events:
            raise BenchError(f"{written} entries are there of {2 * events} payments ({name})")
    return runs


async def run_ledger(
    site: Site, entries: int, writers: int, batch: int, tell: Callable[[str], None]
) -> LedgerRuns:
    """Every run one after the other, on the same database.

    Raises:
        BenchError: the writers do not come up.
    """
    runs = {}
    for name, owners in OWNERS.items():
        tell(f"{entries:,} entries, {name}, {writers} writers")
        share = max(1, entries // writers)
        runs[name] = await asyncio.to_thread(_run, site, (name, owners, share, batch), writers)
    connection = await connect(site.at.admin_url, application="counterfoil bench")
    try:
        problems = [
            f"{row['currency']} is off by {row['off_by_minor']} minor units"
            for row in await sql.trial_balance(connection)
            if row["off_by_minor"]
        ]
        written = await sql.count_entries(connection, tenant=TENANT)
    finally:
        await connection.close()
    expected = sum(run.entries for run in runs.values()) + len(runs) * writers * WARM_UP_BATCHES * batch
    if written != expected:
        problems.append(f"{written} entries are there of {expected}")
    return LedgerRuns(runs, problems)


def _run(site: Site, plan: tuple[str, int, int, int], writers: int) -> Run:
    _, _, share, batch = plan
    context = get_context("spawn")
    meet = context.Barrier(writers + 1)
    with ProcessPoolExecutor(writers, context, _begin, (meet,)) as pool:
        ends = [pool.submit(_write, site.at.database_url, number, plan) for number in range(writers)]
        try:
            meet.wait(START_S)  # all have their entries, their accounts and warm caches
            meter = Meter(site.pids)
            meet.wait(START_S)  # off they go
            meet.wait(
                LONGEST_S
            )  # all have committed; a connection's processor time is counted while it lives
            use = meter.read()
            meet.wait(START_S)
        except BrokenBarrierError as error:
            raise BenchError("a writer ended, or took too long") from error
        times = [end.result() for end in ends]
    seconds = max(ended for _, ended in times) - min(started for started, _ in times)
    entries = share * writers
    return Run(entries, writers, batch, seconds, entries / seconds, use)


def _begin(meet: Any) -> None:
    global _meet  # noqa: PLW0603 - an initializer has no other way to hand something to its process
    _meet = meet


def _write(url: str, writer: int, plan: tuple[str, int, int, int]) -> tuple[float, float]:
    """A writer's life, in a process of its own; returns when it began and ended, by the machine's one clock."""
    try:
        return asyncio.run(_write_all(url, writer, plan))
    except BaseException:
        _meet.abort()  # nobody is to wait for this one
        raise


async def _write_all(url: str, writer: int, plan: tuple[str, int, int, int]) -> tuple[float, float]:
    name, owners, share, batch = plan
    connection = await connect(url, application="counterfoil bench writer", by_key=True)
    try:
        ledger = Ledger(await engine.claim_stripe(connection))
        warm_up = _entries(f"{name}-{writer}-warm", owners, WARM_UP_BATCHES * batch)
        await _commit_all(connection, ledger, list(warm_up), batch)
        entries = list(_entries(f"{name}-{writer}", owners, share))
        _meet.wait(START_S)
        _meet.wait(START_S)
        started = time.monotonic()
        await _commit_all(connection, ledger, entries, batch)
        ended = time.monotonic()
        _meet.wait(LONGEST_S)
        _meet.wait(START_S)
    finally:
        await connection.close()
    return started, ended


async def _commit_all(connection: Any, ledger: Ledger, entries: list[Entry], batch: int) -> None:
    for first in range(0, len(entries), batch):
        together = entries[first : first + batch]
        async with connection.transaction():
            ids = await engine.reserve_ids(connection, entries=len(together))
            await ledger.write(connection, together, ids["entry_ids"])
        ledger.committed()


def _entries(name: str, owners: int, count: int) -> Iterator[Entry]:
    """A sale at a terminal: what the customer paid, to the merchant, less the platform's fee."""
    now = datetime.now(UTC)
    for number in range(count):
        owner = number % owners
        legs = (
            Leg(DEBIT, Code.TERMINAL_RECEIVABLE, f"terminal-{owner}", AMOUNT_MINOR, "EUR"),
            Leg(CREDIT, Code.MERCHANT_PAYABLE, f"merchant-{owner}", AMOUNT_MINOR - FEE_MINOR, "EUR"),
            Leg(CREDIT, Code.PLATFORM_FEE_REVENUE, f"platform-{owner}", FEE_MINOR, "EUR"),
        )
        posting = Posting("sale_at_terminal", "payment", f"{name}-{number}", now, legs)
        yield Entry(Cause(TENANT, "/counterfoil/bench", f"{name}-{number}"), posting, now)
