-- Laws 5, 6 and 7: where payments stand, and why.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: forbidden_transitions
-- Transitions that no table has. An object's first state comes from none, written as ''.
SELECT
    format(
        '%s %s of %s, version %s: %s from %s to %s is not in the table',
        t.object_type, t.object_id, t.tenant, t.version, t.event, coalesce(t.from_state, 'nothing'),
        t.to_state
    ) AS offender
FROM transitions AS t
LEFT JOIN unnest(:object_types::text[], :from_states::text[], :events::text[], :to_states::text[])
    AS k (object_type, from_state, event, to_state)
    ON k.object_type = t.object_type AND k.from_state = coalesce(t.from_state, '') AND k.event = t.event
        AND k.to_state = t.to_state
WHERE k.event IS NULL;

-- name: careless_calls
-- Provider calls without evidence, without a payment that waits for them, or that nobody takes care of.
-- One that is under way may be waited for no more: a webhook or a person was faster.
SELECT format('call %s of %s is answered, but no answer is kept', c.call_id, c.tenant) AS offender
FROM provider_calls AS c
WHERE c.status = 'answered' AND (
    c.answered_at IS NULL
    OR NOT EXISTS (SELECT FROM provider_answers AS a WHERE a.tenant = c.tenant AND a.call_id = c.call_id)
)
UNION ALL
SELECT format('call %s of %s was answered, and yet it is %s', c.call_id, c.tenant, c.status)
FROM provider_calls AS c
WHERE c.status <> 'answered' AND c.answered_at IS NOT NULL
UNION ALL
SELECT
    format(
        'call %s of %s is with %s, whose lease ended at %s', c.call_id, c.tenant, c.claimed_by, c.lease_until
    )
FROM provider_calls AS c
WHERE c.status = 'in_flight' AND c.lease_until < now() - :lease_grace_s * interval '1 second'
UNION ALL
SELECT format('call %s is used %s times, by tenants %s', c.call_id, count(*), string_agg(c.tenant, ', '))
FROM provider_calls AS c
GROUP BY c.call_id
HAVING count(*) > 1
UNION ALL
SELECT
    format(
        'call %s of %s is open, but its payment %s waits for %s',
        c.call_id, c.tenant, c.payment_id, coalesce(p.call_id::text, 'none')
    )
FROM provider_calls AS c
LEFT JOIN payments AS p ON p.tenant = c.tenant AND p.payment_id = c.payment_id
WHERE c.status = 'requested' AND c.object_id IS NULL AND p.call_id IS DISTINCT FROM c.call_id
UNION ALL
SELECT format('payment %s of %s waits for call %s, which is not there', p.payment_id, p.tenant, p.call_id)
FROM payments AS p
LEFT JOIN provider_calls AS c ON c.tenant = p.tenant AND c.call_id = p.call_id AND c.payment_id = p.payment_id
WHERE p.call_id IS NOT NULL AND c.call_id IS NULL;

-- name: overdrawn_payments
-- Payments that break captured <= authorized <= amount, or whose captured amount or fee was not posted so.
-- A debit that the bank takes back is posted in reverse.
WITH taken AS (
    SELECT e.tenant, e.object_id, e.entry_id, CASE e.rule WHEN :reverse THEN -1 ELSE 1 END AS sign
    FROM entries AS e
    WHERE e.object_type = 'payment' AND (e.rule = any(:rules::text[]) OR e.rule = :reverse)
),

posted AS (
    SELECT
        e.tenant, e.object_id, l.currency,
        coalesce(sum(e.sign * l.amount_minor) FILTER (WHERE l.direction = e.sign), 0) AS captured,
        coalesce(
            sum(e.sign * l.amount_minor) FILTER (WHERE l.direction = -e.sign AND a.code = :fee_account), 0
        ) AS fee
    FROM taken AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    GROUP BY e.tenant, e.object_id, l.currency
)

SELECT
    format(
        'payment %s of %s: amount %s, authorized %s, captured %s, fee %s; posted %s, fee %s (minor %s)',
        coalesce(p.payment_id::text, e.object_id), coalesce(p.tenant, e.tenant), coalesce(p.amount_minor, 0),
        coalesce(p.authorized_minor, 0), coalesce(p.captured_minor, 0), coalesce(p.fee_minor, 0),
        coalesce(e.captured, 0), coalesce(e.fee, 0), coalesce(p.currency, e.currency)
    ) AS offender
FROM payments AS p
FULL JOIN posted AS e ON e.tenant = p.tenant AND e.object_id = p.payment_id::text AND e.currency = p.currency
WHERE coalesce(p.captured_minor, 0) <> coalesce(e.captured, 0)
    OR coalesce(p.fee_minor, 0) <> coalesce(e.fee, 0)
    OR p.captured_minor > p.authorized_minor OR p.authorized_minor > p.amount_minor;
