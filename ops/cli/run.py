"""Commands that run a role, or all of them, and `migrate`, which prepares for them."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from consumers.worker import CONSUMERS
from ops import roles
from ops.endpoints import places
from ops.sandbox.__main__ import main as serve_sandbox
from ops.settings import Settings
from producers.kafka import create_topics

commands = typer.Typer()
commands.command("sandbox")(serve_sandbox)


@commands.command()
def migrate() -> None:
    """Bring the database to the newest schema and create the topics that are missing."""
    from db.migrate import migrate as migrate_database  # noqa: PLC0415 - the other roles start faster without alembic

    settings = Settings()
    at = places(settings)
    migrate_database(at.admin_url)
    created = asyncio.run(create_topics(at.kafka))
    typer.echo(f"database is up to date; topics created: {', '.join(created) or 'none'}")


@commands.command()
def worker(
    topics: Annotated[
        list[str] | None, typer.Argument(help=f"of {', '.join(CONSUMERS)}; none for all")
    ] = None,
) -> None:
    """Consume inbound topics: decide, post, and write what follows."""
    unknown = set(topics or ()) - CONSUMERS.keys()
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(CONSUMERS)}")
    names = tuple(topics or CONSUMERS)
    roles.run_roles("worker", [roles.worker(names)], Settings())


@commands.command()
def relay() -> None:
    """Publish the outbox; one relay leads, others stand by."""
    roles.run_roles("relay", [roles.relay], Settings())


@commands.command()
def scheduler() -> None:
    """Publish timers that are due, and keep the books quick to ask; one leads, others stand by."""
    roles.run_roles("scheduler", [roles.scheduler, roles.upkeep], Settings())


@commands.command()
def gateway() -> None:
    """Make the calls to payment providers."""
    roles.run_roles("gateway", [roles.gateway], Settings())


@commands.command()
def run() -> None:
    """Run worker, relay, scheduler and gateway in one process: for a laptop."""
    from db.migrate import migrate as migrate_database  # noqa: PLC0415 - the other roles start faster without alembic

    settings = Settings()
    at = places(settings)
    migrate_database(at.admin_url)
    asyncio.run(create_topics(at.kafka))
    roles.run_roles("run", roles.ALL_ROLES, settings)
