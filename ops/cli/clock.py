"""Commands for test clocks: a sandbox tenant lives by one, so that a week of expiries takes a second."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from db.connection import connect
from db.queries import clocks as sql
from ops.endpoints import places
from ops.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from db.connection import Connection

T = TypeVar("T")

commands = typer.Typer()
clock = typer.Typer(
    help="Test clocks of sandbox tenants: timers and decisions follow them.", no_args_is_help=True
)
commands.add_typer(clock, name="clock")

_DURATION: Final = TypeAdapter(timedelta)
_TIME: Final = TypeAdapter(datetime)


@clock.command()
def show() -> None:
    """List the tenants that live by a test clock, and what it says."""

    async def work(connection: Connection) -> None:
        for row in await sql.test_clocks(connection):
            typer.echo(f"{row['tenant']}  {row['now_at']:%Y-%m-%d %H:%M:%S} UTC")

    _run(work)


@clock.command()
def advance(
    tenant: Annotated[str, typer.Argument(help="The sandbox tenant.")],
    by: Annotated[str | None, typer.Option(help="ISO 8601 duration: P7D, PT1H30M.")] = None,
    to: Annotated[str | None, typer.Option(help="RFC 3339 time: 2027-01-01T00:00:00Z.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who does it; for the audit log.")] = None,
) -> None:
    """Move a tenant's test clock forward, starting it when it has none. It never goes back, and cannot be taken away.

    A tenant with real money must never have one: from then on its time stands still between advances.
    """
    if (by is None) == (to is None):
        raise typer.BadParameter("give either --by or --to")

    async def work(connection: Connection) -> None:
        now_at = await sql.clock_of(connection, tenant=tenant)
        if now_at is None and await sql.has_live_payments(connection, tenant=tenant):
            raise typer.BadParameter(
                f"{tenant} has payments on the system's clock; only a new tenant can be a sandbox"
            )
        target = (
            _parse(_TIME, to, "--to") if to else (now_at or datetime.now(UTC)) + _parse(_DURATION, by, "--by")
        )
        if target.tzinfo is None:
            raise typer.BadParameter("--to needs a zone, as in 2027-01-01T00:00:00Z")
        if now_at is not None and target < now_at:
            raise typer.BadParameter(f"the clock says {now_at:%Y-%m-%dT%H:%M:%SZ} and never goes back")
        async with connection.transaction():
            await sql.set_clock(connection, tenant=tenant, now_at=target)
            await sql.note_clock(
                connection, tenant=tenant, actor=actor or getpass.getuser(), detail=f"to {target.isoformat()}"
            )
        typer.echo(f"{tenant}  {target.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")

    _run(work)


def _parse(adapter: TypeAdapter[T], text: str | None, option: str) -> T:
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(f"{option}: {error.errors()[0]['msg']}") from None


def _run(work: Callable[[Connection], Awaitable[None]]) -> None:
    async def with_connection() -> None:
        connection = await connect(places(Settings()).database_url, application="counterfoil clock")
        try:
            await work(connection)
        finally:
            await connection.close()

    asyncio.run(with_connection())
