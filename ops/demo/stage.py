"""The play: every role as a process of its own, a day published to them, and the wait until nothing is under way."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from db.connection import UNREACHABLE
from ops.demo.marketplace import CHECKOUT
from ops.demo.merchants import MARKETS, SANDBOX
from ops.demo.provider import Provider
from ops.demo.shops import hold_back
from ops.demo.standing import Lookout
from ops.demo.webhooks import Letterbox
from ops.processes import COUNTERFOIL, Processes
from ops.processes import SANDBOX as PROVIDER
from ops.site import environment
from producers.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from ops.demo.marketplace import Record
    from ops.demo.standing import Standing
    from ops.endpoints import Places

    Observer = Callable[[int, "Standing"], None]
    """Is told how many records Kafka has acknowledged, and how far they have come."""

LATE_MS: Final = 300
"""How late the provider's late answers are."""
READ_TIMEOUT_MS: Final = 1000
"""When the gateway gives up on a silent provider: long for an honest answer, short for an audience."""
LOOK_EVERY_S: Final = 0.5
START_S: Final = 30


class NotSettledError(Exception):
    """The deadline passed; the message says what was still under way."""


class Stage:
    """Running roles. In `processes`: sandbox, ingress, worker-1, worker-2, ..., relay, scheduler, gateway, chain."""

    def __init__(self, at: Places, processes: Processes, provider: Provider, letterbox: Letterbox) -> None:
        self.at = at
        self.processes = processes
        self.provider = provider
        self.letterbox = letterbox

    async def play(
        self, records: Iterable[Record], *, deadline_s: float, observe: Observer | None = None
    ) -> float:
        """Publish the records, let shops act on what they hear, and wait until all is settled.

        Returns how many seconds that took.

        Raises:
            NotSettledError: it took longer than `deadline_s`.
            RoleEndedError: a role ended by itself.
            KafkaError: the broker did not take the records.
        """
        at_once, shops = hold_back(records)
        by_topic = _by_topic(at_once)
        began = time.monotonic()
        async with AsyncExitStack() as opened:
            clients = {
                topic: await opened.enter_async_context(Client(self.at.kafka, topic)) for topic in by_topic
            }
            publishing = asyncio.gather(*(_publish(clients[topic], some) for topic, some in by_topic.items()))
            listening = asyncio.create_task(shops.listen(self.at.kafka, clients[CHECKOUT], self.provider))

            def own() -> list[str]:
                """What we ourselves have still to publish."""
                for task in (publishing, listening):
                    if task.done():
                        task.result()
                return [
                    *([] if publishing.done() else ["records are being published"]),
                    *shops.waiting(),
                ]

            try:
                async with Lookout(self.at.kafka, self.at.database_url) as lookout:
                    while under_way := await self._under_way(own(), clients.values(), lookout, observe):
                        if time.monotonic() - began > deadline_s:
                            raise NotSettledError(f"after {deadline_s:.0f} s: {'; '.join(under_way)}")
                        await asyncio.sleep(LOOK_EVERY_S)
            finally:
                for task in (publishing, listening):
                    task.cancel()
                await asyncio.gather(publishing, listening, return_exceptions=True)
        return time.monotonic() - began

    async def _under_way(
        self, own: list[str], clients: Iterable[Client], lookout: Lookout, observe: Observer | None
    ) -> list[str]:
        """What is not settled. `own` was asked before the look, which so covers all that was published.

        The provider is asked before and after it: what was delivered in between may not be in it.
        """
        self.processes.check()
        before = await self.provider.told()
        try:
            standing = await lookout.look()
        except (*UNREACHABLE, asyncpg.PostgresError, KafkaError) as error:
            return [f"a server is away ({type(error).__name__}: {error})"]
        if observe is not None:
            observe(sum(client.acknowledged for client in clients), standing)
        after = await self.provider.told()
        on_their_way = after.outstanding + after.delivered - before.delivered
        told = [f"{on_their_way} webhooks are on their way"] if on_their_way else []
        return [*own, *told, *standing.under_way()]


def _by_topic(records: list[Record]) -> dict[str, list[Record]]:
    """The records of each topic, in order; of the checkout's also when there are none."""
    ordered = sorted(records, key=attrgetter("topic"))
    return {CHECKOUT: []} | {topic: list(some) for topic, some in groupby(ordered, attrgetter("topic"))}


async def _publish(client: Client, records: list[Record]) -> None:
    for record in records:
        await client.send(record.key, record.value)
    await client.flush()


@asynccontextmanager
async def staged(at: Places, logs: Path, *, workers: int = 2) -> AsyncIterator[Stage]:
    """Start every role, each with a log in `logs`; they stop when the block is left.

    Raises:
        RoleEndedError, NotSettledError: the provider did not come up.
    """
    api_key = secrets.token_hex(16)
    settings = environment(at) | {
        "COUNTERFOIL_SANDBOX_API_KEY": api_key,
        "COUNTERFOIL_SANDBOX_READ_TIMEOUT_MS": str(READ_TIMEOUT_MS),
    }
    letterbox = Letterbox(market.tenant for market in (*MARKETS, SANDBOX))
    with Processes(logs, settings | letterbox.settings()) as processes:
        url = await asyncio.to_thread(_provider_url, _start_provider(processes, logs), processes)
        processes.environment["COUNTERFOIL_SANDBOX_URL"] = url
        processes.start("ingress", *COUNTERFOIL, "ingress")
        for number in range(1, workers + 1):
            processes.start(f"worker-{number}", *COUNTERFOIL, "worker")
        for role in ("relay", "scheduler", "gateway"):
            processes.start(role, *COUNTERFOIL, role)
        processes.start("chain", *COUNTERFOIL, "chain", "run")
        async with Provider(url, SecretStr(api_key)) as provider:
            yield Stage(at, processes, provider, letterbox)


def _start_provider(processes: Processes, logs: Path) -> Path:
    """Returns the file in which its port will be."""
    port_file = logs / "sandbox.port"
    port_file.unlink(missing_ok=True)
    processes.start("sandbox", *PROVIDER, "--port-file", str(port_file), "--late-ms", str(LATE_MS))
    return port_file


def _provider_url(port_file: Path, processes: Processes) -> str:
    deadline = time.monotonic() + START_S
    while not port_file.exists():
        processes.check()
        if time.monotonic() > deadline:
            raise NotSettledError(f"the sandbox provider does not serve after {START_S} s")
        time.sleep(0.02)
    return f"http://127.0.0.1:{port_file.read_text().strip()}"
