"""A database of its own for one replay, on the same server, with all tables and guards, and gone afterwards."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from db.connection import connect
from db.migrate import migrate
from db.queries import rebuild as sql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PREFIX: Final = "counterfoil_replay_"


@dataclass(frozen=True, slots=True)
class Scratch:
    """A migrated, empty database. The URL holds a password."""

    name: str
    url: str


@asynccontextmanager
async def scratch_database(database_url: str, admin_url: str, *, keep: bool) -> AsyncIterator[Scratch]:
    """Made by the role of `admin_url`, which needs CREATEDB; written by the application's role, like the live one."""
    name = PREFIX + secrets.token_hex(4)
    server = await connect(admin_url, application="counterfoil replay")
    try:
        await server.execute(await sql.create_scratch(server, name=name))
        try:
            await server.execute(await sql.hasten_scratch(server, name=name))
            await asyncio.to_thread(migrate, at(admin_url, name))
            yield Scratch(name, at(database_url, name))
        finally:
            if not keep:
                await server.execute(await sql.drop_scratch(server, name=name))
    finally:
        await server.close()


def at(url: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
