"""Whose midnight ends a day: each tenant's books are asked about in the zone in which it counts its periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from db.queries import books as sql
from ops.statements.moments import zone_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from db.connection import Connection

T = TypeVar("T")

Ends: TypeAlias = datetime | Mapping[str, datetime]
"""The moment before which entries count: one for all, or each tenant's own."""


async def zones_of(
    connection: Connection, tenant: str | None = None, zone: str | None = None
) -> dict[str, ZoneInfo]:
    """The zone of each tenant that has accounts: `zone` where one is named, else that of its periods, else UTC.

    Raises:
        MomentError: no such zone is known here.
    """
    named = zone_of(zone) if zone is not None else None
    rows = await sql.calendars(connection, tenant=tenant)
    return {row["tenant"]: named or zone_of(row["zone"]) for row in rows}


async def in_each_zone(
    connection: Connection, read: Callable[[ZoneInfo], T], tenant: str | None = None, zone: str | None = None
) -> dict[str, T]:
    """Tenant -> what `read` makes of its zone.

    Raises:
        MomentError: no such zone is known here, or `read` raises it.
    """
    read(zone_of(zone or "UTC"))  # what nobody can understand is refused also where nobody has accounts
    return {whose: read(its) for whose, its in (await zones_of(connection, tenant, zone)).items()}


async def each_before(connection: Connection, before: Ends, tenant: str | None) -> Mapping[str, datetime]:
    """Tenant -> its moment, of the tenant alone where one is named."""
    if isinstance(before, datetime):
        return dict.fromkeys(await zones_of(connection, tenant), before)
    return {whose: at for whose, at in before.items() if tenant in {None, whose}}
