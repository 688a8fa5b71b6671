"""Who reads which tenant: a role, a row that maps it, and membership of counterfoil_tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.queries import tenants as sql

if TYPE_CHECKING:
    from db.connection import Connection


class GrantError(Exception):
    """The role cannot be made a tenant's reader; the message says why."""


async def grant(connection: Connection, role_name: str, tenant: str, actor: str) -> bool:
    """Let a role read a tenant, as the administrator; makes it when it is not there, and then returns True.

    A new role may log in and has no password.

    Raises:
        GrantError: the role can do more than read a tenant, or is no role's name.
    """
    if role_name.startswith(("pg_", "counterfoil_")) or not role_name or len(role_name.encode()) > 63:  # noqa: PLR2004
        raise GrantError(
            f"{role_name!r}: a tenant's role has 1 to 63 bytes, not pg_ or counterfoil_ in front"
        )
    async with connection.transaction():
        role = await sql.role_of(connection, role_name=role_name)
        if role is None:
            await connection.execute(await sql.create_role_statement(connection, role_name=role_name))
        elif role["powerful"]:
            raise GrantError(f"{role_name} is a superuser, may create roles or is above row-level security")
        elif role["others"]:
            raise GrantError(
                f"{role_name} also is a member of {', '.join(role['others'])}, and may read by that"
            )
        await sql.add_member(connection, role_name=role_name, tenant=tenant, actor=actor)
        await connection.execute(await sql.grant_role_statement(connection, role_name=role_name))
        await sql.note(
            connection,
            tenant=tenant,
            actor=actor,
            action="tenant.granted",
            role_name=role_name,
            detail="may read",
        )
    return role is None


async def revoke(connection: Connection, role_name: str, tenant: str, actor: str) -> bool:
    """Take it back; the last one takes the membership, too. False when the role could not read the tenant."""
    async with connection.transaction():
        if await sql.remove_member(connection, role_name=role_name, tenant=tenant) == "DELETE 0":
            return False
        role = await sql.role_of(connection, role_name=role_name)
        if role is not None and not await sql.tenants_of(connection, role_name=role_name):
            await connection.execute(await sql.revoke_role_statement(connection, role_name=role_name))
        await sql.note(
            connection,
            tenant=tenant,
            actor=actor,
            action="tenant.revoked",
            role_name=role_name,
            detail="may read no longer",
        )
    return True
