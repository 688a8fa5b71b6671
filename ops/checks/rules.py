"""Which statement shows that which law is broken: the table that `check` walks through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from db.queries import books, exports
from db.queries import checks as sql
from handlers.disputes.states import TRANSITIONS as DISPUTES
from handlers.journals.states import TRANSITIONS as JOURNALS
from handlers.ledger.model import Code
from handlers.payments.postings import DEBIT_RETURNED, PAYMENT_TAKEN
from handlers.payments.states import TRANSITIONS as PAYMENTS
from handlers.periods.states import TRANSITIONS as PERIODS
from handlers.refunds.states import IN_FLIGHT, RESERVING
from handlers.refunds.states import TRANSITIONS as REFUNDS
from handlers.wallets.states import TRANSITIONS as HOLDS
from ops.accounts.laws import LAWS as ACCOUNT_LAWS
from ops.checks.guards import EVIDENCE, GUARDS, HISTORY, OWNER, ROLES, guard_functions, guard_triggers
from ops.disputes.laws import LAWS as DISPUTE_LAWS
from ops.periods.laws import LAWS as PERIOD_LAWS
from ops.tenants.laws import LAWS as TENANT_LAWS
from schemas.currencies import MINOR_DIGITS
from schemas.money import MAX_AMOUNT_MINOR
from schemas.topics import COMMAND_REPEATED, TOPICS

LEASE_GRACE_S: Final = 600
"""How long a provider call may lie with a gateway whose lease ended, until that is nobody's care."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must not be found. `counted` is what of `sizes` it looks through."""

    law: int
    title: str
    counted: str
    offenders: Any
    """A cursor query of checks.sql: a sentence for each offender."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    settled: bool = False
    """Whether it holds only when nothing is under way."""


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Rows as the array parameters of a statement."""
    return dict(zip(names, zip(*rows, strict=True), strict=True))


_STEPS: Final = [
    (object_type, before or "", event, after)
    for object_type, table in (
        ("payment", PAYMENTS),
        ("refund", REFUNDS),
        ("dispute", DISPUTES),
        ("period", PERIODS),
        ("journal", JOURNALS),
        ("hold", HOLDS),
    )
    for (before, event), after in table.items()
]
_WRITTEN: Final = guard_triggers()
_GUARDS: Final = [
    (table, trigger, *_WRITTEN[table, trigger]) for table, triggers in GUARDS.items() for trigger in triggers
]
_OF_A_GUARD: Final = ("tables", "triggers", "functions", "kinds", "columns")
_KNOWN: Final = {"known": tuple(trigger for _, trigger in _WRITTEN)}
_OF_EVIDENCE: Final = [guard for guard in _GUARDS if guard[0] in EVIDENCE]
_OF_HISTORY: Final = [guard for guard in _GUARDS if guard[0] not in EVIDENCE]
_FUNCTIONS: Final = guard_functions()

RULES: Final = (
    Rule(1, "Every journal entry balances per currency", "entries", sql.unbalanced_entries_cursor),
    Rule(1, "Every entry has the lines its header counts", "entries", sql.incomplete_entries_cursor),
    Rule(1, "Every line is in an account of its tenant and currency", "lines", sql.misplaced_lines_cursor),
    Rule(2, "Every balance is the sum of its lines", "accounts", sql.wrong_balances_cursor),
    Rule(2, "Every slice is the sum of its lines", "lines", books.wrong_slices_cursor),
    Rule(
        3,
        "No effect is published twice",
        "events",
        sql.repeated_events_cursor,
        {"topics": [topic.name for topic in TOPICS.values() if topic.direction in {"out", "dead"}]},
    ),
    Rule(3, "Every effect follows from an applied message", "messages", sql.effects_without_cause_cursor),
    Rule(3, "Every conflicting message came second", "messages", sql.conflicts_without_first_cursor),
    Rule(
        4,
        "Every transition is published, and nothing else",
        "transitions",
        sql.transitions_told_otherwise_cursor,
        {"repeated": COMMAND_REPEATED},
    ),
    Rule(
        4,
        "Every transition of a refund is published, and nothing else",
        "transitions",
        sql.refunds_told_otherwise_cursor,
    ),
    Rule(4, "Every entry is published as it is in the ledger", "entries", sql.entries_told_otherwise_cursor),
    Rule(4, "Every batch holds the events it counts", "events", sql.torn_batches_cursor),
    Rule(4, "The relay has passed over nothing", "events", sql.passed_over_events_cursor),
    Rule(4, "Everything is published", "events", sql.unpublished_batches_cursor, settled=True),
    Rule(
        5,
        "Every transition is in the table",
        "transitions",
        sql.forbidden_transitions_cursor,
        _columns(("object_types", "from_states", "events", "to_states"), _STEPS),
    ),
    Rule(5, "Everything stands where its history leads", "transitions", sql.broken_histories_cursor),
    Rule(5, "Every refusal is answered once", "messages", sql.unanswered_refusals_cursor),
    Rule(
        6,
        "Every provider call is cared for, its answer kept",
        "calls",
        sql.careless_calls_cursor,
        {"lease_grace_s": LEASE_GRACE_S},
    ),
    Rule(6, "Every call for a refund has its refund", "calls", sql.careless_refund_calls_cursor),
    Rule(6, "Nothing waits for its provider", "payments", sql.waits_for_providers_cursor, settled=True),
    Rule(
        7,
        "Captured is at most authorized, and is what was posted",
        "payments",
        sql.overdrawn_payments_cursor,
        {
            "fee_account": Code.PLATFORM_FEE_REVENUE,
            "rules": [rule.name for rule in PAYMENT_TAKEN.values()],
            "reverse": DEBIT_RETURNED.name,
        },
    ),
    Rule(
        7,
        "What is given back is at most what was captured, and the sum of the refunds",
        "payments",
        sql.overdrawn_by_refunds_cursor,
        {"reserving": sorted(RESERVING)},
    ),
    Rule(
        7,
        "A refund is in clearing while it is under way, and booked as it says",
        "entries",
        sql.refunds_posted_otherwise_cursor,
        {
            "clearing": Code.REFUND_CLEARING,
            "given_by": [
                Code.MERCHANT_PAYABLE,
                Code.PLATFORM_FEE_REVENUE,
                Code.GOODWILL_EXPENSE,
                Code.SUSPENSE,
            ],
            "fees": Code.PLATFORM_FEE_REVENUE,
            "in_flight": sorted(IN_FLIGHT),
        },
    ),
    Rule(
        7,
        "The fee that went back is the sum of its refunds' shares",
        "payments",
        sql.miscounted_refund_fees_cursor,
        {"in_flight": sorted(IN_FLIGHT)},
    ),
    Rule(
        8,
        "The guards of what came from outside stand",
        "guards_of_evidence",
        sql.missing_guards_cursor,
        _columns(_OF_A_GUARD, _OF_EVIDENCE) | _KNOWN,
    ),
    Rule(
        9,
        "The guards of history stand",
        "guards_of_history",
        sql.missing_guards_cursor,
        _columns(_OF_A_GUARD, _OF_HISTORY) | _KNOWN,
    ),
    Rule(
        9,
        "The guards read as the migrations wrote them",
        "functions",
        sql.rewritten_guards_cursor,
        {"names": list(_FUNCTIONS), "bodies": list(_FUNCTIONS.values())},
    ),
    Rule(
        9,
        "Nobody but the owner may rewrite history",
        "history_tables",
        sql.excessive_rights_cursor,
        {"tables": list(HISTORY), "columns": list(HISTORY.values()), "roles": list(ROLES), "owner": OWNER},
    ),
    Rule(9, "Every exported batch is what its entries come to", "entries", exports.wrong_batches_cursor),
    Rule(
        10,
        "Money is whole minor units of an ISO 4217 currency",
        "lines",
        sql.strange_money_cursor,
        {"currencies": list(MINOR_DIGITS), "most_minor": MAX_AMOUNT_MINOR},
    ),
    Rule(12, "The five counts add up to what came in", "messages", sql.uncounted_messages_cursor),
    Rule(12, "What waits or is dead can go on", "messages", sql.lost_messages_cursor),
    Rule(12, "No message waits", "messages", sql.waiting_messages_cursor, settled=True),
    *(Rule(*law) for law in DISPUTE_LAWS),
    *(Rule(*law) for law in PERIOD_LAWS),
    *(Rule(*law) for law in TENANT_LAWS),
    *(Rule(*law) for law in ACCOUNT_LAWS),
)

FIXED_SIZES: Final = {
    "guards_of_evidence": len(_OF_EVIDENCE),
    "guards_of_history": len(_OF_HISTORY),
    "functions": len(_FUNCTIONS),
    "history_tables": len(HISTORY),
}
"""What is counted here and not by the database."""
