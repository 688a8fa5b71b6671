-- Laws 5 and 6 for everything that has a state: where it stands, why, and what it waits for.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: broken_histories
-- Whatever has transitions with a gap, or that do not follow from each other or lead to where it stands.
WITH standing AS (
    SELECT p.tenant, 'payment' AS object_type, p.payment_id AS object_id, p.state, p.version
    FROM payments AS p
    UNION ALL
    SELECT r.tenant, 'refund' AS object_type, r.object_id, r.state, r.version
    FROM refunds AS r
    UNION ALL
    SELECT d.tenant, 'dispute' AS object_type, d.object_id, d.state, d.version
    FROM disputes AS d
    UNION ALL
    SELECT j.tenant, 'journal' AS object_type, j.object_id, j.state, j.version
    FROM journals AS j
    UNION ALL
    SELECT h.tenant, 'hold' AS object_type, h.object_id, h.state, h.version
    FROM holds AS h
    UNION ALL
    SELECT p.tenant, 'period' AS object_type, p.object_id, p.state, p.version
    FROM periods AS p
),

steps AS (
    SELECT
        t.tenant, t.object_type, t.object_id, t.version, t.from_state, t.to_state,
        row_number() OVER one AS place,
        lag(t.to_state) OVER one AS before,
        lead(t.version) OVER one IS NULL AS is_last
    FROM transitions AS t
    WINDOW one AS (PARTITION BY t.object_id, t.object_type, t.tenant ORDER BY t.version)
)

SELECT
    format(
        '%s %s of %s: transition %s is number %s and comes from %s after %s', s.object_type, s.object_id,
        s.tenant, s.version, s.place, coalesce(s.from_state, 'nothing'), coalesce(s.before, 'nothing')
    ) AS offender
FROM steps AS s
WHERE s.version <> s.place OR s.from_state IS DISTINCT FROM s.before
UNION ALL
SELECT
    format(
        '%s %s of %s is %s at version %s; its transitions end in %s at version %s',
        coalesce(o.object_type, s.object_type), coalesce(o.object_id, s.object_id),
        coalesce(o.tenant, s.tenant), coalesce(o.state, 'missing'), coalesce(o.version, 0),
        coalesce(s.to_state, 'nothing'), coalesce(s.version, 0)
    ) AS offender
FROM standing AS o
FULL JOIN (SELECT * FROM steps AS l WHERE l.is_last) AS s
    ON s.object_id = o.object_id AND s.object_type = o.object_type AND s.tenant = o.tenant
WHERE (o.state, o.version) IS DISTINCT FROM (s.to_state, s.version);

-- name: waits_for_providers
-- Whatever waits for its provider.
SELECT
    format('%s %s of %s waits for its call %s', w.object_type, w.object_id, w.tenant, w.call_id) AS offender
FROM (
    SELECT p.tenant, 'payment' AS object_type, p.payment_id AS object_id, p.call_id
    FROM payments AS p
    UNION ALL
    SELECT r.tenant, 'refund' AS object_type, r.object_id, r.call_id
    FROM refunds AS r
    UNION ALL
    SELECT d.tenant, 'dispute' AS object_type, d.object_id, d.call_id
    FROM disputes AS d
) AS w
WHERE w.call_id IS NOT NULL;
