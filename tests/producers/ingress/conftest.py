"""An ingress that runs beside the test, on a port and a database of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from producers.ingress.limits import Limits
from producers.ingress.server import listen, run_ingress
from producers.providers.webhooks import Endpoint, WebhookScheme
from tests.brokers import stopping, until
from tests.producers.ingress.bank import BANK, OTHER_ACCOUNT, Bank

if TYPE_CHECKING:
    from tests.conftest import Database


@dataclass
class Watcher:
    """What an ingress tells."""

    answers: Counter[str] = field(default_factory=Counter)
    providers: set[str] = field(default_factory=set)
    batches: list[int] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)
    hung_up: int = 0
    signs_of_life: int = 0

    def answered(self, provider: str, outcome: str, seconds: float) -> None:
        """Counted."""
        assert seconds >= 0
        self.answers[outcome] += 1
        self.providers.add(provider)

    def untold(self, provider: str) -> None:
        """Counted."""
        self.providers.add(provider)
        self.hung_up += 1

    def committed(self, webhooks: int, repeated: int, seconds: float) -> None:
        """Remembered."""
        assert 0 <= repeated <= webhooks
        assert seconds > 0
        self.batches.append(webhooks)

    def dropped(self, reason: str) -> None:
        """Counted."""
        self.drops[reason] += 1

    def alive(self) -> None:
        """Counted."""
        self.signs_of_life += 1


@dataclass
class Running:
    """An ingress that runs."""

    port: int
    seen: Watcher
    stop: asyncio.Event


@asynccontextmanager
async def an_ingress(
    url: str,
    limits: Limits | None = None,
    endpoints: Iterable[Endpoint] = (BANK, OTHER_ACCOUNT),
    scheme: WebhookScheme | None = None,
    now: datetime | None = None,
) -> AsyncIterator[Running]:
    """Runs within the block. `now` stops its clock."""
    seen, stop = Watcher(), asyncio.Event()
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    schemes = {"bank": scheme or Bank()}
    role = run_ingress(
        url,
        endpoints,
        schemes,
        listener,
        seen,
        stop,
        limits=limits,
        now=lambda: now or datetime.now(UTC),
    )

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    async with stopping(role, stop):
        await until(answers)
        yield Running(port, seen, stop)


@pytest.fixture
async def ingress(database: Database) -> AsyncIterator[Running]:
    """One with everything as it is in production."""
    async with an_ingress(database.app_url) as running:
        yield running
