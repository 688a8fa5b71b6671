-- name: wake!
-- What waited for these is due now. A row that is due already is touched, too: whoever is just looking at
-- it, and does not see these yet, finds it changed and leaves it alone (hold_queues).
UPDATE parked SET due_at = least(due_at, clock_timestamp()) WHERE waits_for = any(:names::text[]);

-- name: park!
-- Messages to the end of their key's queue. One behind another needs no look of its own: whoever lets the
-- first go hands on its turn (next_turn). So the first must stay until we have committed, which a lock sees
-- to; where somebody else has it locked, or it is gone, the one behind is due at once.
WITH k AS (
    SELECT
        u.*,
        bool_or(u.reason <> 'behind_parked')
            OVER (PARTITION BY u.tenant, u.key ORDER BY u.place) AS in_company
    FROM unnest(
        :tenants::text[], :keys::text[], :sources::text[], :event_ids::text[], :reasons::text[],
        :details::text[], :waits::text[], :delays_ms::integer[]
    ) WITH ORDINALITY AS u (tenant, key, source, event_id, reason, detail, waits_for, delay_ms, place)
),

held AS MATERIALIZED (
    SELECT b.tenant, b.key
    FROM (SELECT DISTINCT a.tenant, a.key FROM k AS a WHERE NOT a.in_company) AS b
    CROSS JOIN LATERAL (
        SELECT p.parked_id
        FROM parked AS p
        WHERE p.tenant = b.tenant AND p.topic = :topic AND p.key = b.key
        ORDER BY p.parked_id
        LIMIT 1
        FOR KEY SHARE SKIP LOCKED
    ) AS f
)

INSERT INTO parked (tenant, topic, key, source, event_id, reason, detail, waits_for, tries, parked_at, due_at)
SELECT
    k.tenant, :topic, k.key, k.source, k.event_id, k.reason, k.detail, k.waits_for, 0, clock_timestamp(),
    CASE
        WHEN k.in_company OR h.key IS NOT NULL
            THEN clock_timestamp() + k.delay_ms * interval '1 millisecond'
        ELSE clock_timestamp()
    END
FROM k
LEFT JOIN held AS h ON h.tenant = k.tenant AND h.key = k.key
ORDER BY k.place;

-- name: due_queues
-- Queues of a topic in which a message is due: the first one, whether it is due itself, and all that are.
-- With `only`, just the queue with this first message. One engine of a topic looks at a time: two would
-- look at the same.
WITH turn AS MATERIALIZED (
    -- Of this very table: a rebuild has one of its own in the same database.
    SELECT
        pg_try_advisory_xact_lock(17745, hashtext(format('%s %s', to_regclass('parked')::oid, :topic::text)))
            AS ours
),

due AS MATERIALIZED (
    SELECT p.tenant, p.key, p.parked_id, p.due_at
    FROM parked AS p
    -- Not clock_timestamp(): it may change from row to row, so that no index can be searched for it.
    WHERE p.topic = :topic AND p.due_at <= statement_timestamp()
    ORDER BY p.due_at
    LIMIT CASE WHEN :only::bigint IS NULL THEN :most::bigint END
)

SELECT q.tenant, q.key, f.parked_id, f.parked_id = q.parked_ids[1] AS is_due, q.parked_ids
FROM (
    SELECT d.tenant, d.key, array_agg(d.parked_id ORDER BY d.parked_id) AS parked_ids, min(d.due_at) AS due_at
    FROM due AS d
    WHERE (SELECT t.ours FROM turn AS t)
    GROUP BY d.tenant, d.key
) AS q
CROSS JOIN LATERAL (
    SELECT p.parked_id
    FROM parked AS p
    WHERE p.tenant = q.tenant AND p.topic = :topic AND p.key = q.key
    ORDER BY p.parked_id
    LIMIT 1
) AS f
WHERE :only::bigint IS NULL OR f.parked_id = :only
ORDER BY q.due_at;

-- name: heads
-- The first so many messages of these queues, in order, with the message as it came, and the version of the
-- row.
SELECT
    p.tenant, p.key, p.parked_id, p.source, p.event_id, p.reason, p.waits_for, p.tries, p.parked_at,
    p.version,
    p.due_at <= statement_timestamp() AS is_due, i.type, i.body, i.partition, i."offset"
FROM unnest(:tenants::text[], :keys::text[], :lengths::integer[]) AS k (tenant, key, length)
CROSS JOIN LATERAL (
    SELECT q.*, q.xmin::text AS version
    FROM parked AS q
    WHERE q.tenant = k.tenant AND q.topic = :topic AND q.key = k.key
    ORDER BY q.parked_id
    LIMIT k.length
) AS p
INNER JOIN inbox AS i ON i.tenant = p.tenant AND i.source = p.source AND i.event_id = p.event_id
ORDER BY p.tenant, p.key, p.parked_id;

-- name: members
-- These messages of queues, in order.
SELECT
    p.tenant, p.key, p.parked_id, p.source, p.event_id, p.reason, p.waits_for, p.tries, p.parked_at,
    p.xmin::text AS version, p.due_at <= statement_timestamp() AS is_due, i.type, i.body, i.partition,
    i."offset"
FROM unnest(:tenants::text[], :keys::text[], :parked_ids::bigint[]) AS k (tenant, key, parked_id)
INNER JOIN parked AS p
    ON p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id
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
-- Messages that still wait, and why. A try is a look in its own time, not one for another's sake.
UPDATE parked AS p
SET
    reason = k.reason, detail = k.detail, waits_for = k.waits_for,
    tries = p.tries + (p.due_at <= statement_timestamp())::integer,
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

-- name: rest!
-- Messages behind another one, which brought nothing.
UPDATE parked AS p
SET due_at = clock_timestamp() + :delay_ms * interval '1 millisecond'
FROM unnest(:parked_ids::bigint[], :tenants::text[], :keys::text[]) AS k (parked_id, tenant, key)
WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id;

-- name: next_turn!
-- Who is first in these queues now is due. It takes over what its predecessor waited for: those behind
-- brought nothing of that name.
UPDATE parked AS p
SET due_at = least(p.due_at, clock_timestamp()), waits_for = k.waits_for
FROM (
    SELECT u.tenant, u.key, u.waits_for, f.parked_id
    FROM unnest(:tenants::text[], :keys::text[], :waits::text[]) AS u (tenant, key, waits_for)
    CROSS JOIN LATERAL (
        SELECT q.parked_id
        FROM parked AS q
        WHERE q.tenant = u.tenant AND q.topic = :topic AND q.key = u.key
        ORDER BY q.parked_id
        LIMIT 1
    ) AS f
) AS k
WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id = k.parked_id;

-- name: look_behind!
-- The first of these queues waits for something else than before: whoever stands behind the last that was
-- looked at may bring it.
UPDATE parked AS p
SET due_at = least(p.due_at, clock_timestamp())
FROM unnest(:parked_ids::bigint[], :tenants::text[], :keys::text[]) AS k (parked_id, tenant, key)
WHERE p.tenant = k.tenant AND p.topic = :topic AND p.key = k.key AND p.parked_id > k.parked_id;

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
