"""The same histories through the real engine on PostgreSQL: to the last field, it stands where the model stands."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from db.tables import TABLES
from tests.engines import broken_laws, feeds
from tests.property.machine.life import Life
from tests.property.machine.steps import take
from tests.property.machine.stories import STORIES
from tests.property.machine.town import TENANT, Town

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Connection, Database
    from tests.engines import Feed

STEPS: Final = 600
KINDS: Final = ("payment", "refund", "dispute", "refund_count")
TOPICS: Final = ("checkout.events", "provider.results", "webhook.events", "timer.events")
_CLOCK: Final = """
    INSERT INTO clocks AS c (tenant, now_at) VALUES ($1, $2)
    ON CONFLICT (tenant) DO UPDATE SET now_at = excluded.now_at
"""


def played(seed: int) -> Town:
    """A town after its steps, in which nothing waits in vain: the engine's patience is by the system's clock."""
    chance = Random(seed)  # noqa: S311 - it only chooses what happens
    town = Town(names_calls=chance.random() < 0.5)
    town.memory.give_up_waiting = town.memory.look_at_parked  # type: ignore[method-assign]
    for _ in range(STEPS):
        take(town, chance.randrange(2**30))
    return town


def told() -> Town:
    """A town in which all stories have happened: every step of the tables."""
    town = Town()
    for story in STORIES:
        story(Life(town, modest=True))
    return town


HISTORIES: Final = {"seed 3": partial(played, 3), "seed 9": partial(played, 9), "stories": told}
"""In each are all kinds."""


async def look_at_parked(engines: dict[str, Feed], admin: Connection) -> None:
    """Until nothing that waits moves any more."""
    while True:
        waiting = await admin.fetchval("SELECT count(*) FROM parked")
        if not waiting:
            return
        for feed in engines.values():
            await feed.settle_parked(admin)
        if await admin.fetchval("SELECT count(*) FROM parked") == waiting:
            return


@pytest.mark.slow
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
async def test_the_engine_stands_where_the_model_stands(
    database: Database, admin: Connection, history: Callable[[], Town]
) -> None:
    town = history()
    async with AsyncExitStack() as opened:
        engines = {}
        for topic in TOPICS:
            (engines[topic],) = await opened.enter_async_context(feeds(database.app_url, 1, topic))
        for topic, body, now in town.sent:
            await admin.execute(_CLOCK, TENANT, now)
            await engines[topic].take(body)
            await look_at_parked(engines, admin)
        broken = await broken_laws(admin)
        # the calls were answered in memory, so that their rows stand open here
        assert [law for law in broken if not law.startswith("6:")] == []
    for kind in KINDS:
        table = TABLES[kind]
        rows = await admin.fetch(f"SELECT {', '.join(table.columns)} FROM {table.name}")  # noqa: S608 - our own
        stored = {table.key_of(one): one for one in map(table.value, rows)}
        model: dict[Any, Any] = {
            key: one for (known, key), one in town.memory.states.items() if known == kind
        }
        assert model
        assert {key: stored.get(key) for key in model} == model
