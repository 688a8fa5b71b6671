"""One provider for the whole run; its tests use keys and references of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ops.sandbox.process import Sandbox, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
async def api(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with sandbox.client() as client:
        yield client
