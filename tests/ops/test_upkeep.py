"""Upkeep: what long accounts and closed periods need is made by the scheduler itself, by one at a time, bit by bit."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.request
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import httpx
import pytest

from db.connection import connect
from db.queries import books
from ops import upkeep
from ops.health import create_app
from ops.metrics import Telemetry
from ops.processes import COUNTERFOIL, Processes
from ops.upkeep import keep_books, run_upkeep
from tests.brokers import stopping, until
from tests.consumers.test_periods import OCTOBER, about, close
from tests.engines import broken_laws, feeds
from tests.ops.statements.ledgers import post, some_sales
from tests.shop import fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Connection, Database


class Watcher:
    """What upkeep tells."""

    def __init__(self) -> None:
        self.slices = self.closings = self.steps = self.rounds = self.words = 0
        self.left: tuple[int, int] | None = None

    def attends(self, duty: str, within_s: float) -> None:
        """Counted."""
        assert (duty, within_s >= upkeep.STEP_WITHIN_S) == (upkeep.DUTY, True)
        self.words += 1

    def kept(self, slices: int, closings: int) -> None:
        """Added up."""
        self.steps += 1
        self.slices += slices
        self.closings += closings

    def upkeep_done(self, seconds: float, unsliced_lines: int, untaken_closings: int) -> None:
        """Remembered."""
        assert seconds >= 0
        self.rounds += 1
        self.left = (unsliced_lines, untaken_closings)


@asynccontextmanager
async def an_upkeep(url: str) -> AsyncIterator[Watcher]:
    """Upkeep in this process, a round after the other."""
    stop, watcher = asyncio.Event(), Watcher()
    async with stopping(run_upkeep(url, 0.05, watcher, stop), stop):
        yield watcher


async def test_lines_go_in_and_slices_appear_a_period_closes_and_its_balances_appear(
    database: Database, admin: Connection
) -> None:
    async with (
        feeds(database.app_url, 1) as (shops,),
        feeds(database.app_url, 1, "ledger.commands") as (desk,),
    ):
        await admin.execute("INSERT INTO clocks VALUES ('acme', '2026-12-05 12:00Z')")
        async with an_upkeep(database.app_url) as watcher:
            await shops.take(fees(), *(sale(f"s{n}", f"o{n}", time=OCTOBER) for n in range(600)))
            await until(lambda: _holds(admin, "SELECT count(*) = 3 FROM account_marks"))
            await desk.take(close())
            await until(lambda: _holds(admin, "SELECT count(*) = 1 FROM standing_closings"))
            await desk.take(
                about("ask", "reopening_requested"), about("yes", "reopening_approved", who="ada")
            )
            await shops.take(sale("late", "late", time=OCTOBER))
            await desk.take(close("again"))
            await until(lambda: _holds(admin, "SELECT count(*) = 2 FROM period_closings"))
            done = watcher.rounds
            await until(lambda: _is(watcher.rounds > done))
            assert watcher.left == (0, 0)
            assert (watcher.closings, watcher.slices) == (2, 6)
    assert await admin.fetchval("SELECT array_agg(lines ORDER BY number) FROM period_closings") == [
        1800,
        1803,
    ]
    assert await broken_laws(admin) == []


async def test_one_keeps_the_books_and_another_takes_over(database: Database, admin: Connection) -> None:
    connection = await _as_app(database)
    async with an_upkeep(database.app_url) as one, an_upkeep(database.app_url) as other:
        await post(connection, some_sales(1, 700))
        await until(lambda: _holds(admin, "SELECT count(*) >= 3 FROM account_marks"))
        await until(lambda: _is(one.words > 2 and other.words > 2))
        assert sorted((one.rounds > 0, other.rounds > 0)) == [False, True]
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'counterfoil upkeep' AND pid IN (SELECT pid FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = 17742 AND objid = 4)"
        )
        before = await admin.fetchval("SELECT sum(lines) FROM account_marks")
        await post(connection, some_sales(2, 700))
        await until(
            lambda: _holds(admin, f"SELECT sum(lines) > {before} FROM account_marks")  # noqa: S608 - a number
        )
    await connection.close()
    assert await books.wrong_slices(admin) == []


async def test_a_round_works_in_steps_and_ends_when_it_is_told_to(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.statements.slices.STEP_LINES", 300)
    connection, watcher, stop = await _as_app(database), Watcher(), asyncio.Event()
    await post(connection, some_sales(3, 1_500))

    def tell(slices: int, closings: int) -> None:
        Watcher.kept(watcher, slices, closings)
        stop.set()

    monkeypatch.setattr(watcher, "kept", tell)
    await keep_books(connection, watcher, stop)
    assert (watcher.steps, watcher.rounds) == (1, 0)
    stop.clear()
    monkeypatch.undo()
    await keep_books(connection, watcher, stop)
    assert (watcher.rounds, watcher.left) == (1, (0, 0))
    assert await books.wrong_slices(connection) == []
    await connection.close()


async def test_the_scheduler_s_process_keeps_the_books_and_tells_of_it(
    database: Database, admin: Connection, kafka: str, tmp_path: Path
) -> None:
    connection = await _as_app(database)
    await post(connection, some_sales(4, 700))
    await connection.close()
    ports = [_free_port(), _free_port()]
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": database.app_url,
        "COUNTERFOIL_UPKEEP_EVERY_S": "0.1",
    }
    with Processes(tmp_path, settings) as processes:
        for name, port in zip(("one", "two"), ports, strict=True):
            processes.environment["COUNTERFOIL_HTTP_PORT"] = str(port)
            processes.start(name, *COUNTERFOIL, "scheduler")
        await until(lambda: _holds(admin, "SELECT count(*) >= 3 FROM account_marks"), 60)
        for port in ports:  # the one that stands by is as well as the one that leads
            await until(lambda port=port: _ready(port), 60)  # type: ignore[misc]
        told = [await asyncio.to_thread(_get, port, "metrics") for port in ports]
        processes.check()
    (leads,) = [text for text in told if "counterfoil_slices_total 0.0" not in text]
    assert "counterfoil_unsliced_lines 0.0" in leads
    assert "counterfoil_upkeep_seconds_count" in leads


@pytest.mark.parametrize(
    ("overdue_s", "ready", "live"), [(-60, 200, 200), (5, 200, 200), (60, 503, 200), (200, 503, 503)]
)
async def test_a_duty_that_says_no_word_in_time_is_not_ready_and_in_the_end_dead(
    overdue_s: float, ready: int, live: int
) -> None:
    telemetry = Telemetry("scheduler")
    telemetry.attends("upkeep", -overdue_s)
    transport = httpx.ASGITransport(create_app(telemetry))
    async with httpx.AsyncClient(transport=transport, base_url="http://role") as client:
        told = [await client.get(page) for page in ("/readyz", "/livez")]
    assert [answer.status_code for answer in told] == [ready, live]
    assert (told[0].json()["seconds_overdue"]["upkeep"] > 0) == (overdue_s > 0)


async def _as_app(database: Database) -> Connection:
    return await connect(database.app_url, application="test")


async def _holds(admin: Connection, question: str) -> bool:
    return bool(await admin.fetchval(question))


async def _is(fact: bool) -> bool:  # noqa: FBT001 - the fact itself
    return fact


async def _ready(port: int) -> bool:
    try:
        told: dict[str, Any] = json.loads(await asyncio.to_thread(_get, port, "readyz"))
    except (OSError, HTTPError):
        return False
    return bool(told["ok"]) and told["seconds_overdue"] == {"upkeep": 0.0}


def _get(port: int, page: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def _free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
    return port
