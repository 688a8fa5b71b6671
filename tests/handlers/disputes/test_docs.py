"""docs/disputes.md says what the code does: its table of states, its posting rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from handlers.disputes.postings import RULES
from handlers.disputes.states import TRANSITIONS, State
from handlers.ledger.model import CREDIT, DEBIT

PAGE: Final = (Path(__file__).parents[3] / "docs" / "disputes.md").read_text(encoding="utf-8")
ROWS: Final = [line for line in PAGE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("state", [None, *State])
def test_the_page_has_every_step_of_the_table(state: State | None) -> None:
    steps = [
        f"{trigger} → **{after}**" for (before, trigger), after in TRANSITIONS.items() if before is state
    ]
    assert f"| {state or '(new)'} | {', '.join(steps)} |" in ROWS


@pytest.mark.parametrize("name", RULES)
def test_the_page_has_every_posting_rule_with_its_accounts(name: str) -> None:
    (row,) = (row for row in ROWS if f"`{name}`" in row)
    accounts = {
        side: ", ".join(leg.code for leg in RULES[name].legs if leg.side == side) for side in (DEBIT, CREDIT)
    }
    turned = not row.startswith(f"| `{name}`")
    sides = (CREDIT, DEBIT) if turned else (DEBIT, CREDIT)
    assert f"| {accounts[sides[0]]} | {accounts[sides[1]]} |" in row
