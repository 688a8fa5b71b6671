"""The refund's transition table as a picture and a table, and its posting rules."""

from __future__ import annotations

from handlers.ledger.model import DEBIT, RuleLeg
from handlers.refunds.postings import RULES
from handlers.refunds.states import TERMINAL, TRANSITIONS, State, Trigger

NEW = "(new)"


def picture() -> str:
    """A Mermaid state diagram; a single way in or out is the circle."""
    steps = [
        f"    {before or '[*]'} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()
    ]
    ends = [f"    {state} --> [*]" for state in State if state in TERMINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", *steps, *ends, "```"])


def table() -> str:
    """A row for each state, what may happen in it, and where that leads."""
    rows = []
    for state in (None, *State):
        steps = [
            f"{trigger} → **{after}**" for (before, trigger), after in TRANSITIONS.items() if before == state
        ]
        rows.append(f"| {state or NEW} | {', '.join(steps) or 'nothing: final'} |")
    return "\n".join(["| state | what may happen → where it leads |", "|---|---|", *rows])


def triggers() -> str:
    """A row for each trigger, and the states that allow it."""
    rows = []
    for trigger in Trigger:
        allowed = [before or NEW for before, happening in TRANSITIONS if happening == trigger]
        rows.append(f"| {trigger} | {', '.join(allowed)} |")
    return "\n".join(["| what happens | allowed in |", "|---|---|", *rows])


def postings() -> str:
    """A row for each posting rule: what is debited, what is credited, and when."""
    rows = [
        f"| `{rule.name}` | {_legs(rule.legs, debit=True)} | {_legs(rule.legs, debit=False)} | {rule.about} |"
        for rule in RULES
    ]
    return "\n".join(["| rule | debit | credit | when |", "|---|---|---|---|", *rows])


def _legs(legs: tuple[RuleLeg, ...], *, debit: bool) -> str:
    return ", ".join(f"`{leg.code}` {leg.amount}" for leg in legs if (leg.side == DEBIT) is debit)
