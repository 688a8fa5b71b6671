"""Kill -9 of anything, at any moment, changes nothing: the same payments, entries and events as an undisturbed run."""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from db.connection import connect
from db.migrate import migrate
from ops.checks import check
from ops.demo.content import content
from ops.demo.marketplace import generate
from ops.demo.stage import Stage, staged
from ops.embedded import ServiceName, Stack
from ops.endpoints import Places
from producers.kafka import create_topics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.checks import Verdict
    from ops.demo.standing import Standing

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

EVENTS = 6000
SEED = 7
KILLS = 30
VICTIMS = ("worker-1", "worker-2", "relay", "gateway")
SERVERS_AT: dict[int, ServiceName] = {10: "postgres", 20: "kafka"}
"""After so many kills of ours, a server is killed too; its supervisor starts it again."""
SETTLED_WITHIN_S = 400


class Saboteur:
    """Kills a role each time the play has moved on, and starts it again."""

    def __init__(self, stage: Stage, stack: Stack, seed: int) -> None:
        self._stage = stage
        self._stack = stack
        self._random = random.Random(seed)  # noqa: S311 - it only chooses victims
        self._seen = 0
        self.killed: list[str] = []

    def observe(self, _: int, standing: Standing) -> None:
        """Called with every look at the play."""
        moved = standing.taken_in + standing.published
        if moved <= self._seen or self.kills == KILLS:
            return
        self._seen = moved
        victim = self._random.choice(VICTIMS)
        self._stage.processes.kill(victim)
        self._stage.processes.start(victim)
        self.killed.append(victim)
        server = SERVERS_AT.get(self.kills)
        if server is not None:
            self._stack.kill(server)

    @property
    def kills(self) -> int:
        """How many so far."""
        return len(self.killed)


@contextmanager
def fresh_stack() -> Iterator[tuple[Stack, Places]]:
    """Servers of one run."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)
        with Stack(root / "stack", owned=True) as stack:
            ends = stack.endpoints()
            migrate(ends.admin_url)
            yield stack, Places(ends.kafka_bootstrap, ends.database_url, ends.admin_url, ends.read_url)


async def play(
    stack: Stack, at: Places, logs: Path, saboteur_seed: int | None
) -> tuple[dict[str, Any], list[Verdict], list[str]]:
    """One day from the first event to the last; with a seed, sabotaged. Gives its content, verdicts, and the killed."""
    await create_topics(at.kafka)
    async with staged(at, logs) as stage:
        saboteur = Saboteur(stage, stack, saboteur_seed or 0)
        observe = saboteur.observe if saboteur_seed is not None else None
        await stage.play(generate(EVENTS, SEED), deadline_s=SETTLED_WITHIN_S, observe=observe)
    connection = await connect(at.admin_url, application="counterfoil tests")
    try:
        verdicts = await check(connection, settled=True)
    finally:
        await connection.close()
    return await content(at.database_url, at.kafka), verdicts, saboteur.killed


def run(logs: Path, saboteur_seed: int | None) -> tuple[dict[str, Any], list[Verdict], list[str]]:
    """A run on servers of its own."""
    with fresh_stack() as (stack, at):
        return asyncio.run(play(stack, at, logs, saboteur_seed))


def broken(verdicts: list[Verdict]) -> list[str]:
    """What the check found."""
    return [f"law {verdict.law}: {verdict.offenders}" for verdict in verdicts if not verdict.ok]


def test_thirty_kills_leave_what_an_undisturbed_run_leaves(tmp_path: Path) -> None:
    expected, calm_verdicts, _ = run(tmp_path / "calm", None)
    found, verdicts, killed = run(tmp_path / "sabotaged", 1)

    assert len(killed) == KILLS, "the play was over before all were killed; give it more events"
    assert set(killed) == set(VICTIMS)
    assert broken(calm_verdicts) == []
    assert broken(verdicts) == []
    assert found["payments"] == expected["payments"]
    assert found["entries"] == expected["entries"]
    assert found["events"] == expected["events"]
    assert len(expected["payments"]) > EVENTS / 4, "the day has too few payments to prove anything"
