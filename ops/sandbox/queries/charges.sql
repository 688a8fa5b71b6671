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
    idempotency_key,
    reference,
    token,
    network,
    amount_minor,
    currency,
    capture,
    metadata,
    status,
    decline_code,
    returned_amount_minor,
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

-- name: refunds_of
-- The refunds of an authorization, oldest first.
SELECT
    id,
    idempotency_key,
    amount_minor,
    status,
    failure_code,
    metadata,
    created_at
FROM refunds
WHERE authorization_id = :authorization_id
ORDER BY position;

-- name: disputes_of
-- The disputes of an authorization, oldest first.
SELECT
    id,
    stage,
    status,
    amount_minor,
    funds_minor,
    fee_minor,
    network_reason,
    evidence,
    evidence_due_at,
    created_at
FROM disputes
WHERE authorization_id = :authorization_id
ORDER BY position;

-- name: authorization_of_refund^
-- To which authorization a refund belongs.
SELECT authorization_id FROM refunds
WHERE id = :id;

-- name: authorization_of_dispute^
-- To which authorization a dispute belongs.
SELECT authorization_id FROM disputes
WHERE id = :id;

-- name: put_authorization!
-- Open an authorization or move it to another state.
INSERT INTO authorizations (
    id, idempotency_key, reference, token, network, amount_minor, currency, capture, metadata,
    status, decline_code, returned_amount_minor, created_at
)
VALUES (
    :id, :idempotency_key, :reference, :token, :network, :amount_minor, :currency, :capture, :metadata,
    :status, :decline_code, :returned_amount_minor, :created_at
)
ON CONFLICT (id) DO UPDATE SET
    amount_minor = excluded.amount_minor,
    status = excluded.status,
    decline_code = excluded.decline_code,
    returned_amount_minor = excluded.returned_amount_minor;

-- name: add_captures*!
-- A capture never changes once it is written.
INSERT INTO captures (id, authorization_id, amount_minor, final)
VALUES (:id, :authorization_id, :amount_minor, :final);

-- name: put_refunds*!
-- Make a refund or move it to another state.
INSERT INTO refunds (
    id, authorization_id, idempotency_key, amount_minor, status, failure_code, metadata, created_at
)
VALUES (
    :id, :authorization_id, :idempotency_key, :amount_minor, :status, :failure_code, :metadata, :created_at
)
ON CONFLICT (id) DO UPDATE SET
    status = excluded.status,
    failure_code = excluded.failure_code;

-- name: put_disputes*!
-- Open a dispute or move it to another state.
INSERT INTO disputes (
    id, authorization_id, stage, status, amount_minor, funds_minor, fee_minor, network_reason,
    evidence, evidence_due_at, created_at
)
VALUES (
    :id, :authorization_id, :stage, :status, :amount_minor, :funds_minor, :fee_minor, :network_reason,
    :evidence, :evidence_due_at, :created_at
)
ON CONFLICT (id) DO UPDATE SET
    stage = excluded.stage,
    status = excluded.status,
    funds_minor = excluded.funds_minor,
    fee_minor = excluded.fee_minor,
    evidence = excluded.evidence,
    evidence_due_at = excluded.evidence_due_at;

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
        SELECT coalesce(sum(back.amount_minor), 0)
        FROM refunds AS back
        WHERE back.authorization_id = auths.id AND back.status = 'succeeded'
    ) AS refunded_amount_minor,
    (
        SELECT coalesce(sum(disp.funds_minor), 0)
        FROM disputes AS disp
        WHERE disp.authorization_id = auths.id
    ) AS disputed_amount_minor,
    auths.returned_amount_minor,
    (
        SELECT json_group_array(ops.idempotency_key)
        FROM operations AS ops
        WHERE ops.authorization_id = auths.id AND ops.http_status < 300
    ) AS idempotency_keys
FROM authorizations AS auths
WHERE
    auths.status IN ('authorized', 'partially_captured', 'captured', 'voided', 'expired', 'returned')
    AND auths.position > :after
    AND (:reference IS NULL OR auths.reference = :reference)
ORDER BY auths.position
LIMIT :row_limit;

-- name: captured_totals
-- What was captured in all, by currency, and what of it went back.
WITH taken AS (
    SELECT
        caps.authorization_id,
        sum(caps.amount_minor) AS amount_minor
    FROM captures AS caps
    GROUP BY caps.authorization_id
),

given_back AS (
    SELECT
        back.authorization_id,
        sum(back.amount_minor) AS amount_minor
    FROM refunds AS back
    WHERE back.status = 'succeeded'
    GROUP BY back.authorization_id
),

withheld AS (
    SELECT
        disp.authorization_id,
        sum(disp.funds_minor) AS amount_minor
    FROM disputes AS disp
    GROUP BY disp.authorization_id
)

SELECT
    auths.currency,
    count(*) AS charges,
    sum(taken.amount_minor) AS captured_amount_minor,
    coalesce(sum(given_back.amount_minor), 0) AS refunded_amount_minor,
    coalesce(sum(withheld.amount_minor), 0) AS disputed_amount_minor,
    sum(auths.returned_amount_minor) AS returned_amount_minor
FROM taken
INNER JOIN authorizations AS auths ON taken.authorization_id = auths.id
LEFT JOIN given_back ON taken.authorization_id = given_back.authorization_id
LEFT JOIN withheld ON taken.authorization_id = withheld.authorization_id
WHERE :reference IS NULL OR auths.reference = :reference
GROUP BY auths.currency
ORDER BY auths.currency;
