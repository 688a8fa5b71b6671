-- The journal on its way out: to plain-text accounting, to a warehouse, to an accounting system in batches.

-- name: tenants
-- Whose books there are.
SELECT DISTINCT a.tenant FROM accounts AS a ORDER BY a.tenant;

-- name: opened_accounts
-- A tenant's accounts that were used before a moment, when first, and what they held then.
SELECT
    a.account_id, a.code, a.owner, a.currency, a.type,
    min(CASE :basis WHEN 'effective' THEN e.effective_at ELSE e.posted_at END) AS opened_at,
    sum(l.amount_minor * l.direction)::bigint AS held_minor
FROM accounts AS a
INNER JOIN lines AS l ON l.account_id = a.account_id AND l.tenant = a.tenant
INNER JOIN entries AS e ON e.entry_id = l.entry_id AND e.tenant = l.tenant
WHERE a.tenant = :tenant
    AND CASE :basis WHEN 'effective' THEN e.effective_at ELSE e.posted_at END < :before
GROUP BY a.account_id
ORDER BY a.type, a.code, a.owner, a.currency;

-- name: journal
-- All lines of a tenant before a moment, entry by entry in order of their date.
SELECT
    CASE :basis WHEN 'effective' THEN e.effective_at ELSE e.posted_at END AS at,
    l.tenant, l.entry_id, l.line, e.rule, e.object_type, e.object_id, e.source, e.event_id,
    e.effective_at, e.posted_at, a.account_id, a.code AS account, a.owner, a.type, l.direction,
    l.amount_minor, l.currency
FROM lines AS l
INNER JOIN entries AS e ON e.entry_id = l.entry_id AND e.tenant = l.tenant
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE (:tenant::text IS NULL OR l.tenant = :tenant)
    AND CASE :basis WHEN 'effective' THEN e.effective_at ELSE e.posted_at END < :before
ORDER BY at, l.entry_id, l.line;

-- name: accounts
-- Every account, of one tenant or of all.
SELECT a.tenant, a.account_id, a.code AS account, a.owner, a.currency, a.type, a.created_at
FROM accounts AS a
WHERE :tenant::text IS NULL OR a.tenant = :tenant
ORDER BY a.account_id;

-- name: lock_batches
-- One exporter of a tenant at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(17744, hashtext(:tenant));

-- name: last_batch^
-- The tenant's last batch.
SELECT b.batch, b.last_entry_id FROM journal_batches AS b
WHERE b.tenant = :tenant
ORDER BY b.batch DESC
LIMIT 1;

-- name: batches
-- A tenant's batches, all or one.
SELECT
    b.tenant, b.batch, b.format, b.after_entry_id, b.last_entry_id, b.entries, b.lines, b.totals, b.sha256,
    b.created_at
FROM journal_batches AS b
WHERE b.tenant = :tenant AND (:batch::bigint IS NULL OR b.batch = :batch)
ORDER BY b.batch;

-- name: end_of_batch$
-- The last of the tenant's next `most` entries among those that are settled; NULL when there are none.
SELECT max(e.entry_id)
FROM (
    SELECT d.entry_id FROM entries AS d
    WHERE d.tenant = :tenant AND d.entry_id > :after AND d.entry_id <= :settled
    ORDER BY d.entry_id
    LIMIT :most
) AS e;

-- name: batch_lines
-- The lines of a batch in the order in which they stand in its file.
SELECT
    l.tenant, l.entry_id, l.line, e.effective_at, e.posted_at, e.rule, e.object_type, e.object_id, e.source,
    e.event_id, a.code AS account, a.owner, a.type, l.direction, l.amount_minor, l.currency
FROM entries AS e
INNER JOIN lines AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE e.tenant = :tenant AND e.entry_id > :after AND e.entry_id <= :last
ORDER BY l.entry_id, l.line;

-- name: add_batch!
-- From now on these entries are exported.
INSERT INTO journal_batches (
    tenant, batch, format, after_entry_id, last_entry_id, entries, lines, totals, sha256
) VALUES (:tenant, :batch, :format, :after, :last, :entries, :lines, :totals, :sha256);

-- name: wrong_batches
-- Batches whose control totals are not what their entries come to now: an entry came late, or was changed.
SELECT format('batch %s of %s does not hold what its entries come to', b.batch, b.tenant) AS offender
FROM journal_batches AS b
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(c.lines), 0) AS lines,
        jsonb_object_agg(
            c.currency, jsonb_build_object('debit_minor', c.debit, 'credit_minor', c.credit, 'lines', c.lines)
        ) AS totals
    FROM (
        SELECT
            l.currency, count(*) AS lines,
            sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
            sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit
        FROM lines AS l
        WHERE l.tenant = b.tenant AND l.entry_id > b.after_entry_id AND l.entry_id <= b.last_entry_id
        GROUP BY l.currency
    ) AS c
) AS n
CROSS JOIN LATERAL (
    SELECT count(*) AS entries FROM entries AS e
    WHERE e.tenant = b.tenant AND e.entry_id > b.after_entry_id AND e.entry_id <= b.last_entry_id
) AS d
WHERE (b.entries, b.lines, b.totals) IS DISTINCT FROM (d.entries, n.lines, n.totals);
