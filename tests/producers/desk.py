"""A shop, a card provider in its own process, and gateways between them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from producers.gateway import run_gateway
from producers.providers.sandbox import SandboxProvider
from tests.brokers import stopping
from tests.engines import RESULTS, Feed, published
from tests.ops.sandbox.process import API_KEY, Sandbox
from tests.shop import request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from producers.providers.base import Provider, ProviderAnswer, ProviderRequest
    from tests.conftest import Connection, Database


@dataclass
class Watcher:
    """What a gateway tells."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def called(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        """Counted."""
        assert provider == "sandbox"
        assert operation
        assert seconds >= 0
        self.outcomes[outcome] += 1

    def alive(self) -> None:
        """Nothing to remember."""


@dataclass
class Recorder:
    """The real provider, with notes of who asked for what, and a way to fail before or after it was asked."""

    provider: Provider
    asked: list[tuple[str, str]] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    after: Callable[[ProviderAnswer], Awaitable[ProviderAnswer]] | None = None

    async def execute(self, call: ProviderRequest) -> ProviderAnswer:
        """Noted and passed on."""
        return await self._ask("execute", call)

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """Noted and passed on."""
        return await self._ask("query", call)

    async def aclose(self) -> None:
        """Passed on."""
        await self.provider.aclose()

    async def _ask(self, what: str, call: ProviderRequest) -> ProviderAnswer:
        self.asked.append((what, call.order_id))
        call_id = str(call.call_id)
        self.at_once[call_id] += 1
        self.most_at_once = max(self.most_at_once, (+self.at_once).total())
        assert self.at_once[call_id] == 1, "two gateways make the same call at once"
        try:
            answer = await (self.provider.execute(call) if what == "execute" else self.provider.query(call))
            return await self.after(answer) if self.after else answer
        finally:
            self.at_once[call_id] -= 1


@dataclass
class Desk:
    """A shop's engines, a provider, and gateways between them."""

    checkout: Feed
    results: Feed
    database: Database
    admin: Connection
    sandbox: Sandbox

    def adapter(self, url: str | None = None, read_timeout_ms: int = 400) -> SandboxProvider:
        """The provider's adapter, impatient."""
        return SandboxProvider(
            base_url=url or self.sandbox.url,
            api_key=SecretStr(API_KEY.get_secret_value()),
            read_timeout_ms=read_timeout_ms,
        )

    async def order(self, *orders: str, token: str = "tok_approve", **more: Any) -> None:  # noqa: S107
        """Card payments that ask the provider."""
        await self.checkout.take(*(request(f"r-{order}", order, token=token, **more) for order in orders))

    async def answered(self) -> bool:
        """Whether no call is open."""
        return not await self.admin.fetchval("SELECT count(*) FROM provider_calls WHERE status <> 'answered'")

    async def tell(self) -> None:
        """The results go to the engine."""
        told = await published(self.admin, RESULTS)
        known = {record.body for record in self.results.log}
        bodies = [
            row["payload"]
            for row in await self.admin.fetch(
                "SELECT unnest(payloads) AS payload FROM outbox WHERE topic = $1", RESULTS
            )
        ]
        assert len(bodies) == len(told)
        await self.results.take(*(body for body in bodies if body not in known))

    async def charges(self, order: str) -> list[int]:
        """What the provider's own books say was captured, charge by charge."""
        async with self.sandbox.client() as client:
            answer = await client.get("/v1/ledger", params={"reference": order})
            return [charge["captured_amount_minor"] for charge in answer.json()["charges"]]

    async def told(self, order: str) -> list[str]:
        """The types of the results published for an order."""
        return [
            message["type"].split(".")[1]
            for message in await published(self.admin, RESULTS)
            if message["data"]["order_id"] == order
        ]

    async def charged(self, order: str) -> bool:
        """Whether the provider has taken the order's money, in one charge."""
        return await self.charges(order) == [2500]

    async def expire_leases(self) -> None:
        """As if the time of every claim had run out."""
        await self.admin.execute(
            "UPDATE provider_calls SET lease_until = now() - interval '1 second' WHERE status = 'in_flight'"
        )


@asynccontextmanager
async def a_gateway(
    url: str, provider: Provider, watcher: Watcher | None = None
) -> AsyncIterator[asyncio.Event]:
    """A gateway in this process; setting the event stops it."""
    stop = asyncio.Event()
    try:
        async with stopping(run_gateway(url, {"sandbox": provider}, watcher or Watcher(), stop), stop):
            yield stop
    finally:
        await provider.aclose()
