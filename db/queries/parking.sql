-- name: wake!
-- What waited for these is due now.
UPDATE parked SET due_at = least(due_at, clock_timestamp()) WHERE waits_for = any(:names::text[]);

-- name: park!
-- Messages to the end of their key's queue.
INSERT INTO parked (tenant, topic, key, source, event_id, reason, detail, waits_for, tries, parked_at, due_at)
SELECT
    k.tenant, :topic, k.key, k.source, k.event_id, k.reason, k.detail, k.waits_for, 0, clock_timestamp(),
    clock_timestamp() + k.delay_ms * interval '1 millisecond'
FROM unnest(
    :tenants::text[], :keys::text[], :sources::text[], :event_ids::text[], :reasons::text[], :details::text[],
    :waits::text[], :delays_ms::integer[]
) WITH ORDINALITY AS k (tenant, key, source, event_id, reason, detail, waits_for, delay_ms, place)
ORDER BY k.place;

-- name: due_keys
-- Keys of a topic whose first waiting message is due; with `only`, just the one with this first message.
SELECT p.tenant, p.key, p.parked_id
FROM parked AS p
WHERE p.topic = :topic AND p.due_at <= clock_timestamp() AND (:only::bigint IS NULL OR p.parked_id = :only)
    AND NOT EXISTS (
        SELECT FROM parked AS earlier
        WHERE earlier.tenant = p.tenant AND earlier.topic = p.topic AND earlier.key = p.key
            AND earlier.parked_id < p.parked_id
    )
ORDER BY p.due_at
LIMIT :most;

-- name: queues
-- All that waits under these keys, in order, with the message as it came, and the version of the row.
SELECT
    p.tenant, p.key, p.parked_id, p.source, p.event_id, p.tries, p.parked_at, p.xmin::text AS version, i.type,
    i.body, i.partition, i."offset"
FROM unnest(:tenants::text[], :keys::text[]) AS k (tenant, key)
INNER JOIN parked AS p ON p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key
INNER JOIN inbox AS i ON i.tenant = p.tenant AND i.source = p.source AND i.event_id = p.event_id
ORDER BY p.tenant, p.key, p.parked_id;

-- name: hold_queues
-- Of these queues, by their first messages, those that nobody has touched since they were read; locked.
-- Taken after the locks on payments, as a batch does that wakes what waits: so the two cannot deadlock.
SELECT p.tenant, p.key
FROM unnest(:tenants::text[], :keys::text[], :parked_ids::bigint[], :versions::text[])
    AS k (tenant, key, parked_id, version)
INNER JOIN parked AS p
    ON p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id
        AND p.xmin::text = k.version
FOR UPDATE OF p SKIP LOCKED;

-- name: postpone!
-- Messages that still wait, and why.
UPDATE parked AS p
SET
    reason = k.reason, detail = k.detail, waits_for = k.waits_for, tries = p.tries + 1,
    due_at = clock_timestamp() + k.delay_ms * interval '1 millisecond'
FROM unnest(
    :parked_ids::bigint[],
    :tenants::text[],
    :keys::text[],
    :reasons::text[],
    :details::text[],
    :waits::text[],
    :delays_ms::integer[]
) AS k (parked_id, tenant, key, reason, detail, waits_for, delay_ms)
WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id;

-- name: leave!
-- Messages that wait no more.
DELETE FROM parked AS p
USING unnest(:parked_ids::bigint[], :tenants::text[], :keys::text[]) AS k (parked_id, tenant, key)
WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id;

-- name: decide!
-- What became of messages that had waited.
UPDATE inbox AS i
SET outcome = k.outcome, reason = k.reason, detail = k.detail, batch_id = k.batch_id
FROM unnest(
    :tenants::text[], :sources::text[], :event_ids::text[], :outcomes::text[], :reasons::text[],
    :details::text[], :batch_ids::bigint[]
) AS k (tenant, source, event_id, outcome, reason, detail, batch_id)
WHERE i.tenant = k.tenant AND i.source = k.source AND i.event_id = k.event_id;
