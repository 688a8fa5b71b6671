-- What became of commands that a person has just sent.

-- name: outcomes_of_commands
-- Each command's outcome, as far as there is one; and of a repeat, what became of the one that came first.
SELECT
    a.place, i.outcome, i.reason, i.detail, k.outcome AS first_outcome, k.reason AS first_reason
FROM unnest(:event_ids::text[], :idempotency_keys::text[])
    WITH ORDINALITY AS a (event_id, idempotency_key, place)
INNER JOIN inbox AS i ON i.event_id = a.event_id AND i.source = :source AND i.tenant = :tenant
LEFT JOIN idempotency_keys AS k
    ON i.outcome = 'duplicate' AND k.tenant = i.tenant AND k.object_id = i.key
    AND k.operation = regexp_replace(i.type, '[.]v[0-9]+$', '') AND k.idempotency_key = a.idempotency_key
ORDER BY a.place;

-- name: tenant_now^
-- The tenant's time, which a test clock may set, and the zone in which its days and periods begin.
SELECT
    coalesce((SELECT c.now_at FROM clocks AS c WHERE c.tenant = :tenant), now()) AS now_at,
    coalesce(
        (
            SELECT b.zone FROM period_bounds AS b
            WHERE b.tenant = :tenant AND b.calendar = 'books'
            ORDER BY b.number DESC
            LIMIT 1
        ),
        'UTC'
    ) AS zone;
