"""The processes of a benchmark, workers and the relay as they run in production; and how to wait for them."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from db.connection import connect
from db.queries import bench as sql
from ops.bench.errors import BenchError
from ops.bench.processor import Meter
from ops.bench.workload import TOPIC, Workload, publish
from ops.processes import COUNTERFOIL, Processes
from schemas.topics import GROUP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import asyncpg

    from ops.bench.site import Site

LOOK_EVERY_S: Final = 0.05
STALLED_AFTER_S: Final = 60


class Crew:
    """Running processes by name: worker-1, worker-2, ..., relay. Times are the database server's, one clock for all."""

    def __init__(
        self, site: Site, connection: asyncpg.Connection[asyncpg.Record], processes: Processes, workers: int
    ) -> None:
        self.connection = connection
        self.kafka = site.at.kafka
        self.workers = workers
        self._site = site
        self._processes = processes
        self._pids: dict[str, int] = {}

    def start(self) -> None:
        """The workers of checkout events, and one relay."""
        for name in (f"worker-{number}" for number in range(1, self.workers + 1)):
            self._pids[name] = self._processes.start(name, *COUNTERFOIL, "worker", "checkout")
        self._pids["relay"] = self._processes.start("relay", *COUNTERFOIL, "relay")

    def meter(self) -> Meter:
        """Counts the processor time of these processes from now on, and of the servers when they are ours too."""
        return Meter({**self._pids, **self._site.pids})

    async def joined(self) -> None:
        """Wait until the relay leads and all workers share the partitions: none is moved any more."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:

            async def all_there() -> bool:
                try:
                    (answer,) = await admin.describe_consumer_groups([f"{GROUP}.{TOPIC}"])
                except GroupCoordinatorNotAvailableError:
                    return False  # nobody has joined yet, so Kafka has not made the place to keep groups in
                ((_, _, state, _, _, members, *_),) = answer.groups
                full = state == "Stable" and len(members) == self.workers
                return full and await sql.relay_leads(self.connection)

            await self._until(all_there, "the workers and the relay have not all joined")
        finally:
            await admin.close()

    async def lined_up(self) -> None:
        """Wait until every worker has a batch in its hands, while the connection's transaction holds them."""

        async def all_wait() -> bool:
            return bool(await sql.workers_held(self.connection) >= self.workers)

        await self._until(all_wait, "the workers have not all got their first batch")

    async def finished(self, received: int) -> asyncpg.Record:
        """Wait until so many messages are taken in, and all that followed is acknowledged by Kafka."""
        moved, since = (-1, -1), time.monotonic()
        while True:
            now: asyncpg.Record = await sql.progress(self.connection, topic=TOPIC)
            if now["received"] >= received and now["all_published"]:
                return now
            if (now["received"], now["published"]) != moved:
                moved, since = (now["received"], now["published"]), time.monotonic()
            elif time.monotonic() > since + STALLED_AFTER_S:
                raise BenchError(
                    f"nothing moves: {now['received']} of {received} messages are taken in, {now['published']} events "
                    f"published; see {self._site.logs}"
                )
            await self._pause()

    async def _until(self, condition: Callable[[], Awaitable[bool]], complaint: str) -> None:
        deadline = time.monotonic() + STALLED_AFTER_S
        while not await condition():
            if time.monotonic() > deadline:
                raise BenchError(f"{complaint} after {STALLED_AFTER_S} s; see {self._site.logs}")
            await self._pause()

    async def _pause(self) -> None:
        self._processes.check()
        await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def crew(site: Site, workers: int, workload: Workload) -> AsyncIterator[Crew]:
    """Processes that run, have joined, and know the merchants' fees.

    Raises:
        BenchError: they do not get there.
        RoleEndedError: one of them ended.
    """
    # Looks at the progress all the time: it must never scan what piles up meanwhile.
    connection = await connect(site.at.admin_url, application="counterfoil bench", by_key=True)
    try:
        with Processes(site.logs, site.environment() | {"COUNTERFOIL_HTTP_PORT": "0"}) as processes:
            progress = await sql.progress(connection, topic=TOPIC)
            team = Crew(site, connection, processes, workers)
            team.start()
            await team.joined()
            await team.finished(progress["received"] + await publish(site.at.kafka, workload.fees()))
            yield team
    finally:
        await connection.close()
