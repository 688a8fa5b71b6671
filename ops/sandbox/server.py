"""Running the provider: its socket, its books, its end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from ops.sandbox.app import create_app
from ops.sandbox.clock import Clock
from ops.sandbox.faults import Connection
from ops.sandbox.processor import Processor
from ops.sandbox.store import Store
from ops.sandbox.webhooks import Courier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydantic import SecretStr

    from ops.sandbox.faults import Patience
    from ops.sandbox.webhooks import Endpoint

KEEP_ALIVE_S = 30
"""Longer than clients keep an idle connection, so that none sends into one that is just being closed."""


class _Announcing(uvicorn.Server):
    """Says that it serves, once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def serve(
    host: str,
    port: int,
    *,
    api_key: SecretStr,
    state: Path | None,
    patience: Patience,
    endpoint: Endpoint | None,
    announce: Callable[[str, int], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        api_key: What callers must show.
        state: The SQLite file of the books; None keeps them in memory.
        patience: How long the faults and tokens that play with time last.
        endpoint: Where webhooks go, besides those of the books.
        announce: Called with host and port as soon as requests are served.

    Raises:
        OSError: The port is taken.
        OtherVersionError: The file's books are of another version.
    """
    with socket.create_server((host, port), backlog=2048) as listener:
        port = listener.getsockname()[1]
        store = Store(state)
        processor = Processor(store, Clock(store), f"http://{host}:{port}", patience.day_ms)
        if endpoint is not None:
            processor.queue.register(endpoint)
        config = uvicorn.Config(
            create_app(processor, Courier(processor.queue), api_key, patience),
            http=Connection,
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        try:
            _Announcing(config, lambda: announce(host, port)).run(sockets=[listener])
        finally:
            store.close()
