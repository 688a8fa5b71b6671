"""A context's transition table as a picture and as two tables: by state, and by what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from handlers.disputes import states as disputes
from handlers.payments import states as payments
from handlers.periods import states as periods
from handlers.refunds import states as refunds
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

NEW: Final = "(new)"


@value
class StateMachine:
    """`transitions`: (state before or None, trigger) -> state after."""

    states: type[StrEnum]
    triggers: type[StrEnum]
    transitions: Mapping[tuple[Any, Any], StrEnum]

    def picture(self) -> str:
        """A Mermaid state diagram: one arrow from a state to another; a single way in or out is the circle."""
        arrows: dict[tuple[StrEnum | None, StrEnum], list[StrEnum]] = {}
        for (before, trigger), after in self.transitions.items():
            arrows.setdefault((before, after), []).append(trigger)
        steps = [
            f"    {before or '[*]'} --> {after}: {', '.join(triggers)}"
            for (before, after), triggers in arrows.items()
        ]
        left = {before for before, _ in self.transitions}
        ends = [f"    {state} --> [*]" for state in self.states if state not in left]
        return "\n".join(["```mermaid", "stateDiagram-v2", *steps, *ends, "```"])

    def by_state(self) -> str:
        """A row for each state, what may happen in it, and where that leads."""
        rows = []
        for state in (None, *self.states):
            steps = [
                f"{trigger} → **{after}**"
                for (before, trigger), after in self.transitions.items()
                if before == state
            ]
            rows.append(f"| {state or NEW} | {', '.join(steps) or 'nothing: final'} |")
        return "\n".join(["| state | what may happen → where it leads |", "|---|---|", *rows])

    def by_trigger(self) -> str:
        """A row for each trigger, and the states that allow it."""
        rows = []
        for trigger in self.triggers:
            allowed = [before or NEW for before, happening in self.transitions if happening == trigger]
            rows.append(f"| {trigger} | {', '.join(allowed)} |")
        return "\n".join(["| what happens | allowed in |", "|---|---|", *rows])

    def parts(self) -> dict[str, Callable[[], str]]:
        """The generated parts of the context's page."""
        return {"picture": self.picture, "table": self.by_state, "triggers": self.by_trigger}


PAYMENTS: Final = StateMachine(payments.State, payments.Trigger, payments.TRANSITIONS)
REFUNDS: Final = StateMachine(refunds.State, refunds.Trigger, refunds.TRANSITIONS)
DISPUTES: Final = StateMachine(disputes.State, disputes.Trigger, disputes.TRANSITIONS)
PERIODS: Final = StateMachine(periods.State, periods.Trigger, periods.TRANSITIONS)
