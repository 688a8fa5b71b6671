-- name: add_lines*!
-- What moved the balance.
INSERT INTO lines (
    type, authorization_id, object_id, reference, metadata, currency, gross_minor, fee_minor, booked_at
)
VALUES (
    :type, :authorization_id, :object_id, :reference, :metadata, :currency, :gross_minor, :fee_minor,
    :booked_at
);

-- name: unsettled
-- What a day brought that no payout has in it, by currency.
SELECT
    currency,
    sum(gross_minor - fee_minor) AS net_minor
FROM lines
WHERE booked_on = :settlement_date AND payout_id IS NULL
GROUP BY currency
ORDER BY currency;

-- name: add_payouts*!
-- What is paid out for a day; below zero it is collected.
INSERT INTO payouts (id, settlement_date, currency, amount_minor, status, created_at)
VALUES (:id, :settlement_date, :currency, :amount_minor, 'in_transit', :created_at);

-- name: settle_lines!
-- Each line of the day goes into the payout of its currency.
UPDATE lines SET
    payout_id = (
        SELECT pays.id
        FROM payouts AS pays
        WHERE pays.settlement_date = lines.booked_on AND pays.currency = lines.currency
    )
WHERE booked_on = :settlement_date AND payout_id IS NULL;

-- name: payout_arrives!
-- The money is on the merchant's account.
UPDATE payouts SET
    status = 'paid',
    paid_at = :paid_at
WHERE id = :id;

-- name: payouts
-- Every payout, or one, oldest first.
SELECT
    id,
    settlement_date,
    currency,
    amount_minor,
    status,
    created_at,
    paid_at
FROM payouts
WHERE :id IS NULL OR id = :id
ORDER BY position;

-- name: settlements
-- Each day and currency with its totals, oldest first; without a payout the day is not over.
SELECT
    booked_on AS date,
    currency,
    max(payout_id) AS payout_id,
    count(*) AS lines_count,
    sum(gross_minor) AS gross_minor,
    sum(fee_minor) AS fee_minor,
    sum(gross_minor - fee_minor) AS net_minor
FROM lines
WHERE
    (:date IS NULL OR booked_on = :date)
    AND (:currency IS NULL OR currency = :currency)
GROUP BY booked_on, currency
ORDER BY booked_on, currency;

-- name: settlement_lines
-- The lines of a day and currency, oldest first.
SELECT
    position,
    type,
    authorization_id,
    object_id,
    reference,
    metadata,
    currency,
    gross_minor,
    fee_minor,
    gross_minor - fee_minor AS net_minor,
    booked_at,
    payout_id
FROM lines
WHERE booked_on = :date AND currency = :currency
ORDER BY position;
