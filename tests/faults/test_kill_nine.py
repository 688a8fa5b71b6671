"""Kill -9 of anything, at any moment, changes nothing: the same payments, entries and events as an undisturbed run.

And what is left follows from the messages, and its hash chain holds.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from db.connection import connect
from db.migrate import migrate
from ops.checks import check
from ops.demo.content import content
from ops.demo.marketplace import generate
from ops.demo.stage import Stage, staged
from ops.embedded import ServiceName, Stack
from ops.endpoints import Places
from ops.rebuild import replay
from producers.kafka import create_topics
from tests.producers.chain.book import seal_all, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.checks import Verdict
    from ops.demo.standing import Standing
    from ops.rebuild import Outcome
    from ops.verify import Verdict as Chain

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

EVENTS: Final = 5000
SEED: Final = 7
KILLS: Final = 30
WORKERS: Final = ("worker-1", "worker-2")
VICTIMS: Final = (*WORKERS, "relay", "gateway")
SERVERS_AT: Final[dict[int, ServiceName]] = {10: "postgres", 20: "kafka"}
"""After so many kills of ours, a server is killed too; its supervisor starts it again."""
BATCH_SIZE: Final = "50"
"""Small, so that many a batch is under way when somebody dies."""
SETTLED_WITHIN_S: Final = 400
_END_LEASES: Final = "UPDATE provider_calls SET lease_until = now() WHERE status = 'in_flight'"


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
        if victim == "gateway":
            with psycopg.connect(self._stage.at.admin_url, autocommit=True) as connection:
                connection.execute(_END_LEASES)  # all are the dead one's; nobody wants to wait half a minute
        self._start(victim)
        self.killed.append(victim)
        server = SERVERS_AT.get(self.kills)
        if server is not None:
            self._stack.kill(server)

    def _start(self, victim: str) -> None:
        """A worker comes back as a static member of its groups: its second death moves no partitions."""
        environment = self._stage.processes.environment
        if victim in WORKERS:
            environment["COUNTERFOIL_INSTANCE"] = victim
        self._stage.processes.start(victim)
        environment.pop("COUNTERFOIL_INSTANCE", None)

    @property
    def kills(self) -> int:
        """How many so far."""
        return len(self.killed)


@dataclass(frozen=True)
class Day:
    """What a day left behind."""

    content: dict[str, Any]
    verdicts: list[Verdict]
    killed: list[str]

    @property
    def broken(self) -> list[str]:
        """Laws that do not hold."""
        return [f"law {verdict.law}: {verdict.offenders}" for verdict in self.verdicts if not verdict.ok]


@dataclass(frozen=True)
class Proof:
    """What can be proved of it afterwards."""

    replayed: Outcome
    chain: Chain


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


async def play(stack: Stack, at: Places, logs: Path, saboteur_seed: int | None) -> Day:
    """One day from the first event to the last; with a seed, sabotaged."""
    await create_topics(at.kafka)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERFOIL_BATCH_SIZE", BATCH_SIZE)
        async with staged(at, logs) as stage:
            saboteur = Saboteur(stage, stack, saboteur_seed or 0)
            observe = saboteur.observe if saboteur_seed is not None else None
            await stage.play(generate(EVENTS, SEED), deadline_s=SETTLED_WITHIN_S, observe=observe)
    connection = await connect(at.admin_url, application="counterfoil tests")
    try:
        verdicts = await check(connection, settled=True)
    finally:
        await connection.close()
    return Day(await content(at.database_url, at.kafka), verdicts, saboteur.killed)


async def prove(at: Places) -> Proof:
    """Replay and verify what is there."""
    connection = await connect(at.database_url, application="counterfoil tests")
    try:
        await seal_all(connection)
        chain = await verified(connection)
    finally:
        await connection.close()
    return Proof(await replay(at.database_url, at.admin_url), chain)


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Day, Proof]:
    """The day on which everything was killed, again and again."""
    with fresh_stack() as (stack, at):
        return asyncio.run(play(stack, at, tmp_path_factory.mktemp("sabotaged"), 1)), asyncio.run(prove(at))


def test_thirty_kills_leave_what_an_undisturbed_run_leaves(
    sabotaged: tuple[Day, Proof], tmp_path: Path
) -> None:
    found, _ = sabotaged
    with fresh_stack() as (stack, at):
        expected = asyncio.run(play(stack, at, tmp_path, None))
    assert len(found.killed) == KILLS, "the play was over before all were killed; give it more events"
    assert set(found.killed) == set(VICTIMS)
    assert expected.broken == []
    assert found.broken == []
    for part in ("payments", "entries", "events"):
        assert found.content[part] == expected.content[part]
    assert len(expected.content["payments"]) > EVENTS / 4, "the day has too few payments to prove anything"


def test_what_thirty_kills_left_follows_from_the_messages_and_its_chain_holds(
    sabotaged: tuple[Day, Proof],
) -> None:
    _, proof = sabotaged
    assert [difference for part in proof.replayed.parts for difference in part.differences] == []
    assert proof.replayed.messages > EVENTS
    assert (proof.chain.findings, proof.chain.unsealed) == ([], 0)
    assert proof.chain.entries > EVENTS / 6
