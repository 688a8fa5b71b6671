"""What `check` verifies about periods: the members of each ops.checks.rules.Rule, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from db.queries import checks as sql
from handlers.periods.late import MANUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

Law = tuple[int, str, str, Any, "Mapping[str, object]", bool]

LAWS: Final[tuple[Law, ...]] = (
    (
        2,
        "What was taken at a closing is the sum of its lines",
        "lines",
        sql.closings_taken_wrong_cursor,
        {},
        False,
    ),
    (2, "Every closing's balances are taken", "accounts", sql.closings_not_taken_cursor, {}, True),
    (
        4,
        "Every step of a period is published, and nothing else",
        "transitions",
        sql.period_steps_told_otherwise_cursor,
        {},
        False,
    ),
    (
        5,
        "Every period stands where its bounds say",
        "transitions",
        sql.periods_beside_their_bounds_cursor,
        {},
        False,
    ),
    (
        9,
        "No entry came into a closed period after it was closed",
        "entries",
        sql.entries_after_closing_cursor,
        {"manual": sorted(MANUAL)},
        False,
    ),
    (
        9,
        "Every late entry names an origin that was closed, and says so",
        "entries",
        sql.misplaced_origins_cursor,
        {},
        False,
    ),
)
