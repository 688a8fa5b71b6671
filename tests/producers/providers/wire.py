"""A server on loopback that says exactly what a test wants it to say, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

Wire: TypeAlias = bytes | tuple[int, Any]
"""Bytes as they are, or a status and a document."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    line: str
    """Method and path."""
    headers: Mapping[str, str]
    body: str


@asynccontextmanager
async def saying(*wires: Wire) -> AsyncIterator[tuple[str, list[Asked]]]:
    """Answer with these one after the other, with the last one for ever; the address, and what was asked."""
    asked: list[Asked] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        wire = wires[min(len(asked), len(wires) - 1)]
        asked.append(Asked(head[0].rsplit(" ", 1)[0], headers, body))
        writer.write(over_the_wire(wire))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def over_the_wire(wire: Wire) -> bytes:
    """As HTTP."""
    if isinstance(wire, bytes):
        return wire
    status, told = wire
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    head = b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body
