"""Each test has an hour of traffic of its own, in several blocks, to tamper with."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from db.connection import prepare
from producers.chain.keys import Signer
from tests.ops.busy import copy_of, marketplace
from tests.ops.checks.traffic import an_hour
from tests.producers.chain.book import seal_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

_numbers = count(1)


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    """The key that signs the blocks."""
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="session")
async def sealed_hour(endpoints: Endpoints, template: str, key: Ed25519PrivateKey) -> AsyncIterator[str]:
    """A database in which every batch of the hour is a block."""
    async with copy_of(endpoints, template, "sealed_hour") as database:
        connection = await asyncpg.connect(database.app_url)
        await prepare(connection)
        async with marketplace(database) as market:
            for batch in an_hour():
                await market.receive(*batch)
                await seal_all(connection, Signer(key))
            await market.settle()
            await market.settle()
            await seal_all(connection, Signer(key))
        await connection.close()
        yield "sealed_hour"


@pytest.fixture
async def sealed(endpoints: Endpoints, sealed_hour: str) -> AsyncIterator[Database]:
    """A copy that no other test touches."""
    async with copy_of(endpoints, sealed_hour, f"sealed_hour_{next(_numbers)}") as database:
        yield database


@pytest.fixture
async def reader(sealed: Database) -> AsyncIterator[Connection]:
    """The readers' role."""
    connection = await asyncpg.connect(sealed.read_url)
    await prepare(connection)
    yield connection
    connection.terminate()


@pytest.fixture
async def intruder(sealed: Database) -> AsyncIterator[Connection]:
    """A superuser who has dropped every trigger that could refuse him."""
    connection = await asyncpg.connect(sealed.admin_url)
    await prepare(connection)
    for row in await connection.fetch(
        "SELECT tgname, tgrelid::regclass::text AS guarded FROM pg_trigger WHERE NOT tgisinternal"
    ):
        await connection.execute(f"DROP TRIGGER {row['tgname']} ON {row['guarded']}")
    yield connection
    connection.terminate()
