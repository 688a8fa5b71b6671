"""HTTP as bytes: what a sender of webhooks writes, byte by byte if need be, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.producers.ingress.bank import PATH

DEADLINE_S = 60

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """What came back. Status 0: the connection ended without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


NOTHING = Answer(0, {}, b"")


def request(
    body: bytes,
    headers: Mapping[str, str],
    path: str = PATH,
    method: str = "POST",
    *,
    declared: bool = True,
) -> bytes:
    """A request; without its length when it is not to be declared."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", *(f"{k}: {v}" for k, v in headers.items())]
    if declared:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunks(*parts: bytes) -> bytes:
    """A body in chunks, to its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Ends]:
    """A connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader) -> Answer:
    """The next answer of a connection."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return NOTHING
    return Answer(int(head[0].split()[1]), headers, body)


async def send(port: int, raw: bytes) -> Answer:
    """One connection, these bytes, the answer."""
    async with connected(port) as (reader, writer):
        writer.write(raw)
        return await answer(reader)


async def post(port: int, body: bytes, headers: Mapping[str, str], path: str = PATH) -> Answer:
    """One whole request."""
    return await send(port, request(body, headers, path))
