"""Commands about readers of one tenant: tenants grant, revoke, list."""

from __future__ import annotations

import asyncio
import getpass
from typing import TYPE_CHECKING, Annotated, TypeVar

import asyncpg
import typer
from pydantic import TypeAdapter, ValidationError
from rich.table import Table
from rich.text import Text

from db.connection import UNREACHABLE, connect
from db.queries import tenants as sql
from ops.endpoints import places
from ops.inspect.screen import fail, show, show_json
from ops.inspect.words import moment, printable
from ops.settings import Settings
from ops.tenants import readers
from schemas.envelope import Tenant as TenantName

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from db.connection import Connection

T = TypeVar("T")

commands = typer.Typer()
tenants = typer.Typer(help="Database roles that read one tenant alone.", no_args_is_help=True)
commands.add_typer(tenants, name="tenants")

Role = Annotated[str, typer.Argument(help="A login role of PostgreSQL.")]
Tenant = Annotated[str, typer.Argument(help="What it may read.")]
Actor = Annotated[str | None, typer.Option(help="Who does it, for the audit log; by default you.")]


@tenants.command()
def grant(role: Role, tenant: Tenant, actor: Actor = None) -> None:
    """Let a role read a tenant, and nothing else; makes the role when it is not there. Needs DATABASE_ADMIN_URL."""
    try:
        TypeAdapter(TenantName).validate_python(tenant)
    except ValidationError as error:
        fail(f"{tenant!r} is no tenant: {error.errors()[0]['msg']}")
    made = _administer(lambda connection: readers.grant(connection, role, tenant, actor or getpass.getuser()))
    typer.echo(f"{role} reads {tenant}")
    if made:
        typer.echo("the role is new and has no password; psql's \\password sets one, and sends only its hash")


@tenants.command()
def revoke(role: Role, tenant: Tenant, actor: Actor = None) -> None:
    """Take it back. The role stays, for it may own other things."""
    if not _administer(
        lambda connection: readers.revoke(connection, role, tenant, actor or getpass.getuser())
    ):
        fail(f"{role} does not read {tenant}")
    typer.echo(f"{role} reads {tenant} no longer")


@tenants.command("list")
def list_readers(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List who reads which tenant."""
    rows = _administer(sql.members)
    if as_json:
        show_json([dict(row) for row in rows])
        return
    table = Table("tenant", "role", "granted by", "at")
    for row in rows:
        name = row["role_name"] if row["exists"] else f"{row['role_name']} (there is no such role)"
        table.add_row(
            row["tenant"],
            Text(printable(name)),
            Text(printable(row["granted_by"])),
            moment(row["granted_at"]),
        )
    show(table)


def _administer(work: Callable[[Connection], Awaitable[T]]) -> T:
    async def as_administrator() -> T:
        connection = await connect(places(Settings()).admin_url, application="counterfoil tenants")
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(as_administrator())
    except readers.GrantError as error:
        fail(str(error))
    except asyncpg.InsufficientPrivilegeError as error:
        fail(f"{error}: DATABASE_ADMIN_URL must name a role that may make roles", code=2)
    except (asyncpg.UndefinedTableError, *UNREACHABLE) as error:
        fail(f"the database cannot be asked: {error}", code=2)
