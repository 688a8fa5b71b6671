"""SQL in files, by name: `await engine.seen(connection, ...)`. Each is described where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter

if TYPE_CHECKING:
    import asyncpg

    checks: Any  # a folder, which a type checker takes for a package

_FOLDER: Final = Path(__file__).parent


class _Adapter(AsyncPGAdapter):
    """aiosql's own, but a query gives all its rows at once, and nothing is looked up that asyncpg knows.

    aiosql looks through `dir()` of the connection on every call to find out; a batch has twenty of them.
    """

    is_aio_driver = False

    async def select(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: None = None  # noqa: ARG002
    ) -> list[asyncpg.Record]:  # fmt: skip
        ordered = self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]
        rows: list[asyncpg.Record] = await conn.fetch(sql, *ordered)
        return rows

    async def select_one(
        self, conn: Any, query_name: str, sql: str, parameters: Any, record_class: None = None  # noqa: ARG002
    ) -> asyncpg.Record | None:  # fmt: skip
        ordered = self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]
        row: asyncpg.Record | None = await conn.fetchrow(sql, *ordered)
        return row

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        ordered = self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]
        return await conn.fetchval(sql, *ordered)

    async def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> str:
        ordered = self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]
        status: str = await conn.execute(sql, *ordered)
        return status


aiosql.register_adapter("counterfoil", _Adapter)  # type: ignore[arg-type]  # aiosql types its adapters narrower than it calls them


def __getattr__(name: str) -> Any:
    """`from db.queries import engine`: the statements of engine.sql (or of a folder), read when first asked for."""
    path = _FOLDER / f"{name}.sql"
    if not path.is_file():
        path = _FOLDER / name
    if not path.exists():
        msg = f"there is no db/queries/{name}.sql"
        raise AttributeError(msg)
    queries = aiosql.from_path(path, "counterfoil", mandatory_parameters=False)
    globals()[name] = queries
    return queries
