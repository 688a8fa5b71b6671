"""A stack of their own for these scenarios: they run every role, which takes in whatever the topics hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db.migrate import migrate
from ops.demo.stage import Stage, staged
from ops.embedded import Stack
from ops.endpoints import Places
from producers.kafka import create_topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    """A folder that also PostgreSQL's account can pass, when we are root."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)
        yield root


@pytest.fixture(scope="package")
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """All roles at work, two workers among them."""
    with Stack(folder / "stack", owned=True) as stack:
        ends = stack.endpoints()
        migrate(ends.admin_url)
        await create_topics(ends.kafka_bootstrap)
        at = Places(ends.kafka_bootstrap, ends.database_url, ends.admin_url, ends.read_url)
        async with staged(at, folder / "roles") as running:
            yield running
