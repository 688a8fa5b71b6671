-- name: lock_intake
-- How far the given partitions were taken in; locked, so that one worker at a time takes in a partition.
SELECT topic, partition, next_offset
FROM intake
WHERE (topic, partition) IN (SELECT t, p FROM unnest(:topics::text[], :partitions::integer[]) AS k (t, p))
ORDER BY topic, partition
FOR UPDATE;

-- name: start_intake!
-- Rows for partitions never seen before.
INSERT INTO intake (topic, partition)
SELECT t, p FROM unnest(:topics::text[], :partitions::integer[]) AS k (t, p)
ORDER BY t, p
ON CONFLICT DO NOTHING;

-- name: advance_intake!
-- Moves partitions on, and counts what came.
UPDATE intake AS i
SET
    next_offset = greatest(i.next_offset, k.next_offset),
    received = i.received + k.received,
    duplicate = i.duplicate + k.duplicate,
    redelivered = i.redelivered + k.redelivered
FROM unnest(
    :topics::text[], :partitions::integer[], :next_offsets::bigint[],
    :received::bigint[], :duplicate::bigint[], :redelivered::bigint[]
) AS k (topic, partition, next_offset, received, duplicate, redelivered)
WHERE i.topic = k.topic AND i.partition = k.partition;

-- name: seen
-- Which of these messages came before, with what body and outcome: one scan of the index for each sender.
SELECT i.tenant, i.source, i.event_id, i.topic, i.partition, i."offset", i.body, i.outcome
FROM (
    SELECT m.tenant, m.source, array_agg(m.event_id) AS event_ids
    FROM unnest(:tenants::text[], :sources::text[], :event_ids::text[]) AS m (tenant, source, event_id)
    GROUP BY m.tenant, m.source
) AS k
CROSS JOIN LATERAL (
    SELECT s.*
    FROM inbox AS s
    WHERE s.event_id = any(k.event_ids) AND s.source = k.source AND s.tenant = k.tenant
) AS i;

-- name: conflicts
-- Other bodies that came under these identities.
SELECT c.topic, c.partition, c."offset", c.body
FROM unnest(:tenants::text[], :sources::text[], :event_ids::text[]) AS k (tenant, source, event_id)
INNER JOIN inbox_conflicts AS c
    ON c.tenant = k.tenant AND c.source = k.source AND c.event_id = k.event_id;

-- name: anyone_waits$
-- Whether any message is parked at all.
SELECT exists(SELECT FROM parked);

-- name: waiting_keys
-- Which of these keys of a topic have messages that wait, and what the first of each waits for.
SELECT k.tenant, k.key, f.waits_for
FROM unnest(:tenants::text[], :keys::text[]) AS k (tenant, key)
CROSS JOIN LATERAL (
    SELECT p.waits_for
    FROM parked AS p
    WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key
    ORDER BY p.parked_id
    LIMIT 1
) AS f;

-- name: used_idempotency_keys
-- Which of these command keys were used, for what, and how that ended.
SELECT
    i.tenant,
    i.operation,
    i.object_id,
    i.idempotency_key,
    i.fingerprint,
    i.source,
    i.event_id,
    i.outcome,
    i.reason,
    i.expires_at
FROM unnest(:tenants::text[], :operations::text[], :objects::text[], :keys::text[])
    AS k (tenant, operation, object_id, idempotency_key)
INNER JOIN idempotency_keys AS i
    ON i.tenant = k.tenant AND i.operation = k.operation AND i.object_id = k.object_id
        AND i.idempotency_key = k.idempotency_key;

-- name: save_idempotency_keys!
-- Remembers what command keys were used for; an expired or waiting one is used anew.
INSERT INTO idempotency_keys AS i (
    tenant, operation, object_id, idempotency_key, fingerprint, source, event_id, outcome, reason, expires_at
)
SELECT * FROM unnest(
    :tenants::text[], :operations::text[], :objects::text[], :keys::text[], :fingerprints::bytea[],
    :sources::text[], :event_ids::text[], :outcomes::text[], :reasons::text[], :expires::timestamptz[]
)
ON CONFLICT (tenant, operation, object_id, idempotency_key) DO UPDATE SET
    fingerprint = excluded.fingerprint, source = excluded.source, event_id = excluded.event_id,
    outcome = excluded.outcome, reason = excluded.reason, expires_at = excluded.expires_at;

-- name: reserve_ids^
-- The batch's id, and ids for its journal entries. All locks must be held by now; see reserve_batch_id.
SELECT
    reserve_batch_id() AS batch_id,
    array(SELECT nextval('entry_id_seq') FROM generate_series(1, :entries)) AS entry_ids;

-- name: open_accounts!
-- Accounts on first use.
INSERT INTO accounts (tenant, code, owner, currency, type)
SELECT t, c, o, cur, ty
FROM unnest(:tenants::text[], :codes::text[], :owners::text[], :currencies::text[], :types::text[])
    AS k (t, c, o, cur, ty)
ORDER BY t, c, o, cur
ON CONFLICT DO NOTHING;

-- name: account_ids
-- The ids of accounts.
SELECT a.account_id, a.tenant, a.code, a.owner, a.currency
FROM unnest(:tenants::text[], :codes::text[], :owners::text[], :currencies::text[])
    AS k (tenant, code, owner, currency)
INNER JOIN accounts AS a
    ON a.tenant = k.tenant AND a.code = k.code AND a.owner = k.owner AND a.currency = k.currency;

-- name: add_to_balances!
-- Adds a batch's sums to this writer's stripe of each account.
INSERT INTO balances AS b (tenant, account_id, stripe, debit_minor, credit_minor, lines)
SELECT k.tenant, k.account_id, :stripe, k.debit_minor, k.credit_minor, k.lines
FROM unnest(
    :tenants::text[], :accounts::bigint[], :debits::bigint[], :credits::bigint[], :lines::bigint[]
) AS k (tenant, account_id, debit_minor, credit_minor, lines)
ORDER BY k.tenant, k.account_id
ON CONFLICT (account_id, stripe, tenant) DO UPDATE SET
    debit_minor = b.debit_minor + excluded.debit_minor,
    credit_minor = b.credit_minor + excluded.credit_minor,
    lines = b.lines + excluded.lines;

-- name: claim_stripe$
-- The first stripe that no other writer holds; held by this session until it ends.
SELECT s FROM generate_series(0, 255) AS s WHERE pg_try_advisory_lock(17741, s) LIMIT 1;

-- name: payments_by_reference
-- The payments that providers know by these references.
SELECT p.tenant, p.payment_id, p.provider, p.provider_reference
FROM unnest(:tenants::text[], :providers::text[], :names::text[]) AS k (tenant, provider, reference)
INNER JOIN payments AS p
    ON p.tenant = k.tenant AND p.provider = k.provider AND p.provider_reference = k.reference;

-- name: add_timers!
-- Timers; one that exists already stays as it is.
INSERT INTO timers (tenant, timer_id, kind, due_at, payment_id, order_id, object_id, causation)
SELECT * FROM unnest(
    :tenants::text[], :timer_ids::uuid[], :kinds::text[], :due_ats::timestamptz[], :payment_ids::uuid[],
    :order_ids::text[], :object_ids::uuid[], :causations::text[]
)
ON CONFLICT DO NOTHING;

-- name: dead_letters_at
-- Dead letters made from these very records.
SELECT d.topic, d.partition, d."offset", d.body
FROM unnest(:partitions::integer[], :offsets::bigint[]) AS k (partition, "offset")
INNER JOIN dead_letters AS d ON d.topic = :topic AND d.partition = k.partition AND d."offset" = k."offset";
