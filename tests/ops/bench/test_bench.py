"""The benchmarks end to end: every process and server real, a few events only, no number expected to be good."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from ops.bench.pgbench import CLIENTS
from ops.embedded import Stack
from schemas.topics import TOPICS
from tests.brokers import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.embedded import Endpoints

    Measure = Callable[..., dict[str, Any]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DATABASE = "counterfoil"
ITS_OWN: dict[str, str] = {}
"""Servers that the benchmark starts for itself, with the settings that it wants."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder of our own, which PostgreSQL's account can reach."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)
        yield root


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[Endpoints]:
    """What the benchmarks share; starting it is longer than most of them."""
    with Stack(folder / "shared", owned=True) as stack:
        yield stack.endpoints()


@pytest.fixture
async def emptied(servers: Endpoints) -> dict[str, str]:
    """The same as nobody has used it, as the environment names it: a benchmark refuses any other."""
    admin = servers.admin_url.rsplit("/", 1)[0]
    with psycopg.connect(f"{admin}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    client = AIOKafkaAdminClient(bootstrap_servers=servers.kafka_bootstrap)
    await client.start()
    try:
        await client.delete_topics([name for name in await client.list_topics() if name in TOPICS])

        async def gone() -> bool:
            return not set(await client.list_topics()) & set(TOPICS)

        await until(gone)
    finally:
        await client.close()
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka_bootstrap,
        "DATABASE_URL": servers.database_url,
        "DATABASE_ADMIN_URL": servers.admin_url,
    }


def bench(folder: Path, servers: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run a benchmark; the result is the file that it wrote."""
    file = folder / "result.json"
    command = (sys.executable, "-m", "ops.cli", "bench", *arguments, "--json", str(file))
    environment = os.environ | {"COUNTERFOIL_FOLDER": str(folder)} | servers
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = orjson.loads(file.read_bytes())
    return result


@pytest.fixture
def measure(folder: Path, emptied: dict[str, str]) -> Measure:
    """Run a benchmark on the servers of all."""
    return partial(bench, folder, emptied)


def test_payments_are_all_there_and_compared_with_pgbench(folder: Path) -> None:
    sizes = ("--events", "500", "--warm-up", "300")
    result = bench(folder, ITS_OWN, "payments", *sizes, "--pgbench-seconds", "1")
    assert result["events"] == 500
    assert (result["cold"]["events"], result["cold"]["published"]) == (300, 600), "told, and not in the rate"
    assert result["workers"] == 2
    assert result["published"] == 1000, "each payment has an event, and its entry one"
    assert result["events_per_second"] == pytest.approx(500 / result["seconds"])
    for when in ("before", "after"):
        assert [run["clients"] for run in result["pgbench"][when]] == list(CLIENTS)
    best = max(run["tps"] for when in ("before", "after") for run in result["pgbench"][when])
    assert result["ratio"] == pytest.approx(result["events_per_second"] / best)
    assert set(result["processor"]["cpu_seconds"]) == {
        "worker-1",
        "worker-2",
        "relay",
        "postgres",
        "kafka",
        "bench",
    }
    proof = result["proof"]
    assert proof["problems"] == []
    assert proof["payments"] == 800, "what warmed up must be right as well"
    assert proof["trial_balance"] == {"EUR": 0, "JPY": 0, "USD": 0}
    assert all(proof["laws"].values())
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    assert durable.items() <= proof["durability"].items()


def test_the_profile_accounts_for_every_step_of_engine_and_relay(folder: Path) -> None:
    result = bench(folder, ITS_OWN, "profile", "--events", "400", "--batch-size", "50")
    steps = {step["name"]: step for step in result["engine"]["steps"]}
    assert {"decode and validate", "decide", "COPY lines", "COPY inbox", "COMMIT"} <= set(steps)
    assert "statement add_to_balances" in steps
    assert steps["decide"]["calls"] == steps["decode and validate"]["calls"] == result["engine"]["events"]
    assert {"hand batches over", "statement unpublished", "statement move_cursor"} <= {
        step["name"] for step in result["relay"]["steps"]
    }
    assert "guard_lines" in result["guards"]


def test_latency_is_split_into_stages_that_follow_each_other(measure: Measure) -> None:
    result = measure("latency", "--rate", "50", "--seconds", "2")
    assert result["events"] == 100, "the warm-up is left out"
    assert list(result["stages_ms"]) == ["publish", "consume", "transaction", "relay", "deliver"]
    assert result["bound_by"] in result["stages_ms"]
    for times in (result["latency_ms"], *result["stages_ms"].values()):
        assert 0 <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert result["latency_ms"]["max"] >= max(stage["p50"] for stage in result["stages_ms"].values())


@pytest.mark.parametrize(
    ("about", "outcomes"),
    [("payout", {"applied": 280}), ("order", {"parked": 280}), ("payment", {"applied": 280})],
)
def test_webhooks_are_answered_kept_and_judged(
    measure: Measure, about: str, outcomes: dict[str, int]
) -> None:
    plan = ("--burst", "40", "--rate", "100", "--full-speed", "40", "--about", about)
    seconds = "1" if about == "payment" else "0"
    result = measure("webhooks", *plan, "--pgbench-seconds", seconds)
    assert result["problems"] == []
    assert result["outcomes"] == outcomes, "200 of them to warm up"
    for name in ("burst", "full_speed"):
        assert result[name]["statuses"] == {"200": 40}
    best = result["pgbench"]["best_tps"]
    assert (result["ratio"] is None) is (best is None) is (seconds == "0")
    if best is None:
        return
    assert result["ratio"] == {
        "answered": pytest.approx(result["full_speed"]["answered_per_second"] / best),
        "committed": pytest.approx(result["committed_per_second"] / best),
    }


def test_cards_go_to_the_provider_and_succeed(measure: Measure) -> None:
    plan = ("--payments", "50", "--rate", "10", "--seconds", "1", "--workers", "1")
    result = measure("cards", *plan, "--pgbench-seconds", "1")
    assert result["problems"] == []
    assert result["payments_per_second"] == pytest.approx(50 / result["seconds"])
    assert result["ratio"] == pytest.approx(result["payments_per_second"] / result["pgbench"]["best_tps"])
    ours = {"sandbox", "worker-1", "relay", "gateway", "bench"}
    assert set(result["processor"]["cpu_seconds"]) == ours
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["max"]


def test_the_ledger_is_written_through_kafka_and_in_bulk(measure: Measure) -> None:
    sizes = ("--entries", "400", "--batch", "100", "--payments", "300")
    result = measure("ledger", *sizes, "--pgbench-seconds", "1")
    assert result["problems"] == []
    assert list(result["through_kafka"]) == ["spread", "hot"]
    for run in result["through_kafka"].values():
        assert (run["events"], run["published"]) == (300, 600)
        assert run["ratio"] == pytest.approx(run["events_per_second"] / result["pgbench"]["best_tps"])
    assert list(result["runs"]) == ["spread", "hot"]
    for run in result["runs"].values():
        assert (run["entries"], run["writers"]) == (400, 2)
        assert run["ratio"] == pytest.approx(run["entries_per_second"] / result["pgbench"]["best_tps"])


def test_the_books_are_asked_about_any_moment(measure: Measure) -> None:
    result = measure("books", "--lines", "12000", "--rounds", "2")
    assert result["lines"] == 12_000
    assert {asked["question"] for asked in result["questions"]} == {
        "balance",
        "month, first page",
        "month, a later page",
    }
