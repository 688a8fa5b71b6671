"""A person at the desk: the command line beside a real worker, on a real Kafka and a database of the test's own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import orjson
import typer
from typer.testing import CliRunner, Result

from consumers.worker import run_worker
from ops.cli.app import application
from tests.brokers import skip_to_the_end, stopping
from tests.engines import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Database

GROUPS: Final = ("journals", "wallets", "chart", "approvals", "unknown", "books", "periods")
TOPIC: Final = "ledger.commands"
_numbers = count(1)


class Clerk:
    """The command line, pointed at one database; files are written where the test says."""

    def __init__(self, database: Database, kafka: str, folder: Path) -> None:
        self._app: typer.Typer = application(GROUPS)
        self._folder = folder
        self._environment = {
            "DATABASE_URL": database.app_url,
            "DATABASE_READ_URL": database.read_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
        }

    async def run(self, *arguments: str, code: int = 0, typed: str | None = None) -> Result:
        """A command as from a shell; `code` is the exit code that it must have, `typed` what is answered."""
        result = await asyncio.to_thread(
            CliRunner().invoke, self._app, arguments, input=typed, env=self._environment
        )
        assert result.exit_code == code, (result.output, result.exception)
        return result

    async def out(self, *arguments: str) -> str:
        """What it prints."""
        return (await self.run(*arguments)).stdout

    async def json(self, *arguments: str) -> Any:
        """What it prints with `--json`."""
        return orjson.loads((await self.run(*arguments, "--json")).stdout)

    async def refused(self, *arguments: str, code: int = 1) -> str:
        """Why it says no."""
        return (await self.run(*arguments, code=code)).stderr

    def file(self, text: str | bytes) -> str:
        """A file with this content; its path."""
        path = self._folder / f"legs-{next(_numbers)}.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)


@asynccontextmanager
async def at_the_desk(database: Database, kafka: str, folder: Path, *names: str) -> AsyncIterator[Clerk]:
    """A clerk, and a worker of the ledger's commands (or of `names`) that reads nothing that other tests wrote."""
    await skip_to_the_end(kafka, TOPIC, "checkout.events")
    stop = asyncio.Event()
    role = run_worker(kafka, database.app_url, Watcher(), stop, names=names or ("ledger-commands",))
    async with stopping(role, stop):
        yield Clerk(database, kafka, folder)
