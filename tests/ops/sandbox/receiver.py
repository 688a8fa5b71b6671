"""A merchant's webhook endpoint: a real HTTP server that keeps what it got, and answers as it is told."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from standardwebhooks import Webhook

from ops.sandbox.webhooks import new_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DEADLINE_S = 100


@dataclass
class Receiver:
    """What came, in order; every signature is verified by the official library."""

    url: str
    secret: str = field(default_factory=new_secret)
    statuses: list[int] = field(default_factory=list)
    """How to answer next; 200 when it is empty."""
    got: list[dict[str, Any]] = field(default_factory=list)
    """Headers under `webhook-id` and so on, the event under `event`, and when it came."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Verify and keep; the status to answer with."""
        Webhook(self.secret).verify(body, headers)
        self.got.append({**headers, "event": orjson.loads(body), "body": body})
        self._news.set()
        return self.statuses.pop(0) if self.statuses else 200

    async def until(self, enough: Callable[[Receiver], bool]) -> None:
        """Wait until what came is enough."""
        deadline = time.monotonic() + DEADLINE_S
        while not enough(self):
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), deadline - time.monotonic())

    async def count(self, number: int) -> None:
        """Wait until so many deliveries came."""
        await self.until(lambda receiver: len(receiver.got) >= number)

    @property
    def types(self) -> list[str]:
        """The types of what came."""
        return [one["event"]["type"] for one in self.got]

    @property
    def ids(self) -> list[str]:
        """The event ids of what came."""
        return [one["webhook-id"] for one in self.got]


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """Serve on a free port, or on one that was free before."""
    receiver = Receiver("")

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                pairs = (line.partition(":") for line in head.decode().split("\r\n")[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                status = receiver.take(headers, body)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return  # the caller hung up
        finally:
            writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", port) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
        yield receiver
