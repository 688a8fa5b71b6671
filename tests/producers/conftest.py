"""A desk for the gateway's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from producers import gateway
from tests.engines import RESULTS, feeds
from tests.ops.sandbox.process import Sandbox, running
from tests.producers.desk import Desk
from tests.shop import fees

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Connection, Database


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A provider in its own process."""
    with running("--late-ms", "300", "--silence-ms", "60000") as started:
        yield started


@pytest.fixture
async def desk(
    database: Database, admin: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    """A merchant's fees are known, and gateways try again without much delay."""
    monkeypatch.setattr(gateway, "FIRST_DELAY_MS", 5)
    async with feeds(database.app_url, 1) as (checkout,), feeds(database.app_url, 1, RESULTS) as (results,):
        await checkout.take(fees())
        yield Desk(checkout, results, database, admin, sandbox)


@pytest.fixture
def prefix() -> str:
    """For order names: the provider's books are shared, and its faults strike only the first time."""
    return f"{uuid4()}-"
