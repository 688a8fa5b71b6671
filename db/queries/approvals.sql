-- What waits for a person, context by context; the unknown outcomes are in operator.sql.

-- name: refunds_to_approve
-- Refunds beyond the policy, with the time at which nobody's approval counts as a no.
SELECT
    r.tenant, r.order_id, r.refund_id, r.currency, r.amount_minor, r.cause, r.note, r.needs_approval_of,
    r.requested_by, r.requested_at, r.requested_at + make_interval(days => p.approval_days) AS act_by
FROM refunds AS r
INNER JOIN refund_policies AS p ON p.tenant = r.tenant AND p.version = r.policy_version
WHERE r.state = 'pending_approval' AND (:tenant::text IS NULL OR r.tenant = :tenant)
ORDER BY r.requested_at, r.object_id
LIMIT :most;

-- name: journals_to_approve
-- Journals, reversals and conversions that are proposed whole.
SELECT
    j.tenant, j.journal_id, j.kind, j.legs, j.sums, j.note, j.needs_approval_of, j.proposed_by, j.proposed_at,
    j.act_by
FROM journals AS j
WHERE j.state = 'proposed' AND (:tenant::text IS NULL OR j.tenant = :tenant)
ORDER BY j.proposed_at, j.object_id
LIMIT :most;

-- name: reopenings_to_approve
-- Closed periods that somebody wants open again.
SELECT p.tenant, p.period, p.reopening_requested_by, p.updated_at
FROM periods AS p
WHERE p.state = 'reopening_requested' AND (:tenant::text IS NULL OR p.tenant = :tenant)
ORDER BY p.updated_at, p.object_id
LIMIT :most;

-- name: disputes_to_answer
-- Disputes that can still be answered, and were not given up or answered just now.
SELECT
    d.tenant, d.dispute_reference, d.order_id, d.state, d.stage, d.currency, d.amount_minor, d.network_reason,
    d.evidence_due_at, d.opened_at
FROM disputes AS d
WHERE d.state IN ('inquiry', 'opened', 'evidence_due') AND d.evidence_due_at IS NOT NULL
    AND d.call_id IS NULL AND (:tenant::text IS NULL OR d.tenant = :tenant)
ORDER BY d.opened_at, d.object_id
LIMIT :most;

-- name: tenants_times
-- The time of tenants that have a test clock, and the system's.
SELECT c.tenant, c.now_at FROM clocks AS c
UNION ALL
SELECT NULL, now();
