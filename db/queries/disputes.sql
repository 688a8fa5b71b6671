-- Disputes for people: which there are, and all that one is about.

-- name: disputes
-- Disputes, those that must be answered soonest first, then the newest.
SELECT
    d.tenant, d.dispute_reference, d.order_id, d.merchant_id, d.provider, d.state, d.stage, d.standing,
    d.currency, d.amount_minor, d.withdrawn_minor, d.evidence_due_at, d.certain, d.reported_at
FROM disputes AS d
WHERE (:tenant::text IS NULL OR d.tenant = :tenant) AND (:state::text IS NULL OR d.state = :state)
ORDER BY
    d.state NOT IN ('inquiry', 'opened', 'evidence_due') ASC, d.evidence_due_at ASC NULLS LAST,
    d.reported_at DESC, d.object_id ASC
LIMIT :most;

-- name: count_disputes$
-- How many there are of these.
SELECT count(*) FROM disputes AS d
WHERE (:tenant::text IS NULL OR d.tenant = :tenant) AND (:state::text IS NULL OR d.state = :state);

-- name: disputes_named
-- Disputes by the provider's name or ours; two tenants may have one of a name.
SELECT d.* FROM disputes AS d
WHERE (d.dispute_reference = :name OR d.object_id = :object_id)
    AND (:tenant::text IS NULL OR d.tenant = :tenant)
ORDER BY d.tenant;

-- name: payment_of_dispute^
-- The payment that a dispute is about.
SELECT p.* FROM payments AS p WHERE p.tenant = :tenant AND p.payment_id = :payment_id;

-- name: steps_of_dispute
-- What happened to a dispute, and to its payment.
SELECT t.object_type, t.version, t.from_state, t.event, t.to_state, t.reason, t.source, t.event_id, t.at
FROM transitions AS t
WHERE t.tenant = :tenant AND t.object_id = any(ARRAY[:object_id, :payment_id]::uuid[])
ORDER BY t.at, t.object_type, t.version;

-- name: evidence_of_dispute
-- What was sent for it.
SELECT e.version, e.sha256, e.fields, e.links, e.submitted_by, e.submitted_at
FROM dispute_evidence AS e
WHERE e.tenant = :tenant AND e.object_id = :object_id
ORDER BY e.version;

-- name: documents_of_order
-- What was sent or said for the order.
SELECT o.kind, o.reference, o.occurred_at, o.carrier, o.detail, o.sha256
FROM order_documents AS o
WHERE o.tenant = :tenant AND o.order_id = :order_id
ORDER BY o.occurred_at, o.reference;

-- name: entries_of_dispute
-- What it moved in the ledger.
SELECT
    e.entry_id, e.rule, e.effective_at, e.posted_at, l.line, a.code, a.owner,
    CASE l.direction WHEN 1 THEN 'debit' ELSE 'credit' END AS side, l.amount_minor, l.currency
FROM entries AS e
INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE e.tenant = :tenant AND e.object_id = :object_id::uuid::text
ORDER BY e.entry_id, l.line;

-- name: calls_of_dispute
-- What the provider was asked for it, without what it was sent: that is the evidence.
SELECT c.call_id, c.operation, c.status, c.tries, c.created_at, c.answered_at
FROM provider_calls AS c
WHERE c.tenant = :tenant AND c.payment_id = :payment_id AND c.object_id = :object_id
ORDER BY c.created_at, c.call_id;

-- name: messages_of_order
-- Every message about the order or its provider's reference, verbatim, as it came in.
SELECT i.source, i.event_id, i.type, i.received_at, i.outcome, i.reason, i.body
FROM inbox AS i
WHERE i.tenant = :tenant AND i.key = any(:keys::text[])
ORDER BY i.received_at, i.source, i.event_id;
