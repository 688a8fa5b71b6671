"""A month is closed and opened again while three engines book into it: a replay of the messages books the same."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import asyncpg

from ops.periods.closings import take_closings
from ops.rebuild.replay import replay
from tests.books import APPROVER, LEDGER, about_period
from tests.engines import broken_laws, feeds
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database
    from tests.engines import Feed

ROUNDS = 12
TIMES = ("2026-10-31T23:59:59.999999Z", "2026-11-01T00:00:00Z", "2026-09-30T23:59:59Z")


async def test_what_is_late_is_late_in_a_replay_too(database: Database, admin: Connection) -> None:
    await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
    dice = Random(7)  # noqa: S311 - any moments will do
    done = asyncio.Event()

    async def sell(feed: Feed) -> None:
        batch = 0
        while not done.is_set():
            names = [f"s{feed.partition}-{batch}-{place}" for place in range(dice.randint(1, 5))]
            await feed.take(*(sale(name, name, time=dice.choice(TIMES)) for name in names))
            if dice.random() < 0.2:
                await feed.again(feed.log[-4:])
            batch += 1

    async def turn_pages(books: Feed, app: Connection) -> None:
        for number in range(ROUNDS):
            await books.take(about_period(f"a{number}", "close_requested", "2026-10"))
            await take_closings(app)
            await books.take(about_period(f"b{number}", "reopening_requested", "2026-10"))
            await books.take(about_period(f"c{number}", "reopening_approved", "2026-10", APPROVER))
        done.set()

    app = await asyncpg.connect(database.app_url)
    async with feeds(database.app_url, 3) as shops, feeds(database.app_url, 1, LEDGER) as (books,):
        await shops[0].take(fees())
        await asyncio.gather(*map(sell, shops), turn_pages(books, app))
    await app.close()
    assert await admin.fetchval("SELECT count(*) FROM period_closings") == ROUNDS
    assert await admin.fetchval("SELECT count(*) FROM entry_origins") > 0
    assert await broken_laws(admin) == []
    outcome = await replay(database.app_url, database.admin_url)
    assert [part.differences[:2] for part in outcome.parts if part.broken] == []
