"""Books that were kept once, and copied for each test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db.connection import prepare
from tests.ops.busy import copy_of
from tests.ops.demo.desks import Town

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.demo.books.draft import Books
    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

_numbers = count(1)


@pytest.fixture(scope="session")
async def books_kept(endpoints: Endpoints, template: str) -> AsyncIterator[tuple[str, Books]]:
    """The name of a database in which the desks had their say, and what they expect of it."""
    async with copy_of(endpoints, template, "demo_books") as database:
        admin = await asyncpg.connect(database.admin_url)
        await prepare(admin)
        town = Town(database, admin)
        try:
            books = await town.play()
        finally:
            await town.close()
            await admin.close()
        yield database.name, books


@pytest.fixture
async def kept(endpoints: Endpoints, books_kept: tuple[str, Books]) -> AsyncIterator[Database]:
    """A copy of it."""
    async with copy_of(endpoints, books_kept[0], f"demo_books_{next(_numbers)}") as database:
        yield database


@pytest.fixture
def books(books_kept: tuple[str, Books]) -> Books:
    """What the desks expect."""
    return books_kept[1]


@pytest.fixture
async def keeper(kept: Database) -> AsyncIterator[Connection]:
    """A superuser in the copy."""
    connection = await asyncpg.connect(kept.admin_url)
    await prepare(connection)
    yield connection
    connection.terminate()
