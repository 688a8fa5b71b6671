"""What a forger does who knows the books, and keeps everything else in step; and who says what of it.

`{late}` and such are numbers of entries, `{closing}` that of a closing; `NAMES` says of which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

NAMES: Final = {
    "october": "SELECT entry_id FROM entries WHERE event_id = 's1' AND tenant = 'acme'",
    "late": "SELECT entry_id FROM entries WHERE event_id = 'late'",
    "manual": "SELECT entry_id FROM entries WHERE event_id = 'j1-approved'",
    "other_manual": "SELECT entry_id FROM entries WHERE event_id = 'j2-approved'",
    "reversal": "SELECT entry_id FROM entries WHERE event_id = 'r1-approved'",
    "spent": "SELECT entry_id FROM entries WHERE event_id = 'p1'",
    "held": "SELECT entry_id FROM entries WHERE event_id = 'hp1'",
    "closing": "SELECT number FROM period_closings",
    "newest": "SELECT max(entry_id) FROM entries",
}
"""Name -> the number that it stands for."""


@dataclass(frozen=True)
class Forgery:
    """A deed; `told` is part of what one of them says."""

    name: str
    sql: str
    told: str
    found_by: Literal["verify", "check", "replay"] = "check"


_OUTBOX: Final = "UPDATE outbox_batches SET payloads = replace(payloads, '{0}', '{1}');"
_INBOX: Final = (
    "UPDATE inbox SET body = convert_to(replace(convert_from(body, 'UTF8'), '{0}', '{1}'), 'UTF8');"
)

FORGERIES: Final = (
    # snapshots: closings, slices and their sums
    Forgery(
        "edit snapshot: what an account held at a closing",
        "UPDATE closing_balances SET debit_minor = debit_minor + 1 WHERE debit_minor > 0",
        "closing {closing} of acme: account ",
    ),
    Forgery(
        "edit snapshot: by a balanced pair",
        "UPDATE closing_balances SET debit_minor = debit_minor + 7 WHERE debit_minor > 0;"
        " UPDATE closing_balances SET credit_minor = credit_minor + 7 WHERE account_id ="
        " (SELECT min(account_id) FROM closing_balances WHERE credit_minor > 0)",
        "closing {closing} of acme: account ",
    ),
    Forgery(
        "edit snapshot: remove an account, and count one less",
        "UPDATE period_closings SET accounts = accounts - 1, lines = lines - (SELECT lines FROM closing_balances"
        " ORDER BY account_id LIMIT 1); DELETE FROM closing_balances WHERE account_id ="
        " (SELECT min(account_id) FROM closing_balances)",
        "was taken with 0 and 0 (0 lines)",
    ),
    Forgery(
        "edit snapshot: remove the closing whole",
        "DELETE FROM closing_balances; DELETE FROM period_closings",
        "period 2026-10 of acme was closed at",
    ),
    Forgery(
        "edit snapshot: skip an account's lines after the closing",
        "UPDATE closing_balances SET from_entry_id = 1000000",
        "has nothing later before entry 1000000, but entry ",
    ),
    Forgery(
        "edit snapshot: a slice, and its sums",
        "UPDATE account_slices SET debit_minor = debit_minor + 1 WHERE debit_minor > 0;"
        " UPDATE account_sums AS s SET debit_minor = d.debit FROM (SELECT account_id, basis, sum(debit_minor) AS debit"
        " FROM account_slices GROUP BY account_id, basis) AS d WHERE d.account_id = s.account_id"
        " AND d.basis = s.basis AND s.span = 'month'",
        "the slice of account ",
    ),
    Forgery(
        "edit snapshot: a sum alone",
        "UPDATE account_sums SET credit_minor = credit_minor + 1",
        "in its slices",
    ),
    Forgery(
        "edit snapshot: pretend that more is in slices",
        "UPDATE account_marks SET entry_id = entry_id + 1, lines = lines + 1",
        "up to entry ",
    ),
    # dates and periods
    Forgery(
        "move an entry's posting date over the end of a period",
        "UPDATE entries SET posted_at = posted_at - interval '2 months' WHERE entry_id = {october}",
        "entry {october} of acme was changed",
        "verify",
    ),
    Forgery(
        "move a late entry into the closed period that it came from",
        "UPDATE entries SET effective_at = '2026-10-20 10:00Z' WHERE entry_id = {late};"
        " DELETE FROM entry_origins WHERE entry_id = {late}",
        "entry {late} of acme was changed",
        "verify",
    ),
    Forgery(
        "the same, as check sees it",
        "UPDATE entries SET effective_at = '2026-10-20 10:00Z' WHERE entry_id = {late};"
        " DELETE FROM entry_origins WHERE entry_id = {late}",
        "entry {late} of acme is effective 2026-10-20 10:00:00+00 and was written after the books were closed",
    ),
    Forgery(
        "edit where a late entry came from",
        "UPDATE entry_origins SET origin_effective_at = '2026-10-02 10:00Z'",
        "entry {late} of acme came late from 2026-10-02",
    ),
    Forgery(
        "edit where a late entry came from, and what was published of it",
        "UPDATE entry_origins SET origin_effective_at = '2026-10-02 10:00Z';"  # noqa: S608 - a forger's
        + _OUTBOX.format("2026-10-20T10:00:00+00:00", "2026-10-02T10:00:00+00:00"),
        "origin_effective_at is '2026-10-02",
        "replay",
    ),
    Forgery(
        "forget that an entry came late",
        "DELETE FROM entry_origins",
        "entry {late} of acme came late from nowhere",
    ),
    Forgery(
        "open a period that was closed",
        "UPDATE period_bounds SET closed_before = NULL, soft_closed_before = NULL",
        "is closed, but the books are closed before nothing",
    ),
    # whole stories, in step
    Forgery(
        "ten times an amount in ledger, balances, outbox and inbox",
        "UPDATE lines SET amount_minor = amount_minor * 10 WHERE entry_id = {manual};"  # noqa: S608 - a forger's
        " UPDATE journal_lines SET amount_minor = amount_minor * 10 WHERE amount_minor = 700;"
        " UPDATE balances AS b SET (debit_minor, credit_minor) = (SELECT coalesce(sum(amount_minor)"
        " FILTER (WHERE direction = 1), 0), coalesce(sum(amount_minor) FILTER (WHERE direction = -1), 0)"
        " FROM lines AS l WHERE l.account_id = b.account_id);"
        + _OUTBOX.format('"amount_minor":700,', '"amount_minor":7000,')
        + _INBOX.format('"amount_minor":700,', '"amount_minor":7000,'),
        "entry {manual} of acme was changed",
        "verify",
    ),
    Forgery(
        "remove an entry with its lines, balances, outbox and message",
        "DELETE FROM lines WHERE entry_id = {october}; DELETE FROM entries WHERE entry_id = {october};"
        " DELETE FROM outbox_batches WHERE position('\"entry_id\":{october},' in payloads) > 0;"
        " DELETE FROM inbox WHERE event_id = 's1'",
        "entry {october} of acme was removed or moved",
        "verify",
    ),
    Forgery(
        "swap two tenants in the books",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_tenant_code_owner_currency_key;"
        " UPDATE accounts SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE lines SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE entries SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE balances SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END",
        "entry {october} of acme was removed or moved",
        "verify",
    ),
    Forgery(
        "swap two tenants in the books and in the chain",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_tenant_code_owner_currency_key;"
        " UPDATE accounts SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE lines SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE entries SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE balances SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END;"
        " UPDATE chain_blocks SET tenant = 'x' || tenant;"
        " UPDATE chain_blocks SET tenant = CASE tenant WHEN 'xacme' THEN 'globex' ELSE 'acme' END",
        "entry {october} of globex was changed",
        "verify",
    ),
    # what people did
    Forgery(
        "say that somebody else approved a journal",
        "UPDATE journals SET decided_by = 'mallory' WHERE journal_id = 'j1'",
        "decided_by is 'mallory'",
        "replay",
    ),
    Forgery(
        "say that a posted journal was refused",
        "UPDATE journals SET state = 'refused' WHERE journal_id = 'j1'",
        "is refused at version 2; its transitions end in posted",
    ),
    Forgery(
        "edit what a journal asked for",
        "UPDATE journal_lines SET amount_minor = amount_minor + 1 WHERE amount_minor = 700",
        "has 700 EUR in 1 lines, approved were 701 in 1",
    ),
    Forgery(
        "say that a reversal was of another entry",
        "UPDATE entry_links SET linked_entry_id = {other_manual}, root_entry_id = {other_manual}",
        "entry {other_manual} of acme: the entries that reverse it come to ",
    ),
    Forgery(
        "forget that an entry was reversed",
        "DELETE FROM entry_links; DELETE FROM entry_reversals",
        "entry {reversal} of acme is booked by entry_reversal and belongs to nothing",
    ),
    Forgery(
        "edit what was posted of a hold",
        "UPDATE holds SET posted_minor = posted_minor - 1",
        "has posted 99, the books say 100",
    ),
    Forgery(
        "edit what a hold keeps, and the account with it",
        "UPDATE holds SET parts = jsonb_set(parts, '{0,amount_minor}', '49');"
        " UPDATE wallet_buckets SET held_minor = held_minor - 1 WHERE held_minor > 0",
        "keeps 49 of 150, of which 100 are posted",
    ),
    Forgery(
        "edit what an account of a wallet keeps",
        "UPDATE wallet_buckets SET held_minor = 0 WHERE held_minor > 0",
        "keeps 0, its holds say 50",
    ),
    Forgery(
        "edit how far an account of a wallet may be overdrawn",
        "UPDATE wallet_buckets SET overdraft_minor = 5000 WHERE account = 'prepaid_balance'",
        "and may be overdrawn by 5000",
    ),
    Forgery(
        "edit the balance of an account of a wallet",
        "UPDATE balances AS b SET credit_minor = credit_minor + 5 FROM wallet_buckets AS w"
        " WHERE w.account_id = b.account_id AND w.account = 'prepaid_balance'",
        "balance of prepaid_balance of cus_7 in EUR of acme",
    ),
    Forgery(
        "edit a spending, between two accounts of one wallet",
        "UPDATE lines SET account_id = (SELECT account_id FROM wallet_buckets WHERE account = 'prepaid_balance')"
        " WHERE entry_id = {spent} AND direction = 1",
        "entry {spent} of acme was changed",
        "verify",
    ),
)

UNDER_GUARD: Final = (
    Forgery(
        "switch a guard off, forge, and switch it on again",
        "ALTER TABLE lines DISABLE TRIGGER lines_append_only; UPDATE lines SET amount_minor = amount_minor * 10"
        " WHERE entry_id = {manual}; ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_append_only",
        "entry {manual} of acme was changed",
        "verify",
    ),
    Forgery(
        "switch a guard on again, but not for replicas",
        "ALTER TABLE lines DISABLE TRIGGER lines_append_only; ALTER TABLE lines ENABLE TRIGGER lines_append_only",
        "lines_append_only",
    ),
    Forgery(
        "empty a guard's body",
        "CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "refuse_rewrite",
    ),
    Forgery(
        "hang another body under a guard's name",
        "CREATE FUNCTION kind() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        " DROP TRIGGER lines_append_only ON lines; CREATE TRIGGER lines_append_only BEFORE UPDATE ON lines"
        " FOR EACH STATEMENT EXECUTE FUNCTION kind(); ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_append_only",
        "lines_append_only",
    ),
    Forgery(
        "let a guard look away by a condition",
        "DROP TRIGGER lines_append_only ON lines; CREATE TRIGGER lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON lines FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION refuse_rewrite();"
        " ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_append_only",
        "lines_append_only",
    ),
    Forgery(
        "let a guard see inserts only",
        "DROP TRIGGER lines_append_only ON lines; CREATE TRIGGER lines_append_only BEFORE INSERT"
        " ON lines FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();"
        " ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_append_only",
        "lines_append_only",
    ),
    Forgery(
        "have a rule write instead",
        "CREATE RULE quiet AS ON INSERT TO lines DO INSTEAD NOTHING",
        "rule quiet on lines is not of the migrations",
    ),
    Forgery(
        "have a trigger of one's own change what is written",
        "CREATE FUNCTION tithe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.amount_minor := 1; RETURN NEW; END';"
        " CREATE TRIGGER a_tithe BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION tithe()",
        "trigger a_tithe on lines is not of the migrations",
    ),
)
"""Done while the triggers stand: what is left of it afterwards."""
