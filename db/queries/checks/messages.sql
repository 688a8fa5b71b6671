-- Laws 3 and 12: what came in.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: effects_without_cause
-- Entries, transitions and provider calls whose message is not in the inbox as applied.
WITH effects AS (
    SELECT e.tenant, e.source, e.event_id, format('entry %s', e.entry_id) AS effect FROM entries AS e
    UNION ALL
    SELECT
        t.tenant, t.source, t.event_id,
        format('transition %s of %s %s', t.version, t.object_type, t.object_id)
    FROM transitions AS t
    UNION ALL
    SELECT c.tenant, c.source, c.event_id, format('provider call %s', c.call_id) FROM provider_calls AS c
)

SELECT
    format(
        '%s of %s follows from event %s of %s, which is %s', e.effect, e.tenant, e.event_id, e.source,
        coalesce(i.outcome, 'not in the inbox')
    ) AS offender
FROM effects AS e
LEFT JOIN inbox AS i ON i.tenant = e.tenant AND i.source = e.source AND i.event_id = e.event_id
WHERE i.outcome IS DISTINCT FROM 'applied';

-- name: conflicts_without_first
-- Second bodies under an id that was never used, or that are no other body.
SELECT
    format(
        'the conflicting event %s of %s of %s at %s/%s/%s has %s',
        c.event_id, c.source, c.tenant, c.topic, c.partition, c."offset",
        CASE WHEN i.event_id IS NULL THEN 'no first event' ELSE 'the same body as the first event' END
    ) AS offender
FROM inbox_conflicts AS c
LEFT JOIN inbox AS i ON i.tenant = c.tenant AND i.source = c.source AND i.event_id = c.event_id
WHERE i.event_id IS NULL OR i.body = c.body;

-- name: uncounted_messages
-- Topics whose five counts do not add up to what came in.
WITH decided AS (
    SELECT
        i.topic,
        count(*) FILTER (WHERE i.outcome = 'applied') AS applied,
        count(*) FILTER (WHERE i.outcome = 'duplicate') AS duplicate,
        count(*) FILTER (WHERE i.outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE i.outcome = 'parked') AS parked,
        count(*) FILTER (WHERE i.outcome = 'dead') AS dead
    FROM inbox AS i
    GROUP BY i.topic
),

taken AS (
    SELECT t.topic, sum(t.received) AS received, sum(t.duplicate) AS duplicate
    FROM intake AS t
    GROUP BY t.topic
),

conflicts AS (SELECT c.topic, count(*) AS rejected FROM inbox_conflicts AS c GROUP BY c.topic),

unreadable AS (
    SELECT d.topic, count(*) AS dead FROM dead_letters AS d WHERE d.event_id IS NULL GROUP BY d.topic
),

counts AS (
    SELECT
        coalesce(t.received, 0) AS received,
        coalesce(d.applied, 0) AS applied,
        coalesce(d.duplicate, 0) + coalesce(t.duplicate, 0) AS duplicate,
        coalesce(d.rejected, 0) + coalesce(c.rejected, 0) AS rejected,
        coalesce(d.parked, 0) AS parked,
        coalesce(d.dead, 0) + coalesce(u.dead, 0) AS dead,
        topic
    FROM taken AS t
    FULL JOIN decided AS d USING (topic)
    FULL JOIN conflicts AS c USING (topic)
    FULL JOIN unreadable AS u USING (topic)
)

SELECT
    format(
        '%s: %s received, but %s applied + %s duplicate + %s rejected + %s parked + %s dead',
        n.topic, n.received, n.applied, n.duplicate, n.rejected, n.parked, n.dead
    ) AS offender
FROM counts AS n
WHERE n.received <> n.applied + n.duplicate + n.rejected + n.parked + n.dead;

-- name: lost_messages
-- Messages said to be parked that no queue holds, or the other way round; dead ones without a dead letter.
SELECT
    CASE
        WHEN i.event_id IS NULL THEN format(
            'event %s of %s of %s waits in the queue of %s, but the inbox has it as decided',
            p.event_id, p.source, p.tenant, p.key
        )
        ELSE format('event %s of %s of %s is parked, but in no queue', i.event_id, i.source, i.tenant)
    END AS offender
FROM (SELECT * FROM inbox AS a WHERE a.outcome = 'parked') AS i
FULL JOIN parked AS p ON p.tenant = i.tenant AND p.source = i.source AND p.event_id = i.event_id
WHERE i.event_id IS NULL OR p.event_id IS NULL
UNION ALL
SELECT format('event %s of %s of %s is dead, but no dead letter is open', i.event_id, i.source, i.tenant)
FROM inbox AS i
WHERE i.outcome = 'dead' AND NOT EXISTS (
    SELECT FROM dead_letters AS d
    WHERE d.tenant = i.tenant AND d.source = i.source AND d.event_id = i.event_id AND d.replayed_at IS NULL
);

-- name: waiting_messages
-- Messages that still wait.
SELECT format('event %s of %s of %s waits: %s', p.event_id, p.source, p.tenant, p.detail) AS offender
FROM parked AS p;
