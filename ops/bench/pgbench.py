"""The yardstick: PostgreSQL's own pgbench, TPC-B (sort of), on the same server, in a database of its own.

https://www.postgresql.org/docs/18/pgbench.html
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ops.bench.errors import BenchError
from ops.embedded.unprivileged import BINARIES, installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCALE: Final = 10
CLIENTS: Final = (1, 4, 16)
DATABASE: Final = "counterfoil_pgbench"
_TPS: Final = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: transactions per second, without the time to connect."""

    clients: int
    tps: float


@dataclass(slots=True)
class Yardstick:
    """Runs before and after what they are compared with."""

    before: list[Measured]
    after: list[Measured] = field(default_factory=list)

    def best_tps(self) -> float | None:
        """Of all runs; None when there was none."""
        return max((run.tps for run in (*self.before, *self.after)), default=None)

    def ratio(self, per_second: float) -> float | None:
        """A rate in units of that."""
        best = self.best_tps()
        return per_second / best if best else None

    def told(self) -> dict[str, Any]:
        """As a result's JSON has it."""
        runs = {when: list(map(asdict, getattr(self, when))) for when in ("before", "after")}
        return {**runs, "best_tps": self.best_tps()}


@contextmanager
def yardstick(admin_url: str, seconds: int, tell: Callable[[str], None]) -> Iterator[Yardstick]:
    """Measure before and after the block; see run_pgbench."""
    tell(f"pgbench, {seconds} s each")
    measured = Yardstick(run_pgbench(admin_url, seconds))
    yield measured
    measured.after = run_pgbench(admin_url, seconds)


def run_pgbench(admin_url: str, seconds: int) -> list[Measured]:
    """`-M prepared` with 1, 4 and 16 clients, so many seconds each, on fresh tables of scale 10; nothing for 0 seconds.

    Raises:
        BenchError: pgbench failed; the message has what it said.
    """
    if not seconds:
        return []
    with _scratch_database(admin_url) as conninfo:
        _pgbench(conninfo, "--initialize", "--quiet", f"--scale={SCALE}")
        return [_measure(conninfo, clients, seconds) for clients in CLIENTS]


def _measure(conninfo: str, clients: int, seconds: int) -> Measured:
    jobs = min(clients, os.cpu_count() or 1)
    said = _pgbench(
        conninfo, "--protocol=prepared", f"--client={clients}", f"--jobs={jobs}", f"--time={seconds}"
    )
    found = _TPS.search(said)
    if found is None:
        raise BenchError(f"pgbench named no tps:\n{said}")
    return Measured(clients, float(found[1]))


def _pgbench(conninfo: str, *options: str) -> str:
    parts = conninfo_to_dict(conninfo)
    password = str(parts.pop("password", ""))
    # Not on the command line, where every user of the machine could read it.
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    server = make_conninfo("", **{name: value for name, value in parts.items() if value is not None})
    command = (str(installation() / BINARIES / "pgbench"), *options, server)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BenchError(f"pgbench failed with code {done.returncode}:\n{done.stderr}")
    return done.stdout


@contextmanager
def _scratch_database(admin_url: str) -> Iterator[str]:
    name = sql.Identifier(DATABASE)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield make_conninfo(admin_url, dbname=DATABASE)
        finally:
            connection.execute(drop)
