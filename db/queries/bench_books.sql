-- A ledger to measure on: a year of captures of three legs for one tenant, with every guard on.

-- name: open_accounts!
-- One provider, one platform, and this many merchants.
INSERT INTO accounts (tenant, code, owner, currency, type)
SELECT 'bench', 'processor_receivable', 'sandbox', 'EUR', 'asset'
UNION ALL
SELECT 'bench', 'platform_fee_revenue', 'platform', 'EUR', 'revenue'
UNION ALL
SELECT 'bench', 'merchant_payable', 'm' || g, 'EUR', 'liability'
FROM generate_series(1, :merchants) AS g;

-- name: reserve_entries^
-- The numbers of the next entries, first and last.
SELECT
    nextval('entry_id_seq') AS first_id,
    setval('entry_id_seq', currval('entry_id_seq') + :entries - 1) AS last_id;

-- name: add_entries!
-- Evenly over 2025. One in a hundred happened up to forty days before it was written.
INSERT INTO entries (
    tenant, entry_id, rule, object_type, object_id, source, event_id, legs, effective_at, posted_at
)
SELECT
    'bench', g.id, 'card_captured', 'payment', 'p' || g.id, '/bench', 'e' || g.id, 3,
    w.at - CASE WHEN g.id % 100 = 0 THEN g.id % 40 * interval '1 day' ELSE interval '3 seconds' END,
    w.at
FROM generate_series(:first_id::bigint, :last_id::bigint) AS g (id)
CROSS JOIN LATERAL (
    SELECT timestamptz '2025-01-01Z' + g.id::double precision / :entries * interval '365 days' AS at
) AS w;

-- name: add_lines!
-- The provider owes the gross; merchants get the net, the first of them the most, the platform its fee.
INSERT INTO lines (tenant, entry_id, line, account_id, direction, amount_minor, currency)
SELECT 'bench', g.id, v.line, v.account_id, v.direction, v.amount_minor, 'EUR'
FROM generate_series(:first_id::bigint, :last_id::bigint) AS g (id)
CROSS JOIN LATERAL (
    SELECT
        1000 + g.id * 7919 % 9000 AS gross,
        1 + floor(:merchants * power(g.id * 48271 % 65537 / 65537.0, 3)) AS merchant
) AS w
CROSS JOIN LATERAL (
    VALUES
    (1, :provider::bigint, 1, w.gross),
    (2, (:merchant_ids::bigint[])[w.merchant::integer], -1, w.gross - w.gross / 40),
    (3, :platform::bigint, -1, w.gross / 40)
) AS v (line, account_id, direction, amount_minor);

-- name: add_balances!
-- What the lines come to.
INSERT INTO balances (tenant, account_id, stripe, debit_minor, credit_minor, lines)
SELECT
    l.tenant, l.account_id, 0,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0),
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0),
    count(*)
FROM lines AS l
GROUP BY l.tenant, l.account_id;

-- name: account_ids
-- The accounts with their numbers of lines.
SELECT a.account_id, a.code, a.owner, coalesce(b.lines, 0) AS lines
FROM accounts AS a
LEFT JOIN balances AS b ON b.account_id = a.account_id AND b.tenant = a.tenant
WHERE a.tenant = 'bench'
ORDER BY a.account_id;

-- name: close_half!
-- The books of the year's first half are closed.
INSERT INTO period_bounds (
    tenant, calendar, number, zone, unit, closed_before, soft_closed_before, step, period, set_at
)
VALUES (
    'bench', 'books', 1, 'UTC', 'month', '2025-07-01Z', '2025-07-01Z', 'close', '2025-06', clock_timestamp()
);

-- name: settle#
-- What autovacuum does on a server that runs for longer than a benchmark.
VACUUM (ANALYZE) lines, entries, balances, account_slices, account_sums, account_marks, closing_balances;

-- name: sizes
-- Bytes of each table and its indexes.
SELECT c.relname AS name, pg_table_size(c.oid) AS table_bytes, pg_indexes_size(c.oid) AS index_bytes
FROM pg_class AS c
WHERE c.relname IN ('lines', 'entries', 'account_slices', 'account_sums', 'account_marks')
ORDER BY c.relname;
