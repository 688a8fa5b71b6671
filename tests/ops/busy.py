"""A database with an hour of traffic in it, made once and copied for each test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from db.connection import prepare
from tests.conftest import Database, administrator, copy_database
from tests.ops.checks.traffic import Marketplace, run_an_hour

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints


def database_at(endpoints: Endpoints, name: str) -> Database:
    """The database of this name, as its three roles see it."""
    urls = (endpoints.database_url, endpoints.admin_url, endpoints.read_url)
    return Database(name, *(f"{url.rsplit('/', 1)[0]}/{name}" for url in urls))


@asynccontextmanager
async def copy_of(endpoints: Endpoints, template: str, name: str) -> AsyncIterator[Database]:
    """A copy of a database to which nobody is connected; it is gone afterwards."""
    async with administrator(endpoints) as server:
        await copy_database(server, template, name)
    yield database_at(endpoints, name)
    async with administrator(endpoints) as server:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def marketplace(database: Database, partition: int = 0) -> AsyncIterator[Marketplace]:
    """Engines on a database; afterwards nobody is connected."""
    connection = await asyncpg.connect(database.app_url)
    await prepare(connection)
    market = Marketplace(database.app_url, connection, partition)
    try:
        yield market
    finally:
        await market.close()
        await connection.close()


@asynccontextmanager
async def busy_template(endpoints: Endpoints, template: str, name: str) -> AsyncIterator[str]:
    """The name of a database after an hour of traffic."""
    async with copy_of(endpoints, template, name) as database:
        async with marketplace(database) as market:
            await run_an_hour(market)
        yield name
