-- Laws 3, 4 and 5: what goes out is what was committed, once.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: repeated_events
-- Events of ours that are in the outbox more than once, or have no id. An event begins with its id.
WITH ids AS (
    SELECT o.batch_id, o.topic, substring(left(p.event, 80) FROM '"id":"([^"]+)"') AS id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    WHERE o.topic = any(:topics::text[])
)

SELECT
    format(
        'event %s is %s times in the outbox, in batches %s to %s, %s',
        coalesce(i.id, 'without an id'), count(*), min(i.batch_id), max(i.batch_id), min(i.topic)
    ) AS offender
FROM ids AS i
GROUP BY i.id
HAVING count(*) > 1 OR i.id IS NULL;

-- name: transitions_told_otherwise
-- Transitions without their payment event from the same message; payment events without their transition.
WITH told AS (
    SELECT
        e.tenant, d.payment_id, d.version, d.state,
        array_agg(e.causation) AS causes, min(o.batch_id) AS batch_id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, type text, causation text, data json)
    CROSS JOIN json_to_record(e.data) AS d (payment_id uuid, version integer, state text)
    WHERE o.topic = 'payment.events' AND e.type <> :repeated
    GROUP BY e.tenant, d.payment_id, d.version, d.state
)

SELECT
    CASE
        WHEN t.object_id IS NULL THEN format(
            'batch %s publishes that payment %s of %s became %s at version %s, which it did not',
            e.batch_id, e.payment_id, e.tenant, e.state, e.version
        )
        ELSE format(
            'payment %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.object_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM (SELECT * FROM transitions AS p WHERE p.object_type = 'payment') AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.payment_id = t.object_id AND e.version = t.version AND e.state = t.to_state
WHERE t.object_id IS NULL OR e.payment_id IS NULL OR t.event_id <> all(e.causes);

-- name: entries_told_otherwise
-- Entries that are not in the outbox line by line as in the ledger; published entries that do not exist.
WITH told AS (
    SELECT e.tenant, d.entry_id, o.batch_id, d.legs AS lines
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, data json)
    CROSS JOIN json_to_record(e.data) AS d (entry_id bigint, legs jsonb)
    WHERE o.topic = 'ledger.entries'
),

kept AS (
    SELECT
        l.tenant, l.entry_id,
        jsonb_agg(
            jsonb_build_object(
                'account', a.code, 'owner', a.owner, 'amount_minor', l.amount_minor, 'currency', l.currency,
                'side', CASE l.direction WHEN 1 THEN 'debit' ELSE 'credit' END
            ) ORDER BY l.line
        ) AS lines
    FROM lines AS l
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    GROUP BY l.tenant, l.entry_id
)

SELECT
    CASE
        WHEN t.entry_id IS NULL THEN format('entry %s of %s is not in the outbox', e.entry_id, e.tenant)
        WHEN e.entry_id IS NULL
            THEN format('batch %s publishes entry %s of %s, a missing one', t.batch_id, t.entry_id, t.tenant)
        ELSE format('entry %s of %s has other lines than batch %s says', e.entry_id, e.tenant, t.batch_id)
    END AS offender
FROM entries AS e
LEFT JOIN kept AS k ON k.tenant = e.tenant AND k.entry_id = e.entry_id
FULL JOIN told AS t ON t.tenant = e.tenant AND t.entry_id = e.entry_id
WHERE k.lines IS DISTINCT FROM t.lines OR e.entry_id IS NULL;

-- name: unanswered_refusals
-- Refused messages with no rejection, or with several, in the outbox; rejections of what was not refused.
WITH refused AS (
    SELECT r.tenant, r.source, r.event_id, count(*) AS times
    FROM (
        SELECT i.tenant, i.source, i.event_id FROM inbox AS i WHERE i.outcome = 'rejected'
        UNION ALL
        SELECT c.tenant, c.source, c.event_id FROM inbox_conflicts AS c
    ) AS r
    GROUP BY r.tenant, r.source, r.event_id
),

told AS (
    SELECT e.tenant, d.event_source AS source, d.event_id, count(*) AS times
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, data json)
    CROSS JOIN json_to_record(e.data) AS d (event_source text, event_id text)
    WHERE o.topic = 'rejections'
    GROUP BY e.tenant, d.event_source, d.event_id
)

SELECT
    format(
        'event %s of %s of %s was refused %s times and answered %s times', coalesce(r.event_id, t.event_id),
        coalesce(r.source, t.source), coalesce(r.tenant, t.tenant), coalesce(r.times, 0), coalesce(t.times, 0)
    ) AS offender
FROM refused AS r
FULL JOIN told AS t ON t.tenant = r.tenant AND t.source = r.source AND t.event_id = r.event_id
WHERE r.times IS DISTINCT FROM t.times;

-- name: torn_batches
-- Batches that hold another number of events or keys than they count.
WITH held AS (
    SELECT
        o.batch_id, o.topic, o.events,
        cardinality(string_to_array(o.payloads, E'\n')) AS payloads,
        cardinality(string_to_array(o.keys, E'\n')) AS keys
    FROM outbox_batches AS o
)

SELECT
    format(
        'batch %s counts %s events for %s, but holds %s and %s keys',
        h.batch_id, h.events, h.topic, h.payloads, h.keys
    ) AS offender
FROM held AS h
WHERE h.payloads <> h.events OR h.keys <> h.events;

-- name: passed_over_events
-- The relay counted another number of events than the outbox holds up to its cursor: it passed over a batch.
SELECT
    format(
        'the relay published %s events up to batch %s, the outbox holds %s', c.published, c.batch_id, o.events
    ) AS offender
FROM relay_cursor AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(b.events), 0) AS events FROM outbox_batches AS b WHERE b.batch_id <= c.batch_id
) AS o
WHERE c.relay = 'outbox' AND o.events <> c.published;

-- name: unpublished_batches
-- What the relay has still to publish.
SELECT
    format('batch %s waits with %s events for %s', o.batch_id, o.events, o.topic) AS offender
FROM outbox_batches AS o
WHERE o.batch_id > (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox');
