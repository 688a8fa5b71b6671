"""Each role's HTTP face: /metrics, /livez and /readyz. Health is progress, not an open socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.connection import UNREACHABLE, connect
from db.queries import gauges as sql
from ops import metrics
from producers.leadership import pause

if TYPE_CHECKING:
    from starlette.requests import Request

    from ops.metrics import Telemetry

log = structlog.get_logger()

READY_WITHIN_S: Final = 15
"""Without progress for longer, a role is not ready."""
ALIVE_WITHIN_S: Final = 120
"""Without progress for longer, it should be restarted."""
GAUGES_EVERY_S: Final = 5


def create_app(telemetry: Telemetry) -> Starlette:
    """The health application of one role."""

    async def show_metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    def within(limit_s: float) -> Response:
        stalled_s = telemetry.stalled_seconds()
        ok = stalled_s <= limit_s
        overdue = {duty: round(seconds, 1) for duty, seconds in telemetry.overdue().items()}
        body = {
            "role": telemetry.role,
            "ok": ok,
            "seconds_without_progress": round(stalled_s, 1),
            "seconds_overdue": overdue,
        }
        return JSONResponse(body, status_code=200 if ok else 503)

    async def live(_: Request) -> Response:
        return within(ALIVE_WITHIN_S)

    async def ready(_: Request) -> Response:
        return within(READY_WITHIN_S)

    return Starlette(routes=[Route("/metrics", show_metrics), Route("/livez", live), Route("/readyz", ready)])


async def serve_health(telemetry: Telemetry, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until told to stop. Port 0 serves nothing."""
    if port == 0:
        return
    server = uvicorn.Server(
        uvicorn.Config(create_app(telemetry), host=host, port=port, log_config=None, access_log=False)
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())  # noqa: SLF001 - serve() would take over the process's signals
    await stop.wait()
    server.should_exit = True
    await serving


async def watch_database(database_url: str, stop: asyncio.Event) -> None:
    """Keep the gauges that only the database can tell."""
    while not stop.is_set():
        try:
            connection = await connect(database_url, application="counterfoil gauges")
            try:
                while not stop.is_set():
                    row = await sql.gauges(connection)
                    metrics.OUTBOX_BACKLOG.set(row["outbox_backlog"])
                    metrics.OUTBOX_AGE.set(row["outbox_age_seconds"])
                    metrics.UNKNOWN_CALLS.set(row["unknown_calls"])
                    metrics.PARKED.set(row["parked"])
                    metrics.DEAD_LETTERS.set(row["dead_letters"])
                    await pause(stop, GAUGES_EVERY_S)
            finally:
                connection.terminate()
        except UNREACHABLE as error:
            log.warning("gauges unknown", error=type(error).__name__)
            await pause(stop, GAUGES_EVERY_S)
