-- What a benchmark asks of the database it runs on.

-- name: is_used$
-- Whether the database has taken in any message.
SELECT exists(SELECT FROM inbox);

-- name: hold_workers!
-- Keeps workers from taking anything in until this transaction ends.
LOCK TABLE intake IN ACCESS EXCLUSIVE MODE;

-- name: workers_held$
-- How many workers wait for that with a batch in their hands.
SELECT count(*) FROM pg_locks AS l WHERE l.relation = 'intake'::regclass AND NOT l.granted;

-- name: relay_leads$
-- Whether a relay leads; see try_lead.
SELECT exists(
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.classid = 17742 AND l.objid = 1 AND l.granted
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
);

-- name: clock$
-- The server's clock.
SELECT clock_timestamp();

-- name: progress^
-- How many messages of a topic are taken in, how many events are published, and whether any is left.
SELECT
    (SELECT coalesce(sum(i.received), 0)::bigint FROM intake AS i WHERE i.topic = :topic) AS received,
    (SELECT coalesce(sum(i.redelivered), 0)::bigint FROM intake AS i WHERE i.topic = :topic) AS redelivered,
    c.published,
    NOT EXISTS (SELECT FROM outbox_batches AS o WHERE o.batch_id > c.batch_id) AS all_published,
    c.batch_id,
    c.moved_at
FROM relay_cursor AS c
WHERE c.relay = 'outbox';

-- name: batches^
-- Transactions after one, with payments of a tenant, and how many messages one took in.
SELECT count(*) AS batches, coalesce(avg(b.messages), 0)::double precision AS mean_size
FROM (
    SELECT count(*) AS messages
    FROM inbox AS i
    WHERE i.tenant = :tenant AND i.type = :type AND i.batch_id > :after
    GROUP BY i.batch_id
) AS b;

-- name: outcomes
-- What became of a topic's messages.
SELECT i.outcome, count(*) AS messages
FROM inbox AS i
WHERE i.topic = :topic
GROUP BY i.outcome
ORDER BY i.outcome;

-- name: paid
-- Succeeded payments of a tenant, and what they took, by currency.
SELECT p.currency, count(*) AS payments, sum(p.captured_minor)::bigint AS captured_minor
FROM payments AS p
WHERE p.tenant = :tenant AND p.state = 'succeeded'
GROUP BY p.currency;

-- name: count_entries$
-- Entries of a tenant.
SELECT count(*) FROM entries AS e WHERE e.tenant = :tenant;

-- name: trial_balance
-- Debits less credits, by currency.
SELECT a.currency, sum(b.debit_minor - b.credit_minor)::bigint AS off_by_minor
FROM balances AS b
INNER JOIN accounts AS a ON a.account_id = b.account_id
GROUP BY a.currency
ORDER BY a.currency;

-- name: durability^
-- The settings on which durability rests, as they are in this session.
SELECT
    current_setting('server_version') AS server_version,
    current_setting('fsync') AS fsync,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('full_page_writes') AS full_page_writes;

-- name: time_functions!
-- Has new sessions count the time of functions in plpgsql; the guards are such functions.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET track_functions = pl', current_database()); END $$;

-- name: function_times
-- What was counted.
SELECT f.funcname AS name, f.calls, f.self_time AS self_ms
FROM pg_stat_user_functions AS f
ORDER BY f.self_time DESC;

-- name: taken_in
-- When the transaction that took in each payment began, in which batch and from which partition it came.
SELECT i.event_id, i.batch_id, i.partition, i.received_at
FROM inbox AS i
WHERE i.tenant = :tenant AND i.type = :type
ORDER BY i.batch_id;
