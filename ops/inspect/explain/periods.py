"""A period: who closed it and opened it again, how the bounds moved, what was kept, and what came too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.queries import explain as sql
from ops.inspect.explain.entries import Entries
from ops.inspect.explain.story import MOST, Story, commands_about
from ops.inspect.node import Node
from ops.inspect.words import moment

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection
    from ops.inspect.explain.messages import Identity

MOST_LATE: Final = 10
KEY: Final = "periods"
"""What all commands about a tenant's periods are ordered by."""
CALENDAR: Final = ("ledger.calendar_set",)


async def explain_period(
    connection: Connection, period: str, tenant: str | None = None, *, last: int = MOST
) -> list[Node]:
    """The period of this name, of every tenant that has touched it. One that nobody touched is open, without a row."""
    rows = await sql.periods_named(connection, period=period, tenant=tenant)
    return [await _explained(connection, row, last) for row in rows]


async def _explained(connection: Connection, period: asyncpg.Record, last: int) -> Node:
    tenant, name = period["tenant"], period["period"]
    story = await Story.load(connection, tenant, [period["object_id"]], most=last)
    bounds = await sql.bounds_of_period(connection, tenant=tenant, period=name)
    closings = await sql.closings_of_period(connection, tenant=tenant, period=name)
    late = await sql.late_entries(connection, tenant=tenant, period=name, most=MOST_LATE)
    told = await Entries.load(connection, late)
    hidden = late[0]["there"] - len(late) if late else 0
    rest = (Node("rest", f"and {hidden:,} more; see them with counterfoil periods late"),) if hidden else ()
    asked = period["reopening_requested_by"]
    text = (
        f"period {name} of {tenant}, from {moment(period['starts_at'])} up to {moment(period['ends_at'])}: "
        f"{period['state']}, version {period['version']}, by {period['changed_by']}"
        + (f"; {asked} asked to open it again" if asked is not None else "")
    )
    children = (
        *map(_bounds_node, bounds[-last:]),
        *(_closing_node(row, period) for row in closings[-last:]),
        *story.removed(period["object_id"], period["version"]),
        *await story.chapters(connection, await _calendar(connection, tenant)),
        *(
            Node(
                "late_entry",
                f"came late: happened {moment(row['origin_effective_at'])}",
                {},
                (told.node(row),),
            )
            for row in late
        ),
        *rest,
    )
    return Node("period", text, dict(period), children)


async def _calendar(connection: Connection, tenant: str) -> list[Identity]:
    """The commands that said how the tenant counts."""
    rows = await commands_about(connection, tenant, KEY, CALENDAR, MOST_LATE)
    return [(tenant, row["source"], row["event_id"]) for row in rows]


def _bounds_node(row: asyncpg.Record) -> Node:
    shut = f"closed before {moment(row['closed_before'])}" if row["closed_before"] is not None else "all open"
    soft = (
        f", to all but manual journals before {moment(row['soft_closed_before'])}"
        if row["soft_closed_before"] != row["closed_before"]
        else ""
    )
    text = f"bounds {row['number']}, {row['step']} {moment(row['set_at'])}: {shut}{soft} ({row['unit']}, {row['zone']})"
    return Node("bounds", text, dict(row))


def _closing_node(row: asyncpg.Record, period: asyncpg.Record) -> Node:
    text = (
        f"balances kept of closing {row['number']}, {moment(row['taken_at'])}: {row['accounts']:,} accounts with "
        f"{row['lines']:,} lines (counterfoil periods show {period['tenant']} {period['period']})"
    )
    gone = row["accounts"] - row["accounts_there"]
    lost = (Node("missing", f"{gone:,} of these balances are NOT there, which breaks law 9"),) if gone else ()
    return Node("closing", text, dict(row), lost)
