-- For people who decide: prior attempts, outcomes that nobody knows, and payments by whatever name.

-- name: prior_payment^
-- The order's payment, if there is one.
SELECT
    p.payment_id, p.state, p.version, p.currency, p.amount_minor, p.authorized_minor, p.captured_minor,
    p.merchant_id, p.customer_id, p.method, p.method_network, p.method_last4, p.provider,
    p.provider_reference, p.attempts, p.calls, p.certain, p.call_operation, p.reason, p.created_at,
    p.updated_at
FROM payments AS p
WHERE p.tenant = :tenant AND p.payment_id = :payment_id;

-- name: prior_calls
-- What the provider was asked for a payment, and what it answered last; oldest first.
SELECT
    c.call_id, c.provider, c.operation, c.amount_minor, c.status, c.tries, c.created_at, c.answered_at,
    a.answer, a.detail
FROM provider_calls AS c
LEFT JOIN LATERAL (
    SELECT l.answer, l.detail FROM provider_answers AS l
    WHERE l.tenant = c.tenant AND l.call_id = c.call_id
    ORDER BY l.try DESC
    LIMIT 1
) AS a ON true
WHERE c.tenant = :tenant AND c.payment_id = :payment_id
ORDER BY c.created_at, c.call_id;

-- name: similar_payments
-- Payments of the same customer for the same money since a time: perhaps for the same purchase.
-- Reads the tenant's payments; it is asked once before somebody charges by hand.
SELECT p.order_id, p.payment_id, p.state, p.captured_minor, p.created_at
FROM payments AS p
WHERE p.tenant = :tenant AND p.customer_id = :customer_id AND p.currency = :currency
    AND p.amount_minor = :amount_minor AND p.order_id <> :order_id AND p.created_at >= :since
ORDER BY p.created_at DESC
LIMIT 20;

-- name: unknown_outcomes
-- Calls whose outcome nobody knows, of payments, refunds and disputes, the oldest first, with all that is
-- known and the time by which to decide. A person can decide those of payments; `object_name` is the refund's
-- or dispute's. Refunds and disputes are found by their open calls, which have an index.
WITH unsure AS (
    SELECT
        p.tenant, p.order_id, p.payment_id, p.payment_id AS object_id, 'payment' AS object_type,
        p.order_id AS object_name, p.state, p.currency, p.amount_minor, p.captured_minor, p.call_id,
        p.call_operation, p.call_amount_minor, p.provider, p.provider_reference, p.reason, p.remarks,
        p.updated_at
    FROM payments AS p
    WHERE NOT p.certain
    UNION ALL
    SELECT
        r.tenant, r.order_id, r.payment_id, r.object_id, 'refund', r.refund_id, r.state, r.currency,
        r.amount_minor, NULL, r.call_id, c.operation, c.amount_minor, c.provider, r.provider_reference,
        r.reason, NULL, r.updated_at
    FROM provider_calls AS c
    INNER JOIN refunds AS r ON r.object_id = c.object_id AND r.tenant = c.tenant AND r.call_id = c.call_id
    WHERE c.status <> 'answered' AND NOT r.certain
    UNION ALL
    SELECT
        d.tenant, d.order_id, d.payment_id, d.object_id, 'dispute', d.dispute_reference, d.state, d.currency,
        d.amount_minor, NULL, d.call_id, d.call_operation, c.amount_minor, d.provider, d.provider_reference,
        d.reason, NULL, d.updated_at
    FROM provider_calls AS c
    INNER JOIN disputes AS d ON d.object_id = c.object_id AND d.tenant = c.tenant AND d.call_id = c.call_id
    WHERE c.status <> 'answered' AND NOT d.certain
),

deadlines AS (
    SELECT c.tenant, c.call_id, max(d.due_at) AS due_at
    FROM unsure AS u
    INNER JOIN provider_calls AS c ON c.tenant = u.tenant AND c.call_id = u.call_id
    INNER JOIN timers AS d ON d.tenant = u.tenant AND d.payment_id = u.payment_id
    WHERE u.object_type = 'payment' AND d.kind = 'outcome_deadline' AND d.due_at >= c.created_at
    GROUP BY c.tenant, c.call_id
)

SELECT
    u.*, c.created_at AS asked_at, c.status, c.tries, c.unknown_since, a.answer, a.detail,
    t.due_at AS deadline_at
FROM unsure AS u
INNER JOIN provider_calls AS c ON c.tenant = u.tenant AND c.call_id = u.call_id
LEFT JOIN LATERAL (
    SELECT l.answer, l.detail FROM provider_answers AS l
    WHERE l.tenant = c.tenant AND l.call_id = c.call_id
    ORDER BY l.try DESC
    LIMIT 1
) AS a ON true
LEFT JOIN deadlines AS t ON t.tenant = u.tenant AND t.call_id = u.call_id
WHERE :tenant::text IS NULL OR u.tenant = :tenant
ORDER BY coalesce(t.due_at, u.updated_at), u.tenant, u.order_id
LIMIT :most;

-- name: unknown_outcome^
-- One of them, by its call.
SELECT p.tenant, p.order_id, p.call_operation, p.call_amount_minor, p.currency, p.provider, p.state
FROM payments AS p
INNER JOIN provider_calls AS c ON c.tenant = p.tenant AND c.payment_id = p.payment_id
WHERE c.call_id = :call_id AND p.call_id = :call_id AND NOT p.certain;

-- name: operation_of_call$
-- What a call asks for on behalf of a refund or dispute.
SELECT c.operation FROM provider_calls AS c WHERE c.call_id = :call_id AND c.object_id IS NOT NULL;

-- name: find_payments
-- Payments by a name that has an index: of the payment, a tenant's order, the provider's reference, also of a
-- charge that came late, a call, or a member of the metadata of payments that a provider was asked for.
WITH named AS (
    SELECT p.tenant, p.payment_id, 'payment_id' AS found_by FROM payments AS p
    WHERE p.payment_id = :id::uuid
    UNION ALL
    SELECT p.tenant, p.payment_id, 'order_id' FROM payments AS p
    WHERE p.payment_id = :order_payment_id::uuid
    UNION ALL
    SELECT p.tenant, p.payment_id, 'provider_reference' FROM payments AS p
    WHERE p.provider_reference = :name
    UNION ALL
    SELECT p.tenant, p.payment_id, 'late_charge' FROM payments AS p
    WHERE p.remarks IS NOT NULL AND jsonb_exists(p.remarks, :name)
    UNION ALL
    SELECT c.tenant, c.payment_id, 'call_id' FROM provider_calls AS c
    WHERE c.call_id = :id::uuid
    UNION ALL
    SELECT p.tenant, p.payment_id, 'metadata' FROM payments AS p
    WHERE p.metadata @> :member::jsonb AND p.capture_method <> 'recorded' AND p.metadata <> '{}'
)

SELECT
    n.found_by, p.tenant, p.order_id, p.payment_id, p.merchant_id, p.customer_id, p.state, p.currency,
    p.amount_minor, p.captured_minor, p.provider, p.provider_reference, p.metadata, p.created_at
FROM named AS n
INNER JOIN payments AS p ON p.tenant = n.tenant AND p.payment_id = n.payment_id
WHERE :tenant::text IS NULL OR p.tenant = :tenant
ORDER BY p.created_at DESC, p.payment_id DESC
LIMIT :most;

-- name: find_anywhere
-- Payments of this order or customer, or with this value in their metadata. Reads all payments.
SELECT
    CASE
        WHEN p.order_id = :name THEN 'order_id'
        WHEN p.customer_id = :name THEN 'customer_id'
        ELSE 'metadata'
    END AS found_by,
    p.tenant, p.order_id, p.payment_id, p.merchant_id, p.customer_id, p.state, p.currency,
    p.amount_minor, p.captured_minor, p.provider, p.provider_reference, p.metadata, p.created_at
FROM payments AS p
WHERE (:tenant::text IS NULL OR p.tenant = :tenant)
    AND (
        p.order_id = :name OR p.customer_id = :name
        OR EXISTS (SELECT FROM jsonb_each_text(p.metadata) AS m WHERE m.value = :name)
    )
ORDER BY p.created_at DESC, p.payment_id DESC
LIMIT :most;
