"""What `check` verifies about journals, wallets and holds: each is the members of an ops.checks.rules.Rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from db.queries import checks as sql
from handlers.journals.rules.decisions import CORRECTION, RULE_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

Law = tuple[int, str, str, Any, "Mapping[str, object]", bool]

LAWS: Final[tuple[Law, ...]] = (
    (
        4,
        "Every step of a journal or a hold is published, and nothing else",
        "transitions",
        sql.account_steps_told_otherwise_cursor,
        {},
        False,
    ),
    (
        9,
        "What is posted by hand is what was approved",
        "entries",
        sql.journals_posted_otherwise_cursor,
        {},
        False,
    ),
    (
        9,
        "No line is reversed above what it was, nor unseen",
        "lines",
        sql.overdone_reversals_cursor,
        {"reversal": RULE_OF["reversal"]},
        False,
    ),
    (
        9,
        "Every reversal and correction names the entry it is of",
        "entries",
        sql.unlinked_entries_cursor,
        {"rules": [RULE_OF["reversal"], CORRECTION]},
        False,
    ),
    (7, "What a wallet keeps is the sum of its holds", "accounts", sql.miscounted_holds_cursor, {}, False),
    (7, "What is posted of a hold is in the books", "entries", sql.holds_posted_otherwise_cursor, {}, False),
    (7, "No account of a wallet is below its limit", "accounts", sql.broken_limits_cursor, {}, False),
)
