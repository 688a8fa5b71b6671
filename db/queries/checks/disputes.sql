-- Laws 4 to 9 for disputes: where they stand, why, what they cost, and what was sent for them.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: dispute_steps_told_otherwise
-- Transitions of disputes without their event from the same message; dispute events without a transition.
WITH told AS (
    SELECT
        e.tenant, d.dispute_id, d.version, d.state,
        array_agg(e.causation) AS causes, min(o.batch_id) AS batch_id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, causation text, data json)
    CROSS JOIN json_to_record(e.data) AS d (dispute_id uuid, version integer, state text)
    WHERE o.topic = 'dispute.events'
    GROUP BY e.tenant, d.dispute_id, d.version, d.state
)

SELECT
    CASE
        WHEN t.object_id IS NULL THEN format(
            'batch %s publishes that dispute %s of %s became %s at version %s, which it did not',
            e.batch_id, e.dispute_id, e.tenant, e.state, e.version
        )
        ELSE format(
            'dispute %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.object_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM (SELECT * FROM transitions AS s WHERE s.object_type = 'dispute') AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.dispute_id = t.object_id AND e.version = t.version AND e.state = t.to_state
WHERE t.object_id IS NULL OR e.dispute_id IS NULL OR t.event_id <> all(e.causes);

-- name: careless_dispute_calls
-- Disputes that wait for a call that is not there, and open calls about disputes that wait for none.
SELECT
    format(
        'call %s of %s is open, but its dispute %s waits for %s',
        c.call_id, c.tenant, c.object_id, coalesce(d.call_id::text, 'none')
    ) AS offender
FROM provider_calls AS c
LEFT JOIN disputes AS d ON d.tenant = c.tenant AND d.object_id = c.object_id
WHERE c.status <> 'answered' AND c.operation = any(:operations::text[])
    AND d.call_id IS DISTINCT FROM c.call_id
UNION ALL
SELECT format('dispute %s of %s waits for call %s, which is not there', d.object_id, d.tenant, d.call_id)
FROM disputes AS d
LEFT JOIN provider_calls AS c ON c.tenant = d.tenant AND c.call_id = d.call_id AND c.object_id = d.object_id
WHERE d.call_id IS NOT NULL AND c.call_id IS NULL;

-- name: disputes_counted_otherwise
-- Payments whose disputed amount is not the sum of their open and lost disputes.
SELECT
    format(
        'payment %s of %s has %s disputed, its disputes say %s (minor %s)', p.payment_id, p.tenant,
        p.disputed_minor, coalesce(d.minor, 0), p.currency
    ) AS offender
FROM payments AS p
LEFT JOIN (
    SELECT s.tenant, s.payment_id, sum(s.amount_minor) AS minor
    FROM disputes AS s
    WHERE s.standing IN ('open', 'lost')
    GROUP BY s.tenant, s.payment_id
) AS d ON d.tenant = p.tenant AND d.payment_id = p.payment_id
WHERE p.disputed_minor <> coalesce(d.minor, 0);

-- name: disputes_posted_otherwise
-- Disputes whose money is not in the ledger as their rows say: what the provider took and charges, what waits
-- for a decision, and whose the charge is.
WITH posted AS (
    SELECT
        e.tenant, e.object_id,
        -coalesce(sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :receivable), 0) AS taken,
        coalesce(sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :clearing), 0) AS waiting,
        coalesce(sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :fees), 0) AS fees
    FROM entries AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    WHERE e.object_type = 'dispute'
    GROUP BY e.tenant, e.object_id
),

kept AS (
    SELECT
        d.tenant, d.object_id::text AS object_id,
        d.withdrawn_minor + d.fee_minor AS taken,
        CASE WHEN d.standing = 'lost' THEN 0 ELSE d.withdrawn_minor END AS waiting,
        d.fee_minor - d.fee_passed_minor AS fees
    FROM disputes AS d
)

SELECT
    format(
        'dispute %s of %s: taken %s, in clearing %s, fees ours %s; posted %s, %s and %s',
        coalesce(k.object_id, p.object_id), coalesce(k.tenant, p.tenant), coalesce(k.taken, 0),
        coalesce(k.waiting, 0), coalesce(k.fees, 0), coalesce(p.taken, 0), coalesce(p.waiting, 0),
        coalesce(p.fees, 0)
    ) AS offender
FROM kept AS k
FULL JOIN posted AS p ON p.tenant = k.tenant AND p.object_id = k.object_id
WHERE coalesce(k.taken, 0) <> coalesce(p.taken, 0)
    OR coalesce(k.waiting, 0) <> coalesce(p.waiting, 0)
    OR coalesce(k.fees, 0) <> coalesce(p.fees, 0);

-- name: overcharged_payments
-- Payments of which more was given back than captured: refunds, and losses that the merchant bore; or whose
-- losses beyond that are not in suspense as the payment notes them.
WITH borne AS (
    SELECT
        d.tenant, d.payment_id,
        coalesce(sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :payable), 0) AS minor,
        coalesce(sum(l.direction * l.amount_minor) FILTER (WHERE a.code = :suspense), 0) AS suspense
    FROM disputes AS d
    INNER JOIN entries AS e ON e.tenant = d.tenant AND e.object_id = d.object_id::text
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    WHERE e.object_type = 'dispute' AND e.rule = any(:rules::text[])
    GROUP BY d.tenant, d.payment_id
)

SELECT
    format(
        'payment %s of %s: captured %s, refunded %s, charged back %s; in suspense %s, noted %s (minor %s)',
        p.payment_id, p.tenant, p.captured_minor, p.refunded_minor, b.minor, b.suspense,
        coalesce(p.metadata ->> :note, '0'), p.currency
    ) AS offender
FROM borne AS b
INNER JOIN payments AS p ON p.tenant = b.tenant AND p.payment_id = b.payment_id
WHERE b.minor < 0
    OR p.refunded_minor + b.minor > p.captured_minor
    OR b.suspense::text <> coalesce(p.metadata ->> :note, '0');

-- name: altered_evidence
-- Evidence whose content does not have its hash. The canonical JSON is that of handlers/disputes/evidence.py.
WITH fields AS (
    SELECT
        e.tenant, e.object_id, e.version,
        string_agg(
            to_json(f.name)::text || ':' || to_json(f.content)::text, ',' ORDER BY f.name COLLATE "C"
        ) AS text
    FROM dispute_evidence AS e
    CROSS JOIN jsonb_each_text(e.fields) AS f (name, content)
    GROUP BY e.tenant, e.object_id, e.version
),

links AS (
    SELECT
        e.tenant, e.object_id, e.version,
        string_agg('{' || m.text || '}', ',' ORDER BY l.place) AS text
    FROM dispute_evidence AS e
    CROSS JOIN jsonb_array_elements(e.links) WITH ORDINALITY AS l (link, place)
    CROSS JOIN LATERAL (
        SELECT
            string_agg(
                to_json(n.name)::text || ':' || to_json(n.content)::text, ',' ORDER BY n.name COLLATE "C"
            ) AS text
        FROM jsonb_each_text(l.link) AS n (name, content)
    ) AS m
    GROUP BY e.tenant, e.object_id, e.version
),

hashed AS (
    SELECT
        e.tenant, e.object_id, e.version, e.sha256,
        encode(
            sha256(
                convert_to(
                    format('{"fields":{%s},"links":[%s]}', coalesce(f.text, ''), coalesce(l.text, '')), 'UTF8'
                )
            ), 'hex'
        ) AS found
    FROM dispute_evidence AS e
    LEFT JOIN fields AS f ON f.tenant = e.tenant AND f.object_id = e.object_id AND f.version = e.version
    LEFT JOIN links AS l ON l.tenant = e.tenant AND l.object_id = e.object_id AND l.version = e.version
)

SELECT
    format(
        'evidence %s of dispute %s of %s has the hash %s, its content %s',
        h.version, h.object_id, h.tenant, h.sha256, h.found
    ) AS offender
FROM hashed AS h
WHERE h.sha256 <> h.found
UNION ALL
SELECT
    format(
        'dispute %s of %s names evidence %s, which is not there', d.object_id, d.tenant, d.evidence_sha256
    )
FROM disputes AS d
WHERE d.evidence_sha256 IS NOT NULL AND NOT EXISTS (
    SELECT FROM dispute_evidence AS e
    WHERE e.tenant = d.tenant AND e.object_id = d.object_id AND e.sha256 = d.evidence_sha256
);
