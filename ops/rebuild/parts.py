"""What is compared, table by table, and what is not, with the reason. A table that neither names fails a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from db.queries import accounts, periods
from db.queries import rebuild as sql
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLISHED: Final = [topic.name for topic in TOPICS.values() if topic.direction == "out"]
"""Topics of what decisions published."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A statement of rebuild.sql that gives `name` and `content` of each thing, in the order of names."""

    title: str
    tables: tuple[str, ...]
    query: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)


COMPARED: Final = (
    Compared("messages and their outcomes", ("inbox",), sql.messages),
    Compared("payments", ("payments",), sql.payments),
    Compared("transitions", ("transitions",), sql.transitions),
    Compared("fee schedules", ("fee_schedules",), sql.fee_schedules),
    Compared("refunds", ("refunds",), sql.refunds),
    Compared("refund policies", ("refund_policies",), sql.refund_policies),
    Compared("refund counts", ("refund_counts",), sql.refund_counts),
    Compared("disputes", ("disputes",), sql.disputes),
    Compared("dispute evidence", ("dispute_evidence",), sql.dispute_evidence),
    Compared("order documents", ("order_documents",), sql.order_documents),
    Compared("journals", ("journals", "journal_lines"), accounts.rebuilt_journals),
    Compared("reversals and links", ("entry_reversals", "entry_links"), accounts.rebuilt_reversals),
    Compared(
        "wallets with their holds",
        ("wallets", "wallet_buckets", "wallet_limits", "holds"),
        accounts.rebuilt_wallets,
    ),
    Compared("entries with their lines", ("entries", "lines", "accounts"), sql.entries),
    Compared("period bounds", ("period_bounds",), periods.rebuilt_bounds),
    Compared("periods", ("periods",), periods.rebuilt_periods),
    Compared("origins of late entries", ("entry_origins",), periods.rebuilt_origins),
    Compared("external references of entries", ("entry_references",), accounts.rebuilt_references),
    Compared("balances", ("balances",), sql.balances),
    Compared("timers", ("timers",), sql.timers),
    Compared("provider calls", ("provider_calls",), sql.provider_calls),
    Compared("command keys", ("idempotency_keys",), sql.idempotency_keys),
    Compared("published events", ("outbox_batches",), sql.events, {"topics": PUBLISHED}),
)

LEFT_OUT: Final[dict[str, str]] = {
    "intake": "how far Kafka was read, with the counts of duplicates and redeliveries",
    "webhooks": "evidence from outside: what it says came as messages",
    "inbox_conflicts": "second bodies under a used id; they have no effect",
    "parked": "what waits has no effect yet",
    "dead_letters": "what was set aside has no effect",
    "audit_log": "also people write it, by other doors than messages",
    "relay_cursor": "how far the relay is",
    "clocks": "moved by people; what they said is in the events",
    "provider_answers": "evidence from outside: what it led to came as messages",
    "chain_blocks": "built from the entries; `counterfoil verify` compares them",
    "tenant_members": "which role reads which tenant; people say so",
    "period_gate": "a lock, which never holds a row",
    "period_closings": "what accounts held when a period was closed; `check` compares it with the lines",
    "closing_balances": "the same, account by account",
    "account_slices": "sums of the lines, which are compared",
    "account_sums": "the same by month and day",
    "account_marks": "how far those sums go",
    "journal_batches": "what accounting was given, and when",
    "alembic_version": "which migrations were applied",
}
"""Table -> why it is no part of the comparison."""
