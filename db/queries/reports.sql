-- What finance and support people ask for. Amounts are minor units.

-- name: trial_balance
-- Debits, credits and balance of each account code, per tenant and currency.
SELECT
    a.tenant, a.currency, a.code, a.type,
    count(DISTINCT a.account_id) AS accounts,
    sum(b.debit_minor) AS debit_minor,
    sum(b.credit_minor) AS credit_minor,
    sum(b.lines) AS lines
FROM accounts AS a
INNER JOIN balances AS b ON b.tenant = a.tenant AND b.account_id = a.account_id
WHERE (:tenant::text IS NULL OR a.tenant = :tenant) AND (:currency::text IS NULL OR a.currency = :currency)
GROUP BY a.tenant, a.currency, a.code, a.type
ORDER BY
    a.tenant, a.currency,
    array_position(ARRAY['asset', 'expense', 'liability', 'equity', 'revenue'], a.type), a.code;

-- name: balances
-- The materialized balances of an account code.
SELECT
    a.tenant, a.account_id, a.code, a.owner, a.currency, a.type,
    coalesce(sum(b.debit_minor), 0) AS debit_minor,
    coalesce(sum(b.credit_minor), 0) AS credit_minor,
    coalesce(sum(b.lines), 0) AS lines
FROM accounts AS a
LEFT JOIN balances AS b ON b.tenant = a.tenant AND b.account_id = a.account_id
WHERE a.code = :code
    AND (:tenant::text IS NULL OR a.tenant = :tenant)
    AND (:owner::text IS NULL OR a.owner = :owner)
    AND (:currency::text IS NULL OR a.currency = :currency)
GROUP BY a.account_id
ORDER BY a.tenant, a.owner, a.currency;

-- name: balances_from_lines
-- The same accounts, their balances summed up from their lines.
SELECT
    a.tenant, a.account_id, a.code, a.owner, a.currency, a.type,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0) AS debit_minor,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0) AS credit_minor,
    count(l.line) AS lines
FROM accounts AS a
LEFT JOIN lines AS l ON l.tenant = a.tenant AND l.account_id = a.account_id
WHERE a.code = :code
    AND (:tenant::text IS NULL OR a.tenant = :tenant)
    AND (:owner::text IS NULL OR a.owner = :owner)
    AND (:currency::text IS NULL OR a.currency = :currency)
GROUP BY a.account_id
ORDER BY a.tenant, a.owner, a.currency;

-- name: parked_messages
-- What waits, oldest first, with its place in the queue of its key.
SELECT
    p.tenant, p.topic, p.key, p.source, p.event_id, p.reason, p.detail, p.waits_for, p.tries, p.parked_at,
    p.due_at
FROM parked AS p
WHERE :topic::text IS NULL OR p.topic = :topic
ORDER BY p.parked_at, p.parked_id
LIMIT :most;

-- name: count_parked$
-- How many wait.
SELECT count(*) FROM parked AS p WHERE :topic::text IS NULL OR p.topic = :topic;

-- name: dead_letters
-- Dead letters, newest first; without those that were replayed unless `all` is true.
SELECT
    d.dead_letter_id, d.topic, d.partition, d."offset", d.reason, d.detail, d.tenant, d.source, d.event_id,
    d.masked, d.dead_at, d.replayed_at
FROM dead_letters AS d
WHERE (:topic::text IS NULL OR d.topic = :topic) AND (:reason::text IS NULL OR d.reason = :reason)
    AND (:replayed_too::boolean OR d.replayed_at IS NULL)
ORDER BY d.dead_letter_id DESC
LIMIT :most;

-- name: count_dead_letters$
-- How many dead letters the same question finds.
SELECT count(*)
FROM dead_letters AS d
WHERE (:topic::text IS NULL OR d.topic = :topic) AND (:reason::text IS NULL OR d.reason = :reason)
    AND (:replayed_too::boolean OR d.replayed_at IS NULL);

-- name: dead_letter^
-- One dead letter, whole.
SELECT d.* FROM dead_letters AS d WHERE d.dead_letter_id = :dead_letter_id;
