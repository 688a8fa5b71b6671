"""Engines that several files of tests ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.books import LEDGER
from tests.engines import Feed, feeds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Database


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Feed]:
    """The engine of `ledger.commands`."""
    async with feeds(database.app_url, 1, LEDGER) as (only,):
        yield only
