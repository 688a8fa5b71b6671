"""Payments, refunds and disputes under everything that can happen to them, held against an independent model.

The normal suite runs the same few seconds each time. For a long run:

    COUNTERFOIL_MACHINE_RUNS=500 COUNTERFOIL_MACHINE_SEED=1 pytest tests/property/machine
"""
# ruff: noqa: D102 - a rule's and an invariant's name is its sentence

from __future__ import annotations

import os
from collections import Counter, defaultdict
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.machine.commands import refusals
from tests.property.machine.laws import forbidden_steps, not_taken
from tests.property.machine.search import Search
from tests.property.machine.steps import STEPS, take
from tests.property.machine.town import Town

STEPS_A_RUN: Final = 2_000
RUNS: Final = int(os.environ.get("COUNTERFOIL_MACHINE_RUNS", "0"))
"""Of a long run; the normal suite has a few."""
SEED: Final = int(os.environ.get("COUNTERFOIL_MACHINE_SEED", "0"))
USUAL_RUNS: Final = 8
LIVES: Final = 500
"""Lives of a single order, each after something that no run has reached."""
MISSED_AT_MOST: Final = 12
"""Steps that the usual suite may miss; a long run may miss none. Every refusal is seen in both."""
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
def test_all_of_the_tables_is_walked_and_nothing_beside_them() -> None:
    taken: Counter[tuple[str, str | None, str]] = Counter()
    refused: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
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
        for what, reasons in town.refused.items():
            refused[what] |= reasons
    assert forbidden_steps(taken) == set()
    search = Search(not_taken(taken), refusals() - set(refused), Random(SEED + 1))  # noqa: S311 - the same
    search.run(LIVES)
    assert search.refusals == set()
    assert len(search.steps) <= (0 if RUNS else MISSED_AT_MOST), search.steps
