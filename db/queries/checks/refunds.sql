-- Laws 1, 5, 6 and 7: where refunds stand, and what they moved.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: refunds_told_otherwise
-- Refunds' transitions without their event from the same message; refund events without their transition.
WITH told AS (
    SELECT
        e.tenant, d.refund_uuid, d.version, d.state,
        array_agg(e.causation) AS causes, min(o.batch_id) AS batch_id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, causation text, data json)
    CROSS JOIN json_to_record(e.data) AS d (refund_uuid uuid, version integer, state text)
    WHERE o.topic = 'refund.events'
    GROUP BY e.tenant, d.refund_uuid, d.version, d.state
)

SELECT
    CASE
        WHEN t.object_id IS NULL THEN format(
            'batch %s publishes that refund %s of %s became %s at version %s, which it did not',
            e.batch_id, e.refund_uuid, e.tenant, e.state, e.version
        )
        ELSE format(
            'refund %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.object_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM (SELECT * FROM transitions AS r WHERE r.object_type = 'refund') AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.refund_uuid = t.object_id AND e.version = t.version AND e.state = t.to_state
WHERE t.object_id IS NULL OR e.refund_uuid IS NULL OR t.event_id <> all(e.causes);

-- name: overdrawn_by_refunds
-- Payments whose sums are not those of their refunds, or that gave back more than was captured.
WITH given AS (
    SELECT
        r.tenant, r.payment_id,
        coalesce(sum(r.amount_minor - r.suspense_minor) FILTER (WHERE r.state = any(:reserving::text[])), 0)
            AS refunding,
        coalesce(sum(r.amount_minor - r.suspense_minor) FILTER (WHERE r.state = 'succeeded'), 0) AS refunded
    FROM refunds AS r
    GROUP BY r.tenant, r.payment_id
)

SELECT
    format(
        'payment %s of %s: refunding %s, refunded %s, captured %s; its refunds: refunding %s, refunded %s',
        coalesce(p.payment_id, g.payment_id), coalesce(p.tenant, g.tenant), coalesce(p.refunding_minor, 0),
        coalesce(p.refunded_minor, 0), coalesce(p.captured_minor, 0), coalesce(g.refunding, 0),
        coalesce(g.refunded, 0)
    ) AS offender
FROM payments AS p
FULL JOIN given AS g ON g.tenant = p.tenant AND g.payment_id = p.payment_id
WHERE coalesce(p.refunding_minor, 0) <> coalesce(g.refunding, 0)
    OR coalesce(p.refunded_minor, 0) <> coalesce(g.refunded, 0)
    OR p.refunding_minor + p.refunded_minor > p.captured_minor;

-- name: refunds_posted_otherwise
-- Refunds whose entries are not what they say: in clearing while under way and only then, given by who gives
-- it until it fails, the fee's share with it; entries of refunds that do not exist.
WITH posted AS (
    SELECT
        e.tenant, e.object_id,
        sum(-l.direction * l.amount_minor) FILTER (WHERE a.code = :clearing) AS clearing,
        sum(l.direction * l.amount_minor) FILTER (WHERE a.code = any(:given_by::text[])) AS given,
        sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :fees) AS fee,
        count(DISTINCT l.currency) AS currencies,
        min(l.currency) AS currency
    FROM entries AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    WHERE e.object_type = 'refund'
    GROUP BY e.tenant, e.object_id
),

expected AS (
    SELECT
        r.tenant, r.object_id::text AS object_id, r.currency, r.state,
        CASE WHEN r.state = any(:in_flight::text[]) THEN r.amount_minor - r.suspense_minor ELSE 0 END
            AS clearing,
        CASE
            WHEN r.state = any(:in_flight::text[]) THEN r.amount_minor - r.suspense_minor
            WHEN r.state = 'succeeded' THEN r.amount_minor
            ELSE 0
        END AS given,
        r.fee_returned_minor AS fee
    FROM refunds AS r
)

SELECT
    format(
        'refund %s of %s (%s): clearing %s, given %s, fee %s; posted %s, %s, %s (minor %s)',
        coalesce(r.object_id, p.object_id), coalesce(r.tenant, p.tenant), coalesce(r.state, 'missing'),
        coalesce(r.clearing, 0), coalesce(r.given, 0), coalesce(r.fee, 0), coalesce(p.clearing, 0),
        coalesce(p.given, 0), coalesce(p.fee, 0), coalesce(r.currency, p.currency)
    ) AS offender
FROM expected AS r
FULL JOIN posted AS p ON p.tenant = r.tenant AND p.object_id = r.object_id
WHERE coalesce(r.clearing, 0) <> coalesce(p.clearing, 0)
    OR coalesce(r.given, 0) <> coalesce(p.given, 0)
    OR coalesce(r.fee, 0) <> coalesce(p.fee, 0)
    OR p.currencies > 1 OR p.currency <> r.currency;

-- name: miscounted_refund_fees
-- Payments whose count of returned fees is not the sum of their refunds'.
WITH returned AS (
    SELECT
        r.tenant, 'payment:' || r.payment_id AS subject,
        sum(r.amount_minor - r.suspense_minor) AS amount, sum(r.fee_returned_minor) AS fee
    FROM refunds AS r
    WHERE r.fee_policy <> 'keep' AND (r.state = 'succeeded' OR r.state = any(:in_flight::text[]))
    GROUP BY r.tenant, r.payment_id
)

SELECT
    format(
        '%s of %s: counted %s with a fee of %s, its refunds say %s with %s', coalesce(c.subject, r.subject),
        coalesce(c.tenant, r.tenant), coalesce(c.amount_minor, 0), coalesce(c.fee_returned_minor, 0),
        coalesce(r.amount, 0), coalesce(r.fee, 0)
    ) AS offender
FROM (SELECT * FROM refund_counts AS n WHERE n.subject LIKE 'payment:%') AS c
FULL JOIN returned AS r ON r.tenant = c.tenant AND r.subject = c.subject
WHERE coalesce(c.amount_minor, 0) <> coalesce(r.amount, 0)
    OR coalesce(c.fee_returned_minor, 0) <> coalesce(r.fee, 0);

-- name: careless_refund_calls
-- Provider calls to be made that their refund does not wait for; refunds that wait for a call that is not
-- there.
SELECT
    format(
        'call %s of %s is open, but its refund %s waits for %s',
        c.call_id, c.tenant, c.object_id, coalesce(r.call_id::text, 'none')
    ) AS offender
FROM provider_calls AS c
INNER JOIN refunds AS r ON r.tenant = c.tenant AND r.object_id = c.object_id
WHERE c.status = 'requested' AND r.call_id IS DISTINCT FROM c.call_id
UNION ALL
SELECT format('refund %s of %s waits for call %s, which is not there', r.object_id, r.tenant, r.call_id)
FROM refunds AS r
LEFT JOIN provider_calls AS c ON c.tenant = r.tenant AND c.call_id = r.call_id AND c.object_id = r.object_id
WHERE r.call_id IS NOT NULL AND c.call_id IS NULL;
