"""Payments, refunds and disputes under everything that can happen to them, held against an independent model.

The normal suite runs the same few seconds each time. For a long run:

    COUNTERFOIL_MACHINE_RUNS=500 COUNTERFOIL_MACHINE_SEED=1 pytest tests/property/machine
"""
# ruff: noqa: D102 - a rule's and an invariant's name is its sentence

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.machine.commands import refusals
from tests.property.machine.laws import forbidden_steps, not_taken
from tests.property.machine.life import Life
from tests.property.machine.steps import STEPS, take
from tests.property.machine.stories import STORIES
from tests.property.machine.town import Town

STEPS_A_RUN: Final = 2_000
RUNS: Final = int(os.environ.get("COUNTERFOIL_MACHINE_RUNS", "0"))
"""Of a long run; the normal suite has a few."""
SEED: Final = int(os.environ.get("COUNTERFOIL_MACHINE_SEED", "0"))
USUAL_RUNS: Final = 8
SHRINKABLE: Final = 3
"""Runs by Hypothesis in the normal suite: a failure there comes as the shortest history that shows it."""
MOST: Final = len(STEPS) * 2**20


class Machine(RuleBasedStateMachine):
    """Each step is one number. The laws are asserted in the town, after every message."""

    @initialize(names_calls=st.booleans(), fees=st.sampled_from(["return_proportionally", "keep"]))
    def found(self, *, names_calls: bool, fees: str) -> None:
        self.town = Town(names_calls=names_calls, fees=fees)

    @rule(number=st.integers(0, MOST))
    def happen(self, number: int) -> None:
        take(self.town, number)

    def teardown(self) -> None:
        if hasattr(self, "town"):
            for order_id in list(self.town.orders):
                self.town.retire(order_id)


Machine.TestCase.settings = settings(
    max_examples=RUNS or SHRINKABLE,
    stateful_step_count=STEPS_A_RUN,
    derandomize=not RUNS,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
test_no_history_breaks_a_law = pytest.mark.timeout(7_200 if RUNS else 300)(Machine.TestCase)


@pytest.mark.timeout(14_400 if RUNS else 300)
def test_whatever_happens_by_chance_no_step_is_beside_the_tables() -> None:
    taken: Counter[tuple[str, str | None, str]] = Counter()
    for seed in range(SEED, SEED + (RUNS or USUAL_RUNS)):
        chance = Random(seed)  # noqa: S311 - it only chooses what happens
        fees = chance.choice(["return_proportionally", "keep"])
        town = Town(names_calls=chance.random() < 0.5, fees=fees)
        try:
            for _ in range(STEPS_A_RUN):
                take(town, chance.randrange(MOST))
            for order_id in list(town.orders):
                town.retire(order_id)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        taken += town.memory.taken
    assert forbidden_steps(taken) == set()


def test_the_stories_take_every_step_of_the_tables_and_see_every_refusal() -> None:
    town = Town()
    for story in STORIES:
        life = Life(town)
        story(life)
        town.retire(life.order_id)
    assert forbidden_steps(town.memory.taken) == set()
    assert not_taken(town.memory.taken) == set()
    assert refusals() - set(town.refused) == set()
