"""What the database itself must refuse, as data: its triggers, and who may do what to history (laws 8, 9)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import db

GUARDS: Final[dict[str, tuple[str, ...]]] = {
    "inbox": ("inbox_keeps_messages", "inbox_loses_none"),
    "inbox_conflicts": ("inbox_conflicts_append_only",),
    "dead_letters": ("dead_letters_keep_messages", "dead_letters_lose_none"),
    "outbox_batches": ("outbox_append_only",),
    "audit_log": ("audit_log_append_only",),
    "accounts": ("accounts_append_only",),
    "entries": ("entries_append_only", "entries_xid"),
    "entry_origins": ("entry_origins_append_only",),
    "entry_references": ("entry_references_append_only", "entry_references_with_entry"),
    "period_bounds": ("period_bounds_append_only", "period_bounds_follow"),
    "period_closings": ("period_closings_append_only",),
    "closing_balances": ("closing_balances_append_only",),
    "lines": ("lines_append_only", "lines_balance", "lines_wallets"),
    "journal_lines": ("journal_lines_append_only",),
    "entry_links": ("entry_links_append_only", "entry_links_complete"),
    "entry_reversals": ("entry_reversals_bounded", "entry_reversals_stay"),
    "wallet_limits": ("wallet_limits_append_only",),
    "wallet_buckets": (
        "wallet_buckets_held",
        "wallet_buckets_join",
        "wallet_buckets_limited",
        "wallet_buckets_stay",
    ),
    "transitions": ("transitions_append_only",),
    "fee_schedules": ("fee_schedules_append_only",),
    "provider_answers": ("provider_answers_append_only",),
    "webhooks": ("webhooks_append_only",),
    "refund_policies": ("refund_policies_append_only",),
    "dispute_evidence": ("dispute_evidence_append_only",),
    "order_documents": ("order_documents_append_only",),
    "account_slices": ("account_slices_append_only",),
    "journal_batches": ("journal_batches_append_only", "journal_batches_contiguous"),
    "chain_blocks": ("chain_blocks_append_only", "chain_blocks_follow"),
}
"""Table -> the triggers that guard it, in replica sessions too."""

EVIDENCE: Final = frozenset({"inbox", "inbox_conflicts", "dead_letters", "provider_answers", "webhooks"})
"""Tables that keep what came from outside, word for word (law 8)."""

HISTORY: Final[dict[str, str]] = {
    "inbox": "outcome reason detail batch_id",
    "inbox_conflicts": "",
    "dead_letters": "replayed_at",
    "audit_log": "",
    "accounts": "",
    "entries": "",
    "entry_origins": "",
    "entry_references": "",
    "period_bounds": "",
    "period_closings": "",
    "closing_balances": "",
    "lines": "",
    "transitions": "",
    "fee_schedules": "",
    "outbox_batches": "",
    "provider_answers": "",
    "webhooks": "",
    "refund_policies": "",
    "dispute_evidence": "",
    "order_documents": "",
    "account_slices": "",
    "journal_batches": "",
    "journal_lines": "",
    "entry_links": "",
    "wallet_limits": "",
    "chain_blocks": "",
}
"""Table that only grows -> the columns that the application may update all the same."""

OWNER: Final = "counterfoil_owner"
ROLES: Final = ("counterfoil_app", "counterfoil_read", "counterfoil_tenant")

_FUNCTION: Final = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\([^)]*\).*?AS \$\$(.*?)\$\$", re.DOTALL)
_TRIGGER: Final = re.compile(
    r"CREATE (?:CONSTRAINT )?TRIGGER (?P<name>\w+) (?P<when>BEFORE|AFTER) (?P<events>[A-Z]+(?: OR [A-Z]+)*)"
    r"(?: OF (?P<columns>\w+(?:, \w+)*))? ON (?P<table>\w+)\s[^;]*?FOR EACH (?P<level>ROW|STATEMENT)\s+"
    r"EXECUTE FUNCTION (?P<function>\w+)\([^)]*\);"
)
_BITS: Final = {"ROW": 1, "BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
"""Of pg_trigger.tgtype."""
_MIGRATIONS: Final = Path(db.__file__).parent / "migrations" / "sql"


def guard_functions() -> dict[str, str]:
    """Each function of the migrations with its body as last written, to be compared with the database's."""
    return {name: body for text in _written() for name, body in _FUNCTION.findall(text)}


def guard_triggers() -> dict[tuple[str, str], tuple[str, int, int]]:
    """(table, trigger) -> the function it calls, pg_trigger.tgtype, and how many columns it is limited to."""
    found = {}
    for match in (match for text in _written() for match in _TRIGGER.finditer(text)):
        words = (match["when"], match["level"], *match["events"].split(" OR "))
        kind = sum(_BITS.get(word, 0) for word in words)
        columns = len(match["columns"].split(",")) if match["columns"] else 0
        found[match["table"], match["name"]] = (match["function"], kind, columns)
    return found


def _written() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(_MIGRATIONS.glob("*.sql"))]
