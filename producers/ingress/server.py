"""The role: serve until told to stop, then answer what is under way, then let go of the database."""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import structlog
import uvicorn

from producers.ingress.app import AnswerObserver, Ingress, create_app
from producers.ingress.connections import ConnectionObserver, Doorway
from producers.ingress.endpoints import served
from producers.ingress.limits import Limits
from producers.ingress.storage import Storage, StorageObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from producers.providers.webhooks import Endpoint, WebhookScheme

log = structlog.get_logger()

BACKLOG: Final = 2048
"""Connections that the kernel keeps for us in a burst."""
KEEP_ALIVE_S: Final = 75
"""Longer than load balancers keep an idle connection, so that none sends into one that we are closing."""
LAST_ANSWERS_WITHIN_S: Final = 15
OTHER_FILES: Final = 64
"""Descriptors that are no sender's connection."""


class IngressObserver(AnswerObserver, StorageObserver, ConnectionObserver, Protocol):
    """Who wants to know."""


def listen(host: str, port: int) -> socket.socket:
    """A socket for `run_ingress`; port 0 takes a free one. Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def run_ingress(  # noqa: PLR0913 - what differs between installations and in tests
    database_url: str,
    endpoints: Iterable[Endpoint],
    schemes: Mapping[str, WebhookScheme],
    listener: socket.socket,
    observer: IngressObserver,
    stop: asyncio.Event,
    *,
    limits: Limits | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Take in webhooks until told to stop; a database that is away is waited for, and nothing is accepted meanwhile.

    Raises:
        EndpointError: an endpoint cannot work as it is configured.
    """
    limits = _within_reach(limits or Limits())
    storage = Storage(database_url, observer, limits.store_within_s)
    ingress = Ingress(served(endpoints, schemes), storage, observer, limits, now)
    config = uvicorn.Config(
        create_app(ingress),
        http=Doorway(limits, observer),  # type: ignore[arg-type]  # it is called like a class, and no more is done
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # a line for each request that is no HTTP would let a flood fill the disk; we count them
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_ANSWERS_WITHIN_S,
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(storage.run())
        serving = group.create_task(server._serve(sockets=[listener]))  # noqa: SLF001 - serve() would take over the process's signals
        log.info("webhook ingress listens", address=listener.getsockname()[:2])
        await stop.wait()
        server.should_exit = True
        await serving
        keeping.cancel()


def _within_reach(limits: Limits) -> Limits:
    """No more connections than the process may have files: beyond those, accepting itself would fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return replace(limits, connections=min(limits.connections, soft - OTHER_FILES))
    return limits
