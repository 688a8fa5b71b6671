"""Desks whose workers, relay and gateway are killed all day: books as expected, that follow from the messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from db.connection import connect
from ops.checks import check
from ops.demo.books.agreement import books_agree
from ops.demo.books.closing import DAYS as CLOSING_DAYS
from ops.demo.books.draft import Books
from ops.demo.books.proof import prove
from ops.demo.cases import DAYS
from ops.demo.marketplace import generate
from ops.demo.stage import staged
from ops.demo.weeks import set_house_clocks
from ops.periods.closings import take_closings
from ops.rebuild import replay
from producers.kafka import create_topics
from tests.faults.test_kill_nine import SERVERS_AT, VICTIMS, Saboteur, fresh_stack

if TYPE_CHECKING:
    from pathlib import Path

    from ops.checks import Verdict
    from ops.demo.stage import Stage
    from ops.demo.standing import Standing
    from ops.embedded import Stack
    from ops.endpoints import Places

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

EVENTS = 600
SEED = 13
SABOTEURS_SEED = 14
"""It chooses each of the victims at least once."""
SETTLED_WITHIN_S = 300
KILLS_OF_THE_DAY = 4
KILLS = min(SERVERS_AT) - 1
"""No server dies, for then nobody could begin another day."""


async def keep_books(stage: Stage, saboteur: Saboteur) -> Books:
    """The day with what the desks say on it, then their other days, each settled before the next."""
    books = Books(EVENTS, SEED)
    await set_house_clocks(stage, books, 0)
    day = [*generate(EVENTS, SEED), *books.script.on(0)]
    most = KILLS_OF_THE_DAY

    def observe(acknowledged: int, standing: Standing) -> None:
        """A few die on the first day, then one on each."""
        if saboteur.kills < min(most, KILLS):
            saboteur.observe(acknowledged, standing)

    await stage.play(day, deadline_s=SETTLED_WITHIN_S, observe=observe)
    for number in sorted({*DAYS, *CLOSING_DAYS} - {0}):
        most += 1
        await set_house_clocks(stage, books, number)
        for said in ([], books.script.on(number)):
            await stage.play(said, deadline_s=SETTLED_WITHIN_S, observe=observe)
    return books


async def judge(at: Places, books: Books) -> list[Verdict]:
    """Every law, every expectation, and the chain."""
    connection: Any = await connect(at.admin_url, application="counterfoil tests")
    try:
        await take_closings(connection)
        _, sealed = await prove(connection)
        return [*await check(connection, settled=True), *await books_agree(connection, books), *sealed]
    finally:
        await connection.close()


async def play(stack: Stack, at: Places, logs: Path) -> tuple[list[str], list[Verdict], list[str]]:
    """Who was killed, the verdicts, and every difference that a replay finds."""
    await create_topics(at.kafka)
    async with staged(at, logs) as stage:
        saboteur = Saboteur(stage, stack, SABOTEURS_SEED)
        books = await keep_books(stage, saboteur)
    verdicts = await judge(at, books)
    outcome = await replay(at.database_url, at.admin_url)
    return saboteur.killed, verdicts, [told for part in outcome.parts for told in part.differences]


def test_books_kept_under_kills_are_as_expected_and_follow_from_the_messages(tmp_path: Path) -> None:
    with fresh_stack() as (stack, at):
        killed, verdicts, differences = asyncio.run(play(stack, at, tmp_path))
    assert len(killed) == KILLS
    assert set(killed) == set(VICTIMS)
    assert [f"{one.title}: {one.offenders}" for one in verdicts if not one.ok] == []
    assert differences == []
