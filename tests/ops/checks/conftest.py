"""Each test has an hour of traffic of its own to tamper with."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db.connection import prepare
from tests.ops.busy import busy_template, copy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

_numbers = count(1)


@pytest.fixture(scope="session")
async def an_hour_of_traffic(endpoints: Endpoints, template: str) -> AsyncIterator[str]:
    async with busy_template(endpoints, template, "busy_checks") as name:
        yield name


@pytest.fixture
async def busy(endpoints: Endpoints, an_hour_of_traffic: str) -> AsyncIterator[Database]:
    """A database with traffic that no other test touches."""
    async with copy_of(endpoints, an_hour_of_traffic, f"busy_checks_{next(_numbers)}") as database:
        yield database


@pytest.fixture
async def reader(busy: Database) -> AsyncIterator[Connection]:
    """The readers' role, which is all that `check` needs."""
    connection = await asyncpg.connect(busy.read_url)
    await prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def intruder(busy: Database) -> AsyncIterator[Connection]:
    """A superuser for whom no trigger fires: what only `check` can find out."""
    connection = await asyncpg.connect(busy.admin_url)
    await prepare(connection)
    yield connection
    await connection.close()
