"""Connections as the application and as a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.connection import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database


@pytest.fixture
async def app(database: Database) -> AsyncIterator[Connection]:
    """The application's role."""
    connection = await connect(database.app_url, application="test")
    yield connection
    await connection.close()


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Connection]:
    """The readers' role."""
    connection = await connect(database.read_url, application="test")
    yield connection
    await connection.close()
