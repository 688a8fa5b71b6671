-- name: operation^
-- What was answered to a key.
SELECT
    fingerprint,
    operation,
    http_status,
    answer
FROM operations
WHERE idempotency_key = :key;

-- name: put_operation!
-- Remember a key, and later its answer.
INSERT INTO operations (idempotency_key, fingerprint, operation, authorization_id, http_status, answer)
VALUES (:key, :fingerprint, :operation, :authorization_id, :http_status, :answer)
ON CONFLICT (idempotency_key) DO UPDATE SET
    authorization_id = excluded.authorization_id,
    http_status = excluded.http_status,
    answer = excluded.answer;

-- name: authorization^
-- One authorization.
SELECT
    id,
    reference,
    token,
    method_type,
    amount_minor,
    currency,
    capture,
    metadata,
    status,
    decline_code,
    created_at
FROM authorizations
WHERE id = :id;

-- name: captures_of
-- What was captured from an authorization, oldest first.
SELECT
    id,
    amount_minor,
    final
FROM captures
WHERE authorization_id = :authorization_id
ORDER BY position;

-- name: put_authorization!
-- Open an authorization or move it to another state.
INSERT INTO authorizations (
    id, reference, token, method_type, amount_minor, currency, capture, metadata,
    status, decline_code, created_at
)
VALUES (
    :id, :reference, :token, :method_type, :amount_minor, :currency, :capture, :metadata,
    :status, :decline_code, :created_at
)
ON CONFLICT (id) DO UPDATE SET
    status = excluded.status,
    decline_code = excluded.decline_code;

-- name: add_capture!
-- A capture never changes once it is written.
INSERT INTO captures (id, authorization_id, amount_minor, final)
VALUES (:id, :authorization_id, :amount_minor, :final)
ON CONFLICT (id) DO NOTHING;

-- name: charges
-- Every authorization that really held or took money, oldest first.
SELECT
    auths.position,
    auths.id,
    auths.reference,
    auths.status,
    auths.currency,
    auths.amount_minor,
    (
        SELECT coalesce(sum(caps.amount_minor), 0)
        FROM captures AS caps
        WHERE caps.authorization_id = auths.id
    ) AS captured_amount_minor,
    (
        SELECT json_group_array(ops.idempotency_key)
        FROM operations AS ops
        WHERE ops.authorization_id = auths.id AND ops.http_status < 300
    ) AS idempotency_keys
FROM authorizations AS auths
WHERE
    auths.status IN ('authorized', 'partially_captured', 'captured', 'voided')
    AND auths.position > :after
    AND (:reference IS NULL OR auths.reference = :reference)
ORDER BY auths.position
LIMIT :row_limit;

-- name: captured_totals
-- What was captured in all, by currency.
SELECT
    auths.currency,
    count(DISTINCT auths.id) AS charges,
    sum(caps.amount_minor) AS captured_amount_minor
FROM captures AS caps
INNER JOIN authorizations AS auths ON caps.authorization_id = auths.id
WHERE :reference IS NULL OR auths.reference = :reference
GROUP BY auths.currency
ORDER BY auths.currency;
