"""A real stack, migrated, for the imports that go all the way into the ledger."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.migrate import migrate
from ops.embedded import Endpoints, Stack
from producers.kafka import create_topics


@pytest.fixture(scope="session")
def endpoints() -> Iterator[Endpoints]:
    """Kafka with its topics and PostgreSQL with its tables."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack = Stack(folder / "stack", owned=True)
        found = stack.up()
        migrate(found.admin_url)
        asyncio.run(create_topics(found.kafka_bootstrap))
        yield found
        stack.reset()
