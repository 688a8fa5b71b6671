"""A cable to PostgreSQL that can be cut: at any moment, or exactly between a COMMIT and its answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Ends = tuple[asyncio.StreamWriter, asyncio.StreamWriter]

CHUNK = 65_536


@dataclass
class Cable:
    """Passes bytes on between clients and a server."""

    host: str
    port: int
    lose_answers_to: bytes | None = None
    """The next request with these bytes reaches the server, its answer reaches nobody, and the cable is cut."""
    lost: int = 0
    """How many answers were lost so."""
    plugged_in: bool = True
    """Otherwise every new connection ends at once."""
    _ends: set[Ends] = field(default_factory=set)

    def cut(self) -> None:
        """End every connection, as a network does: without a goodbye."""
        for client, server in self._ends:
            client.transport.abort()
            server.transport.abort()

    def unplug(self) -> None:
        """No connection until `plugged_in` is True again."""
        self.plugged_in = False
        self.cut()

    async def connect(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Serve one client."""
        if not self.plugged_in:
            client.transport.abort()
            return
        answers, server = await asyncio.open_connection(self.host, self.port)
        ends = client, server
        self._ends.add(ends)
        try:
            await asyncio.gather(self._ask(reader, ends), self._answer(answers, ends))
        except OSError:
            pass  # that is what cables are cut for
        finally:
            client.transport.abort()
            server.transport.abort()
            self._ends.discard(ends)

    async def _ask(self, reader: asyncio.StreamReader, ends: Ends) -> None:
        client, server = ends
        while request := await reader.read(CHUNK):
            if self.lose_answers_to and self.lose_answers_to in request:
                self.lose_answers_to = None
                self.lost += 1
                client.transport.abort()
            server.write(request)
            await server.drain()
        server.write_eof()

    async def _answer(self, answers: asyncio.StreamReader, ends: Ends) -> None:
        client, _ = ends
        while answer := await answers.read(CHUNK):
            if not client.transport.is_closing():
                client.write(answer)
                await client.drain()
        client.close()


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[tuple[Cable, str]]:
    """A cable, and the database's URL at its near end."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    cable = Cable(parts.hostname, parts.port)
    near = await asyncio.start_server(cable.connect, "127.0.0.1", 0)
    port = near.sockets[0].getsockname()[1]
    try:
        yield cable, url.replace(f":{parts.port}/", f":{port}/")
    finally:
        cable.unplug()
        near.close()
