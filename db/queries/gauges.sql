-- name: gauges^
-- What only the database can tell of the whole system.
SELECT
    (
        SELECT count(DISTINCT o.batch_id) FROM outbox_batches AS o WHERE o.batch_id > c.batch_id
    ) AS outbox_backlog,
    coalesce((
        SELECT extract(EPOCH FROM clock_timestamp() - min(o.created_at))
        FROM outbox_batches AS o WHERE o.batch_id > c.batch_id
    ), 0)::double precision AS outbox_age_seconds,
    (SELECT count(*) FROM provider_calls AS p WHERE p.status = 'unknown') AS unknown_calls,
    (SELECT count(*) FROM parked) AS parked,
    (SELECT count(*) FROM dead_letters AS d WHERE d.replayed_at IS NULL) AS dead_letters
FROM relay_cursor AS c
WHERE c.relay = 'outbox';
