"""Running a role: logs, health, metrics and an orderly stop around it. Any set of roles can share one process."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
from typing import TYPE_CHECKING, Final

import uvloop

from consumers.worker import CONSUMERS, run_worker
from ops.endpoints import Places, places
from ops.health import serve_health, watch_database
from ops.logging import configure_logging
from ops.metrics import Telemetry
from ops.providers import providers
from ops.upkeep import run_upkeep
from producers.gateway import run_gateway
from producers.relay import run_relay
from producers.scheduler import run_scheduler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ops.settings import Settings

    Role = Callable[[Settings, Places, Telemetry, asyncio.Event], Awaitable[None]]


def worker(names: Sequence[str] = tuple(CONSUMERS)) -> Role:
    """The role of a worker that consumes these topics."""

    async def run(settings: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
        await run_worker(
            at.kafka,
            at.database_url,
            telemetry,
            stop,
            names=names,
            batch_size=settings.counterfoil_batch_size,
            instance=settings.counterfoil_instance,
        )

    return run


async def relay(_: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """The role of the outbox relay."""
    await run_relay(at.kafka, at.database_url, telemetry, stop)


async def scheduler(_: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """The role of the scheduler."""
    await run_scheduler(at.kafka, at.database_url, telemetry, stop)


async def upkeep(settings: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """The role that keeps the books quick to ask; none when its interval is 0."""
    if settings.counterfoil_upkeep_every_s:
        await run_upkeep(at.database_url, settings.counterfoil_upkeep_every_s, telemetry, stop)


async def gateway(settings: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """The role of the gateway, with every provider that is configured."""
    async with providers(settings) as configured:
        await run_gateway(at.database_url, configured, telemetry, stop)


MALLOC: Final = {-1: 1 << 30, -2: 64 << 20, -3: 1 << 30}
"""M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD of mallopt(3): memory that a batch freed is kept for the next."""

ALL_ROLES: Final[tuple[Role, ...]] = (worker(), relay, scheduler, upkeep, gateway)


def run_roles(name: str, roles: Sequence[Role], settings: Settings) -> None:
    """Run the roles in this process until SIGTERM or SIGINT; a role that fails ends the process with its error."""
    configure_logging(settings.counterfoil_log_level, name)
    at = places(settings)
    suit_memory_to_batches()
    uvloop.run(_run(name, roles, settings, at))


def suit_memory_to_batches() -> None:
    """A batch makes many short-lived values and no cycles, and buffers of megabytes, anew each time.

    To look for cycles while a batch is in memory is a fifth of a worker's time: the threshold is above what one holds,
    and what is freed counts down. Keeping freed memory saves half of what the kernel does for it.
    """
    gc.freeze()
    gc.set_threshold(400_000, 20, 100)
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:  # GNU's C library
        for parameter, value in MALLOC.items():
            tune(parameter, value)


async def _run(name: str, roles: Sequence[Role], settings: Settings, at: Places) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    telemetry = Telemetry(name)
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve_health(telemetry, settings.counterfoil_http_host, settings.counterfoil_http_port, stop)
        )
        group.create_task(watch_database(at.database_url, stop))
        for role in roles:
            group.create_task(role(settings, at, telemetry, stop))  # type: ignore[arg-type]  # every role is a coroutine
