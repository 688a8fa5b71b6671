-- name: settled_batch_id$
-- The id up to which the outbox is complete.
SELECT settled_batch_id();

-- name: relay_cursor$
-- How far the relay has published.
SELECT batch_id FROM relay_cursor WHERE relay = 'outbox';

-- name: unpublished
-- The next batches of the outbox, whole and in order.
SELECT o.batch_id, o.topic, o.events, o.keys, convert_to(o.payloads, 'UTF8') AS payloads, o.created_at
FROM outbox_batches AS o
WHERE o.batch_id > :after AND o.batch_id <= (
    SELECT max(n.batch_id)
    FROM (
        SELECT DISTINCT d.batch_id FROM outbox_batches AS d
        WHERE d.batch_id > :after AND d.batch_id <= :up_to
        ORDER BY d.batch_id
        LIMIT :most
    ) AS n
)
ORDER BY o.batch_id, o.topic, o.part;

-- name: move_cursor!
-- Everything up to this batch is acknowledged by Kafka.
UPDATE relay_cursor
SET batch_id = :batch_id, published = published + :published, moved_at = clock_timestamp()
WHERE relay = 'outbox';

-- name: try_lead$
-- One relay and one scheduler at a time; held by this session until it ends.
SELECT pg_try_advisory_lock(17742, :role);

-- name: outbox_backlog^
-- How many batches wait to be published, and since when.
SELECT count(DISTINCT o.batch_id) AS batches, min(o.created_at) AS oldest
FROM outbox_batches AS o
WHERE o.batch_id > (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox');

-- name: due_timers
-- Timers due by their tenant's clock, oldest first.
SELECT
    t.tenant,
    t.timer_id,
    t.kind,
    t.due_at,
    t.payment_id,
    t.order_id,
    t.object_id,
    t.causation,
    coalesce(c.now_at, now()) AS now_at
FROM timers AS t
LEFT JOIN clocks AS c ON c.tenant = t.tenant
WHERE t.published_at IS NULL AND t.due_at <= coalesce(c.now_at, now())
ORDER BY t.due_at
LIMIT :most;

-- name: timers_published!
-- These timers are in Kafka.
UPDATE timers AS t SET published_at = clock_timestamp()
FROM unnest(:tenants::text[], :timer_ids::uuid[]) AS k (tenant, timer_id)
WHERE t.tenant = k.tenant AND t.timer_id = k.timer_id;

-- name: claim_calls
-- Calls to make or to ask about, for this gateway alone until the lease ends.
UPDATE provider_calls AS c
SET
    status = 'in_flight',
    lease_until = clock_timestamp() + :lease_ms * interval '1 millisecond',
    claimed_by = :gateway,
    tries = c.tries + 1
FROM (
    SELECT d.tenant, d.call_id, d.status
    FROM provider_calls AS d
    WHERE d.provider = :provider AND d.status <> 'answered' AND d.due_at <= clock_timestamp()
        AND (d.status <> 'in_flight' OR d.lease_until < clock_timestamp())
    ORDER BY d.due_at
    LIMIT :most
    FOR UPDATE SKIP LOCKED
) AS due
WHERE c.tenant = due.tenant AND c.call_id = due.call_id
RETURNING
    c.tenant,
    c.call_id,
    c.payment_id,
    c.order_id,
    c.provider,
    c.operation,
    c.amount_minor,
    c.currency,
    c.method_type,
    c.token,
    c.provider_reference,
    c.capture,
    c.final,
    c.object_id,
    c.object_reference,
    c.evidence,
    c.event_id,
    c.tries,
    c.unknown_since,
    c.created_at,
    due.status AS status_before;

-- name: is_awaited$
-- Whether anybody still waits for this call: a webhook or a person may have said how it ended.
SELECT exists(
    SELECT FROM payments AS p
    WHERE p.tenant = c.tenant AND p.payment_id = c.payment_id AND p.call_id = c.call_id
    UNION ALL
    SELECT FROM refunds AS r
    WHERE r.tenant = c.tenant AND r.object_id = c.object_id AND r.call_id = c.call_id
    UNION ALL
    SELECT FROM disputes AS d
    WHERE d.tenant = c.tenant AND d.object_id = c.object_id AND d.call_id = c.call_id
)
FROM provider_calls AS c
WHERE c.tenant = :tenant AND c.call_id = :call_id;

-- name: keep_answers!
-- Providers' answers, verbatim.
INSERT INTO provider_answers (tenant, call_id, try, asked, answer, detail, raw, answered_at)
SELECT k.*, clock_timestamp()
FROM unnest(
    :tenants::text[],
    :call_ids::uuid[],
    :tries::integer[],
    :asked::text[],
    :answers::text[],
    :details::text[],
    :raws::bytea[]
) AS k
ON CONFLICT DO NOTHING;

-- name: calls_again
-- Not answered yet: try or ask again later. Gives back the calls that changed; one that was claimed anew
-- since does not.
UPDATE provider_calls AS c
SET
    status = k.status, due_at = clock_timestamp() + k.delay_ms * interval '1 millisecond', lease_until = NULL,
    unknown_since = coalesce(c.unknown_since, CASE WHEN k.status = 'unknown' THEN clock_timestamp() END)
FROM unnest(:tenants::text[], :call_ids::uuid[], :tries::integer[], :statuses::text[], :delays_ms::integer[])
    AS k (tenant, call_id, try, status, delay_ms)
WHERE c.tenant = k.tenant AND c.call_id = k.call_id AND c.status = 'in_flight' AND c.tries = k.try
RETURNING c.tenant, c.call_id;

-- name: calls_answered
-- The provider has decided, in whichever try, or we give up after the last one: `tries` is NULL for a
-- decision. Gives back the calls that were still open: only of those is the answer published.
UPDATE provider_calls AS c
SET status = 'answered', answered_at = clock_timestamp(), lease_until = NULL
FROM unnest(:tenants::text[], :call_ids::uuid[], :tries::integer[]) AS k (tenant, call_id, try)
WHERE c.tenant = k.tenant AND c.call_id = k.call_id AND c.status <> 'answered'
    AND (k.try IS NULL OR c.tries = k.try)
RETURNING c.tenant, c.call_id;

-- name: add_to_outbox!
-- Events outside of a batch of the engine.
INSERT INTO outbox_batches (batch_id, topic, events, keys, payloads, created_at)
VALUES (reserve_batch_id(), :topic, :events, :keys, :payloads, clock_timestamp());
