"""The yardstick: PostgreSQL's own pgbench, TPC-B (sort of), on the same server, in a database of its own.

https://www.postgresql.org/docs/18/pgbench.html
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ops.bench.errors import BenchError
from ops.embedded.unprivileged import BINARIES, installation

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALE: Final = 10
CLIENTS: Final = (1, 4, 16)
DATABASE: Final = "counterfoil_pgbench"
_TPS: Final = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: transactions per second, without the time to connect."""

    clients: int
    tps: float


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
