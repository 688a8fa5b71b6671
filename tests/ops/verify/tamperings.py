"""What an intruder does to history, and who says what of it. `v` in the table `victim` is the entry of order o2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Tampering:
    """A deed; `{entry}` in what is told is the number of the victim, or of the newest entry before or after it."""

    name: str
    sql: str
    told: str
    entry: Literal["victim", "newest before", "newest after"] = "victim"
    found_by: Literal["verify", "check", "head"] = "verify"


SET_THE_SCENE = (
    "CREATE TEMP TABLE victim AS SELECT e.entry_id AS v FROM entries AS e INNER JOIN payments AS p"
    " ON e.object_id = p.payment_id::text WHERE p.order_id = 'o2'"
)

_COPY = (
    "INSERT INTO entries SELECT e.tenant, nextval('entry_id_seq'), e.rule, e.object_type, e.object_id, e.source,"
    " e.event_id, e.legs, e.effective_at, e.posted_at, {xid} FROM entries AS e, victim WHERE e.entry_id = v;"
    " INSERT INTO lines SELECT l.tenant, currval('entry_id_seq'), l.line, l.account_id, l.direction, l.amount_minor,"
    " l.currency FROM lines AS l, victim WHERE l.entry_id = v;"
)
"""The victim once more, lines and all."""

_RENAME = "UPDATE entries SET tenant = 'globex' WHERE entry_id = currval('entry_id_seq')"

TAMPERINGS = [
    Tampering(
        "edit an amount, on both sides",
        "UPDATE lines SET amount_minor = amount_minor * 10 FROM victim WHERE entry_id = v",
        "entry {entry} of acme was changed since it was sealed (block 2, position 2)",
    ),
    Tampering(
        "delete a line",
        "DELETE FROM lines USING victim WHERE line = 2 AND entry_id = v",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "insert a balanced pair into an entry",
        "INSERT INTO lines SELECT l.tenant, l.entry_id, 100 + n, l.account_id, 3 - 2 * n, 5, l.currency"
        " FROM lines AS l, victim, generate_series(1, 2) AS n WHERE l.line = 1 AND l.entry_id = v",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "swap two lines' accounts",
        "UPDATE lines AS l SET account_id = o.account_id FROM lines AS o, victim"
        " WHERE l.entry_id = v AND o.entry_id = v AND (l.line, o.line) IN ((1, 2), (2, 1))",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "swap two accounts' names",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_tenant_code_owner_currency_key;"
        " UPDATE accounts AS a SET code = b.code, owner = b.owner FROM accounts AS b, lines AS l, lines AS o, victim"
        " WHERE l.entry_id = v AND o.entry_id = v AND (l.line, o.line) IN ((1, 2), (2, 1))"
        " AND a.account_id = l.account_id AND b.account_id = o.account_id",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "edit a header",
        "UPDATE entries SET effective_at = effective_at - interval '1 month' FROM victim WHERE entry_id = v",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "edit a balance",
        "UPDATE balances AS b SET debit_minor = debit_minor + 1 FROM lines AS l, victim"
        " WHERE l.line = 1 AND l.entry_id = v AND b.account_id = l.account_id",
        "debit 1501, credit 0, 1 lines; lines say 1500, 0, 1",
        found_by="check",
    ),
    Tampering(
        "remove an entry whole",
        "DELETE FROM lines USING victim WHERE entry_id = v; DELETE FROM entries USING victim WHERE entry_id = v",
        "entry {entry} of acme was removed or moved since it was sealed (block 2, position 2)",
    ),
    Tampering(
        "drop a trigger, then insert into the past",
        _COPY.format(xid="xid"),
        "entry {entry} of acme was inserted or moved since block 2 was sealed, which lacks it",
        "newest after",
    ),
    Tampering(
        "drop a trigger, then insert before all",
        _COPY.format(xid="'3'"),
        "entry {entry} of acme was inserted or moved since block 1 was sealed, which lacks it",
        "newest after",
    ),
    Tampering(
        "insert under another tenant's name",
        _COPY.format(xid="xid") + _RENAME,
        "entry {entry} of globex is in no block, but its transaction is of an earlier round",
        "newest after",
    ),
    Tampering(
        "insert as if it were new, under a message that was applied",
        _COPY.format(xid="pg_current_xact_id()"),
        "entry {entry} of acme is not in the outbox",
        "newest after",
        "check",
    ),
    Tampering(
        "reorder: swap two entries' numbers",
        "UPDATE entries SET entry_id = -1 FROM victim WHERE entry_id = v;"
        " UPDATE entries SET entry_id = v FROM victim WHERE entry_id = v + 1;"
        " UPDATE entries SET entry_id = v + 1 FROM victim WHERE entry_id = -1",
        "entry {entry} of acme was changed",
    ),
    Tampering(
        "reorder: say that an entry was written later",
        "UPDATE entries SET xid = (SELECT max(xid::text::bigint) FROM entries)::text::xid8 FROM victim"
        " WHERE entry_id = v",
        "entry {entry} of acme was removed or moved since it was sealed (block 2, position 2)",
    ),
    Tampering(
        "reorder: swap two blocks' places",
        "UPDATE chain_blocks SET number = 1000 - number WHERE number IN (1, 2);"
        " UPDATE chain_blocks SET number = number - 997 WHERE number > 900",
        "block 1 of acme is at position 2, in the place of block 3 at 2",
    ),
    Tampering(
        "truncate the tail of the book",
        "DELETE FROM lines WHERE entry_id = (SELECT max(entry_id) FROM entries);"
        " DELETE FROM entries WHERE entry_id = (SELECT max(entry_id) FROM entries)",
        "entry {entry} of acme was removed or moved since it was sealed",
        "newest before",
    ),
    Tampering(
        "truncate the tail of book and chain",
        "DELETE FROM entries WHERE entry_id = any(ARRAY(SELECT unnest(entry_ids) FROM chain_blocks WHERE number > 2));"
        " DELETE FROM lines WHERE entry_id NOT IN (SELECT entry_id FROM entries);"
        " DELETE FROM chain_blocks WHERE number > 2",
        "the chain of acme ends at block 2, position 3; it was exported with block 3, up to entry {entry}",
        "newest before",
        "head",
    ),
    Tampering(
        "truncate the tail of book and chain, without a head",
        "DELETE FROM entries WHERE entry_id = any(ARRAY(SELECT unnest(entry_ids) FROM chain_blocks WHERE number > 2));"
        " DELETE FROM lines WHERE entry_id NOT IN (SELECT entry_id FROM entries);"
        " DELETE FROM chain_blocks WHERE number > 2",
        "publishes entry {entry} of acme, a missing one",
        "newest before",
        "check",
    ),
    Tampering(
        "remove a block",
        "DELETE FROM chain_blocks WHERE number = 2",
        "blocks 2 to 2 of acme are missing, with positions 2 to 3",
    ),
    Tampering(
        "remove a block: its entries are named",
        "DELETE FROM chain_blocks WHERE number = 2",
        "entry {entry} of acme was inserted or moved since block 3 was sealed, which lacks it",
    ),
]
