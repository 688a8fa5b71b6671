"""One real stack for the whole run, and in it a migrated database for each test that asks for one."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from db.connection import prepare
from db.migrate import migrate
from ops.embedded import Endpoints, Stack
from producers.kafka import create_topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    Connection = asyncpg.Connection[asyncpg.Record]

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TEMPLATE = "counterfoil_template"
_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A migrated, empty database of one test."""

    name: str
    app_url: str
    """As the application's role."""
    admin_url: str
    """As superuser."""
    read_url: str
    """As the readers' role."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests come first: one that a job began last would run on when the other jobs are done."""
    long = {item.path for item in items for name in ("faults", "slow") if item.get_closest_marker(name)}
    items.sort(key=lambda item: item.path not in long)


def _at(url: str, database: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{database}"


@pytest.fixture(scope="session", autouse=True)
def _terse_logs() -> None:
    """What the code logs stands beside a failure; errors without the values of every variable."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()]
    )


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and Kafka, which end with this process."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)  # also PostgreSQL's account has to pass, when we are root
        with Stack(root / "stack", owned=True) as running:
            _make_light(running.endpoints())
            yield running


def _make_light(endpoints: Endpoints) -> None:
    """Do not wait for the disk: what a test kills is a process, and what one has written outlives it."""
    with psycopg.connect(_at(endpoints.admin_url, "postgres"), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET fsync = off")
        server.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def endpoints(stack: Stack) -> Endpoints:
    """Where the stack is."""
    return stack.endpoints()


@pytest.fixture(scope="session")
async def kafka(endpoints: Endpoints) -> str:
    """The broker's address, with all topics of the registry."""
    await create_topics(endpoints.kafka_bootstrap)
    return endpoints.kafka_bootstrap


@pytest.fixture(scope="session")
async def template(endpoints: Endpoints) -> str:
    """The name of a migrated database to copy from; migrating takes a second, copying a fraction of one."""
    async with administrator(endpoints) as server:
        await server.execute(f"CREATE DATABASE {TEMPLATE}")
    url = _at(endpoints.admin_url, TEMPLATE)
    migrate(url)
    connection = await asyncpg.connect(url)
    # A copied sequence believes that the WAL knows of numbers which only the original's WAL knows of: after
    # a crash it would give them out again. Setting it makes it log the next one.
    for name in await connection.fetchval(
        "SELECT array_agg(sequencename) FROM pg_sequences WHERE last_value > 0"
    ):
        await connection.execute(f"SELECT setval('{name}', last_value) FROM {name}")  # noqa: S608 - our own names
    await connection.close()
    return TEMPLATE


@pytest.fixture
async def database(endpoints: Endpoints, template: str) -> AsyncIterator[Database]:
    """A database that no other test touches."""
    name = f"test_{next(_numbers)}"
    async with administrator(endpoints) as server:
        await copy_database(server, template, name)
    yield Database(
        name, *(_at(url, name) for url in (endpoints.database_url, endpoints.admin_url, endpoints.read_url))
    )
    async with administrator(endpoints) as server:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Connection]:
    """A superuser in the test's database: to look, to set the scene, to break in."""
    connection = await asyncpg.connect(database.admin_url)
    await prepare(connection)
    yield connection
    connection.terminate()


@asynccontextmanager
async def administrator(endpoints: Endpoints) -> AsyncIterator[Connection]:
    """A superuser of the server, connected to no test's database."""
    connection = await asyncpg.connect(_at(endpoints.admin_url, "postgres"))
    try:
        yield connection
    finally:
        await connection.close()


async def copy_database(server: Connection, template: str, name: str) -> None:
    """File by file: two thirds of what it costs by way of the WAL [measured]."""
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
