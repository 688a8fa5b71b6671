-- Replaying the inbox into a scratch database, and comparing the two by content.

-- name: create_scratch$
-- The statement that creates a database of this name.
SELECT format('CREATE DATABASE %I', :name::text);

-- name: hasten_scratch$
-- The statement that has it lose its last commits in a crash, which nobody would mind.
SELECT format('ALTER DATABASE %I SET synchronous_commit = off', :name::text);

-- name: drop_scratch$
-- The statement that drops it, whoever is connected.
SELECT format('DROP DATABASE %I WITH (FORCE)', :name::text);

-- name: count_decided$
-- How many messages had an effect or an answer.
SELECT count(*) FROM inbox AS i WHERE i.outcome IN ('applied', 'rejected', 'duplicate');

-- name: decided_messages
-- Messages in the order in which they were decided, batch by batch, each with its batch's time: that of what
-- it published, or else the one from which its commands' keys expire; a batch without either has the time at
-- which its messages came.
SELECT
    i.batch_id, i.topic, i.partition, i."offset", i.body,
    coalesce(
        o.created_at,
        max(k.expires_at - :key_lifetime::interval) OVER (PARTITION BY i.batch_id),
        i.received_at
    ) AS decided_at
FROM inbox AS i
LEFT JOIN (
    SELECT b.batch_id, max(b.created_at) AS created_at FROM outbox_batches AS b GROUP BY b.batch_id
) AS o ON o.batch_id = i.batch_id
LEFT JOIN idempotency_keys AS k ON k.tenant = i.tenant AND k.source = i.source AND k.event_id = i.event_id
WHERE i.outcome IN ('applied', 'rejected', 'duplicate')
ORDER BY i.batch_id, i.topic, i.partition, i."offset";

-- name: test_clock_times
-- What the test clocks said in each batch: the time of the events that it published, or of the calls it made.
SELECT t.batch_id, t.tenant, max(t.at) AS now_at
FROM (
    SELECT o.batch_id, p.event::json ->> 'tenant' AS tenant, (p.event::json ->> 'time')::timestamptz AS at
    FROM outbox_batches AS o
    CROSS JOIN LATERAL unnest(string_to_array(o.payloads, E'\n')) AS p (event)
    WHERE o.topic = any(:topics::text[])
        AND o.batch_id IN (SELECT i.batch_id FROM inbox AS i INNER JOIN clocks AS k ON k.tenant = i.tenant)
    UNION ALL
    SELECT i.batch_id, i.tenant, c.created_at
    FROM provider_calls AS c
    INNER JOIN inbox AS i ON i.tenant = c.tenant AND i.source = c.source AND i.event_id = c.event_id
) AS t
INNER JOIN clocks AS c ON c.tenant = t.tenant
GROUP BY t.batch_id, t.tenant;

-- name: set_test_clock!
-- The clocks as they were.
INSERT INTO clocks (tenant, now_at)
SELECT * FROM unnest(:tenants::text[], :times::timestamptz[])
ON CONFLICT (tenant) DO UPDATE SET now_at = excluded.now_at;

-- name: keys_of_undecided
-- Command keys taken by messages that were never decided: a repeat was told so, and must be again.
SELECT
    k.tenant, k.operation, k.object_id, k.idempotency_key, k.fingerprint, k.source, k.event_id, k.outcome,
    k.reason, k.expires_at
FROM idempotency_keys AS k
INNER JOIN inbox AS i ON i.tenant = k.tenant AND i.source = k.source AND i.event_id = k.event_id
WHERE i.outcome IN ('parked', 'dead');

-- name: hasten_parked!
-- Whatever waits is due.
UPDATE parked SET due_at = clock_timestamp() WHERE topic = :topic;

-- name: waiting_topics
-- Topics whose messages wait.
SELECT DISTINCT p.topic FROM parked AS p;

-- name: messages
-- What became of each message.
SELECT
    concat_ws('/', i.tenant, i.source, i.event_id) COLLATE "C" AS name,
    jsonb_build_object('outcome', i.outcome, 'reason', i.reason, 'detail', i.detail) AS content
FROM inbox AS i
WHERE i.outcome IN ('applied', 'rejected', 'duplicate')
ORDER BY 1;

-- name: payments
-- Payments as they are.
SELECT concat_ws('/', p.tenant, p.payment_id) COLLATE "C" AS name, to_jsonb(p) AS content
FROM payments AS p
ORDER BY 1;

-- name: transitions
-- Every step of everything that has a state.
SELECT
    concat_ws('/', t.tenant, t.object_type, t.object_id, t.version) COLLATE "C" AS name,
    to_jsonb(t) AS content
FROM transitions AS t
ORDER BY 1;

-- name: fee_schedules
-- Merchants' fee schedules.
SELECT concat_ws('/', f.tenant, f.merchant_id, f.version) COLLATE "C" AS name, to_jsonb(f) AS content
FROM fee_schedules AS f
ORDER BY 1;

-- name: refunds
-- Refunds as they are.
SELECT concat_ws('/', r.tenant, r.object_id) COLLATE "C" AS name, to_jsonb(r) AS content
FROM refunds AS r
ORDER BY 1;

-- name: refund_policies
-- What the rules for refunds were, version by version.
SELECT concat_ws('/', p.tenant, p.policy, p.version) COLLATE "C" AS name, to_jsonb(p) AS content
FROM refund_policies AS p
ORDER BY 1;

-- name: refund_counts
-- How much was refunded to whom and by whom.
SELECT concat_ws('/', c.tenant, c.subject) COLLATE "C" AS name, to_jsonb(c) AS content
FROM refund_counts AS c
ORDER BY 1;

-- name: disputes
-- Disputes as they are.
SELECT concat_ws('/', d.tenant, d.object_id) COLLATE "C" AS name, to_jsonb(d) AS content
FROM disputes AS d
ORDER BY 1;

-- name: dispute_evidence
-- What was handed in.
SELECT concat_ws('/', e.tenant, e.object_id, e.version) COLLATE "C" AS name, to_jsonb(e) AS content
FROM dispute_evidence AS e
ORDER BY 1;

-- name: order_documents
-- What shops said of their orders.
SELECT concat_ws('/', o.tenant, o.order_id, o.reference) COLLATE "C" AS name, to_jsonb(o) AS content
FROM order_documents AS o
ORDER BY 1;

-- name: entries
-- Journal entries by the message that they follow from, their lines by the names of accounts.
SELECT
    concat_ws(
        '/', e.tenant, e.source, e.event_id,
        row_number() OVER (PARTITION BY e.tenant, e.source, e.event_id ORDER BY e.entry_id)
    ) COLLATE "C" AS name,
    to_jsonb(e) - ARRAY['entry_id', 'xid'] || jsonb_build_object('lines', l.lines) AS content
FROM entries AS e
LEFT JOIN LATERAL (
    SELECT jsonb_agg(
        to_jsonb(i) - ARRAY['entry_id', 'account_id', 'tenant']
        || jsonb_build_object('code', a.code, 'owner', a.owner, 'type', a.type)
        ORDER BY i.line
    ) AS lines
    FROM lines AS i
    LEFT JOIN accounts AS a ON a.account_id = i.account_id
    WHERE i.tenant = e.tenant AND i.entry_id = e.entry_id
) AS l ON TRUE
ORDER BY 1;

-- name: balances
-- What each account holds, its stripes together.
SELECT
    concat_ws('/', b.tenant, b.code, b.owner, b.currency) COLLATE "C" AS name,
    to_jsonb(b) - 'account_id' AS content
FROM account_balances AS b
ORDER BY 1;

-- name: timers
-- What was asked of the scheduler.
SELECT
    concat_ws('/', t.tenant, t.timer_id) COLLATE "C" AS name, to_jsonb(t) - 'published_at' AS content
FROM timers AS t
ORDER BY 1;

-- name: provider_calls
-- What was asked of providers, without how the gateway fared.
SELECT
    concat_ws('/', c.tenant, c.call_id) COLLATE "C" AS name,
    to_jsonb(c) - ARRAY[
        'status', 'tries', 'unknown_since', 'due_at', 'lease_until', 'claimed_by', 'answered_at'
    ] AS content
FROM provider_calls AS c
ORDER BY 1;

-- name: idempotency_keys
-- What commands' keys were used for, and the answer that a repeat gets.
SELECT
    concat_ws('/', k.tenant, k.operation, k.object_id, k.idempotency_key) COLLATE "C" AS name,
    to_jsonb(k) AS content
FROM idempotency_keys AS k
ORDER BY 1;

-- name: events
-- What decisions published: not the answers to bodies that came under a used event id, for only the first one
-- is replayed.
SELECT
    concat_ws('/', o.topic, e.event ->> 'tenant', e.event ->> 'id') COLLATE "C" AS name,
    e.event #- '{data,entry_id}' AS content
FROM outbox_batches AS o
CROSS JOIN LATERAL (
    SELECT p.event::jsonb AS event FROM unnest(string_to_array(o.payloads, E'\n')) AS p (event)
) AS e
WHERE o.topic = any(:topics::text[]) AND e.event #>> '{data,reason}' IS DISTINCT FROM 'event_id_reused'
ORDER BY 1;
