"""A day on which everything was killed once: its messages, said again, leave the same; and its chain holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from db.connection import connect
from ops.rebuild import replay
from tests.faults.test_kill_nine import KILLS, fresh_stack, play
from tests.producers.chain.book import seal_all, verified

if TYPE_CHECKING:
    from pathlib import Path

    from ops.endpoints import Places
    from ops.rebuild import Outcome
    from ops.verify import Verdict

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


async def prove(at: Places) -> tuple[Outcome, Verdict]:
    """Replay and verify what is there."""
    connection = await connect(at.database_url, application="counterfoil tests")
    try:
        await seal_all(connection)
        verdict = await verified(connection)
    finally:
        await connection.close()
    return await replay(at.database_url, at.admin_url), verdict


def test_what_thirty_kills_left_follows_from_the_messages(tmp_path: Path) -> None:
    with fresh_stack() as (stack, at):
        _, _, killed = asyncio.run(play(stack, at, tmp_path, 1))
        outcome, verdict = asyncio.run(prove(at))
    assert len(killed) == KILLS
    assert [difference for part in outcome.parts for difference in part.differences] == []
    assert outcome.messages > 6000
    assert (verdict.findings, verdict.unsealed) == ([], 0)
    assert verdict.entries > 1000
