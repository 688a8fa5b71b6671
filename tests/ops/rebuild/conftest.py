"""An hour of traffic, made once and copied for each test."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.ops.busy import busy_template, copy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Database

_numbers = count(1)


@pytest.fixture(scope="session")
async def hour_to_replay(endpoints: Endpoints, template: str) -> AsyncIterator[str]:
    async with busy_template(endpoints, template, "busy_rebuild") as name:
        yield name


@pytest.fixture
async def busy(endpoints: Endpoints, hour_to_replay: str) -> AsyncIterator[Database]:
    """A database with traffic that no other test touches."""
    async with copy_of(endpoints, hour_to_replay, f"busy_rebuild_{next(_numbers)}") as database:
        yield database
