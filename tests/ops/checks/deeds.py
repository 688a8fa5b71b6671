"""What a superuser changes behind the guards' back, as a table: the deed, the laws it breaks, what is said of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to the database. `laws` are all that it breaks, `named` is part of what is said of it."""

    sql: str
    laws: set[int]
    named: str


DEEDS = [
    # the ledger
    Deed(
        "UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 1 AND line = 1",
        {1, 2, 4, 7},
        "entry 1 of acme is off by 1 minor units of EUR",
    ),
    Deed(
        "UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 1 AND line IN (1, 2)",
        {2, 4, 7},
        "entry 1 of acme has other lines than batch",
    ),
    Deed(
        "DELETE FROM lines WHERE entry_id = 1 AND line = 3",
        {1, 2, 4, 7},
        "entry 1 of acme has 2 lines, its header says 3",
    ),
    Deed(
        "UPDATE lines SET amount_minor = 19 WHERE entry_id = 1 AND line <= 2; DELETE FROM "
        "lines WHERE entry_id = 1 AND line = 3",
        {1, 2, 4, 7},
        "entry 1 of acme has 2 lines, its header says 3",
    ),
    Deed(
        "DELETE FROM lines WHERE entry_id = 1",
        {1, 2, 4, 7},
        "entry 1 of acme has 0 lines, its header says 3",
    ),
    Deed(
        "DELETE FROM entries WHERE entry_id = 1",
        {1, 4, 7},
        "3 lines of entry 1 of acme have no entry",
    ),
    Deed(
        "DELETE FROM lines WHERE entry_id = 1; DELETE FROM entries WHERE entry_id = 1",
        {2, 4, 7},
        "publishes entry 1 of acme, a missing one",
    ),
    Deed(
        "UPDATE lines SET direction = -direction WHERE entry_id = 1",
        {2, 4, 7},
        "entry 1 of acme has other lines than batch",
    ),
    Deed(
        "UPDATE lines SET account_id = (SELECT account_id FROM accounts WHERE currency = "
        "'JPY' LIMIT 1) WHERE entry_id = 1 AND line = 1",
        {1, 2, 4},
        "its account 4 is JPY of acme",
    ),
    Deed(
        "UPDATE balances SET credit_minor = credit_minor + 5 WHERE account_id = 1",
        {2},
        "balance of merchant_payable of m1 in EUR of acme (account 1)",
    ),
    Deed(
        "UPDATE balances SET lines = lines - 1 WHERE account_id = 1",
        {2},
        "balance of merchant_payable of m1 in EUR of acme",
    ),
    Deed(
        "DELETE FROM balances WHERE account_id = 1",
        {2},
        "debit 0, credit 0, 0 lines",
    ),
    Deed(
        "INSERT INTO balances SELECT tenant, 999, 0, 1, 1, 1 FROM accounts LIMIT 1",
        {2},
        "balance of an unknown account",
    ),
    Deed(
        "UPDATE accounts SET currency = 'XTS' WHERE account_id = 1",
        {1, 10},
        "account 1 (merchant_payable of acme) is in XTS",
    ),
    # what came in
    Deed(
        "UPDATE inbox SET outcome = 'duplicate' WHERE event_id = 's1'",
        {3},
        "entry 1 of acme follows from event s1 of /shops/a, which is duplicate",
    ),
    Deed(
        "UPDATE inbox SET outcome = 'applied' WHERE event_id = 's4'",
        {5},
        "event s4 of /shops/a of acme was refused 0 times and answered 1 times",
    ),
    Deed(
        "UPDATE inbox SET outcome = 'rejected' WHERE event_id = 's2'",
        {3, 5},
        "event s2 of /shops/a of acme was refused 1 times and answered 0 times",
    ),
    Deed(
        "UPDATE inbox SET outcome = 'parked' WHERE event_id = 'f1'",
        {12},
        "event f1 of /shops/a of acme is parked, but in no queue",
    ),
    Deed(
        "UPDATE inbox SET outcome = 'dead' WHERE event_id = 'f1'",
        {12},
        "event f1 of /shops/a of acme is dead, but no dead letter is open",
    ),
    Deed(
        "DELETE FROM inbox WHERE event_id = 's1'",
        {3, 12},
        "follows from event s1 of /shops/a, which is not in the inbox",
    ),
    Deed(
        "DELETE FROM inbox_conflicts",
        {5, 12},
        "event s1 of /shops/a of acme was refused 0 times and answered 1 times",
    ),
    Deed(
        "UPDATE inbox_conflicts SET body = (SELECT body FROM inbox WHERE event_id = 's1')",
        {3},
        "conflicting event s1 of /shops/a of acme at checkout.events/0/3 has the same body",
    ),
    Deed(
        'DELETE FROM dead_letters WHERE "offset" = 4',
        {12},
        "checkout.events: 19 received, but",
    ),
    Deed(
        "UPDATE intake SET received = received + 1 WHERE topic = 'provider.results'",
        {12},
        "provider.results: 8 received, but 7 applied",
    ),
    # what went out
    Deed(
        "DELETE FROM outbox_batches WHERE topic = 'rejections'",
        {4, 5},
        "was refused 1 times and answered 0 times",
    ),
    Deed(
        "DELETE FROM outbox_batches WHERE topic = 'payment.events' AND batch_id = 2",
        {4},
        "which is not in the outbox",
    ),
    Deed(
        "DELETE FROM outbox_batches WHERE topic = 'ledger.entries' AND batch_id = 2",
        {4},
        "entry 1 of acme is not in the outbox",
    ),
    Deed(
        "INSERT INTO outbox_batches SELECT batch_id + 9000, topic, events, keys, payloads, "
        "created_at, part FROM outbox_batches WHERE batch_id = 2",
        {3, 5},
        "is 2 times in the outbox, in batches 2 to 9002",
    ),
    Deed(
        "UPDATE outbox_batches SET events = events + 1 WHERE topic = 'ledger.entries' AND batch_id = 2",
        {4},
        "batch 2 counts 2 events for ledger.entries, but holds 1",
    ),
    Deed(
        "UPDATE relay_cursor SET published = published - 1",
        {4},
        "the relay published",
    ),
    # payments
    Deed(
        "UPDATE payments SET state = 'canceled' WHERE order_id = 'k5'",
        {5},
        "of acme is canceled at version 2; its transitions end in authorized at version 2",
    ),
    Deed(
        "UPDATE payments SET version = 9 WHERE order_id = 'k5'",
        {5},
        "is authorized at version 9",
    ),
    Deed(
        "DELETE FROM transitions WHERE version = 1 AND event = 'open_confirmed'",
        {4, 5},
        "transition 2 is number 1 and comes from processing after nothing",
    ),
    Deed(
        "DELETE FROM transitions WHERE event = 'complete'",
        {4, 5},
        "its transitions end in captured",
    ),
    Deed(
        "UPDATE transitions SET event = 'expire' WHERE event = 'record'",
        {5},
        "version 1: expire from nothing to succeeded is not in the table",
    ),
    Deed(
        "UPDATE transitions SET to_state = 'failed' WHERE event = 'decline'",
        {4, 5},
        "decline from processing to failed is not in the table",
    ),
    Deed(
        "UPDATE payments SET captured_minor = 1998 WHERE order_id = 'o1'",
        {7},
        "captured 1998, fee 80; posted 1999, fee 80 (minor EUR)",
    ),
    Deed(
        "UPDATE payments SET fee_minor = 0 WHERE order_id = 'o1'",
        {7},
        "fee 0; posted 1999, fee 80",
    ),
    Deed(
        "UPDATE payments SET currency = 'USD' WHERE order_id = 'o1'",
        {7},
        "posted 0, fee 0 (minor USD)",
    ),
    Deed(
        "UPDATE entries SET object_id = 'nobody' WHERE entry_id = 1",
        {7},
        "payment nobody of acme: amount 0",
    ),
    # provider calls
    Deed(
        "DELETE FROM provider_answers",
        {6},
        "is answered, but no answer is kept",
    ),
    Deed(
        "UPDATE provider_calls SET status = 'in_flight', claimed_by = 'g1', lease_until = "
        "now() - interval '1 hour' WHERE order_id = 'k5'",
        {6},
        "is with g1, whose lease ended at",
    ),
    Deed(
        "UPDATE provider_calls SET status = 'unknown' WHERE order_id = 'k5'",
        {6},
        "was answered, and yet it is unknown",
    ),
    Deed(
        'INSERT INTO provider_calls SELECT (jsonb_populate_record(c, \'{"tenant": '
        "\"other\"}')).* FROM provider_calls AS c WHERE c.order_id = 'k5'",
        {3, 6},
        "is used 2 times, by tenants",
    ),
    Deed(
        "UPDATE payments SET call_id = gen_random_uuid(), call_amount_minor = 0 WHERE order_id = 'k5'",
        {6},
        "which is not there",
    ),
    # money
    Deed(
        "UPDATE payments SET currency = 'XAU' WHERE order_id = 'k5'",
        {10},
        "is in XAU",
    ),
    Deed(
        "ALTER TABLE fee_schedules ADD COLUMN cap_minor double precision",
        {10},
        "column fee_schedules.cap_minor is double precision",
    ),
]
"""With the guards out of the way."""

BREACHES = [
    Deed(
        "ALTER TABLE lines DISABLE TRIGGER lines_balance",
        {9},
        "trigger lines_balance on lines is disabled",
    ),
    Deed(
        "ALTER TABLE entries ENABLE TRIGGER entries_append_only",
        {9},
        "trigger entries_append_only on entries is off in replica sessions",
    ),
    Deed(
        "DROP TRIGGER transitions_append_only ON transitions",
        {9},
        "trigger transitions_append_only on transitions is missing",
    ),
    Deed(
        "ALTER TABLE inbox DISABLE TRIGGER inbox_keeps_messages",
        {8},
        "trigger inbox_keeps_messages on inbox is disabled",
    ),
    Deed(
        "CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RETURN NULL; END $$",
        {9},
        "function refuse_rewrite is rewritten",
    ),
    Deed(
        "GRANT UPDATE ON lines TO counterfoil_app",
        {9},
        "counterfoil_app may UPDATE lines",
    ),
    Deed(
        "GRANT UPDATE (amount_minor) ON lines TO counterfoil_app",
        {9},
        "counterfoil_app may UPDATE amount_minor of lines",
    ),
    Deed(
        "GRANT DELETE ON inbox TO counterfoil_read",
        {9},
        "counterfoil_read may DELETE inbox",
    ),
    Deed(
        "GRANT TRIGGER ON lines TO counterfoil_tenant",
        {9},
        "counterfoil_tenant may TRIGGER lines",
    ),
    Deed(
        "ALTER TABLE entries OWNER TO counterfoil_app",
        {9},
        "entries is owned by counterfoil_app, not by counterfoil_owner",
    ),
]
"""Of the guards themselves."""
