"""A database after an hour of traffic, which these tests only read; and commands that are pointed at a database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from db.connection import prepare
from ops.cli import find, inspect, queues
from tests.ops.busy import busy_template, copy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database


class Commands:
    """The command line, pointed at one database."""

    def __init__(self, database: Database, kafka: str) -> None:
        self._app = typer.Typer()
        self._app.add_typer(inspect.commands)
        self._app.add_typer(queues.commands)
        self._app.add_typer(find.commands)
        self._environment = {
            "DATABASE_URL": database.app_url,
            "DATABASE_READ_URL": database.read_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
        }

    async def run(self, *arguments: str, code: int = 0) -> Result:
        """A command as from a shell; `code` is the exit code that it must have."""
        result = await asyncio.to_thread(CliRunner().invoke, self._app, arguments, env=self._environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    async def out(self, *arguments: str, code: int = 0) -> str:
        """What it prints."""
        return (await self.run(*arguments, code=code)).stdout

    async def json(self, *arguments: str, code: int = 0) -> Any:
        """What it prints with `--json`."""
        return orjson.loads(await self.out(*arguments, "--json", code=code))


PointedAt = Callable[["Database"], Commands]


@pytest.fixture(scope="session")
async def traffic(endpoints: Endpoints, template: str) -> AsyncIterator[str]:
    async with busy_template(endpoints, template, "busy_inspect") as name:
        yield name


@pytest.fixture(scope="session")
async def busy(endpoints: Endpoints, traffic: str) -> AsyncIterator[Database]:
    """For tests that only look."""
    async with copy_of(endpoints, traffic, "busy_to_look_at") as database:
        yield database


@pytest.fixture
async def spare(endpoints: Endpoints, traffic: str) -> AsyncIterator[Database]:
    """For a test that changes something."""
    async with copy_of(endpoints, traffic, "busy_to_change") as database:
        yield database


@pytest.fixture
async def reader(busy: Database) -> AsyncIterator[Connection]:
    """The readers' role."""
    connection = await asyncpg.connect(busy.read_url)
    await prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
def pointed_at(endpoints: Endpoints) -> PointedAt:
    """The command line for a database."""
    return lambda database: Commands(database, endpoints.kafka_bootstrap)


@pytest.fixture
def cli(pointed_at: PointedAt, busy: Database) -> Commands:
    """The command line for the database to look at."""
    return pointed_at(busy)
