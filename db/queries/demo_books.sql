-- What the demo expects of the books and reports of them. Amounts are minor units; `sources` are its desks.

-- name: outcomes_of_sources
-- What became of every message of these desks.
SELECT m.tenant, m.event_id, m.outcome, m.reason
FROM inbox AS m
WHERE m.source = any(:sources::text[]);

-- name: posted_by_sources
-- What was posted on account of these desks, and whatever was in these tenants; debits less credits.
SELECT
    a.tenant, a.code, a.owner, a.currency, sum(l.direction * l.amount_minor)::bigint AS signed_minor
FROM entries AS e
INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE e.source = any(:sources::text[]) OR e.tenant = any(:tenants::text[])
GROUP BY a.tenant, a.code, a.owner, a.currency;

-- name: journals_of_sources
-- Where the journals of these desks stand.
SELECT j.tenant, j.journal_id, j.state
FROM journals AS j
WHERE (j.tenant, j.journal_id) IN (
    SELECT m.tenant, m.key FROM inbox AS m WHERE m.source = any(:sources::text[])
);

-- name: conversions_of_tenants
-- By how much what arrived differs from the rate.
SELECT j.tenant, j.journal_id, (j.terms ->> 'difference_minor')::bigint AS difference_minor
FROM journals AS j
WHERE j.kind = 'conversion' AND j.tenant = any(:tenants::text[]);

-- name: wallets_of_sources
-- What is in the wallets of these desks, by the balances of their accounts and the tenant's clock.
SELECT
    w.tenant, w.name, sum(p.posted_minor)::bigint AS posted_minor, sum(b.held_minor)::bigint AS held_minor,
    coalesce(
        sum(greatest(p.posted_minor - b.held_minor + b.overdraft_minor, 0)) FILTER (
            WHERE b.expires_at IS NULL OR b.expires_at > coalesce(c.now_at, now())
        ), 0
    )::bigint AS available_minor
FROM wallets AS w
INNER JOIN wallet_buckets AS b ON b.tenant = w.tenant AND b.wallet = w.name
LEFT JOIN clocks AS c ON c.tenant = w.tenant
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.credit_minor - s.debit_minor), 0) AS posted_minor
    FROM balances AS s
    WHERE s.tenant = b.tenant AND s.account_id = b.account_id
) AS p
WHERE (w.tenant, w.name) IN (
    SELECT m.tenant, m.key FROM inbox AS m WHERE m.source = any(:sources::text[])
)
GROUP BY w.tenant, w.name;

-- name: holds_of_sources
-- How the holds on the wallets of these desks stand.
SELECT h.tenant, h.wallet, h.hold_id, h.state, h.posted_minor
FROM holds AS h
WHERE (h.tenant, h.wallet) IN (
    SELECT m.tenant, m.key FROM inbox AS m WHERE m.source = any(:sources::text[])
);

-- name: periods_of_tenants
-- Where these tenants' periods stand.
SELECT p.tenant, p.period, p.state FROM periods AS p WHERE p.tenant = any(:tenants::text[]);

-- name: origins_of_tenants
-- When what came late had happened, and as of when it is booked.
SELECT o.tenant, o.period, o.origin_effective_at, e.effective_at
FROM entry_origins AS o
INNER JOIN entries AS e ON e.tenant = o.tenant AND e.entry_id = o.entry_id
WHERE o.tenant = any(:tenants::text[]);

-- name: journal_states
-- How many journals of each kind stand where.
SELECT j.kind, j.state, count(*) AS journals, sum(j.legs) AS legs
FROM journals AS j
GROUP BY j.kind, j.state
ORDER BY j.kind, j.state;

-- name: wallet_money
-- What wallets hold, of that reserved, and what can be spent, by family and currency.
SELECT
    w.family, w.currency, count(DISTINCT concat_ws(' ', w.tenant, w.name)) AS wallets,
    sum(p.posted_minor)::bigint AS posted_minor, sum(b.held_minor)::bigint AS held_minor,
    coalesce(
        sum(greatest(p.posted_minor - b.held_minor + b.overdraft_minor, 0)) FILTER (
            WHERE b.expires_at IS NULL OR b.expires_at > coalesce(c.now_at, now())
        ), 0
    )::bigint AS available_minor
FROM wallets AS w
INNER JOIN wallet_buckets AS b ON b.tenant = w.tenant AND b.wallet = w.name
LEFT JOIN clocks AS c ON c.tenant = w.tenant
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.credit_minor - s.debit_minor), 0) AS posted_minor
    FROM balances AS s
    WHERE s.tenant = b.tenant AND s.account_id = b.account_id
) AS p
GROUP BY w.family, w.currency;

-- name: wallet_turnover
-- What came into wallets and went out of them, by rule.
SELECT w.family, w.currency, e.rule, sum(l.amount_minor)::bigint AS amount_minor
FROM wallets AS w
INNER JOIN wallet_buckets AS b ON b.tenant = w.tenant AND b.wallet = w.name
INNER JOIN lines AS l ON l.tenant = b.tenant AND l.account_id = b.account_id
INNER JOIN entries AS e ON e.tenant = l.tenant AND e.entry_id = l.entry_id
WHERE e.object_type IN ('wallet', 'hold')
GROUP BY w.family, w.currency, e.rule;

-- name: hold_states
-- How many holds stand where.
SELECT h.state, count(*) AS holds FROM holds AS h GROUP BY h.state;

-- name: period_states
-- Every period that somebody touched, what was kept of its closings, and how many entries came late.
SELECT
    p.tenant, p.period, p.state,
    (
        SELECT count(*) FROM period_closings AS c WHERE c.tenant = p.tenant AND c.period = p.period
    ) AS closings,
    coalesce((
        SELECT c.accounts FROM period_closings AS c
        WHERE c.tenant = p.tenant AND c.period = p.period
        ORDER BY c.number DESC
        LIMIT 1
    ), 0) AS accounts,
    coalesce((
        SELECT c.lines FROM period_closings AS c
        WHERE c.tenant = p.tenant AND c.period = p.period
        ORDER BY c.number DESC
        LIMIT 1
    ), 0) AS lines,
    (
        SELECT count(*) FROM entry_origins AS o WHERE o.tenant = p.tenant AND o.period = p.period
    ) AS late
FROM periods AS p
ORDER BY p.tenant, p.starts_at;

-- name: conversion_money
-- What was sold and bought, by pair; `by_rate_minor` is what the rate said, `arrived_minor` what came.
SELECT
    l.owner AS pair, count(DISTINCT l.object_id) AS conversions,
    sum(l.amount_minor) FILTER (WHERE l.currency = split_part(l.owner, '/', 1))::bigint AS sold_minor,
    sum(l.amount_minor) FILTER (WHERE l.currency = split_part(l.owner, '/', 2))::bigint AS by_rate_minor,
    sum(l.amount_minor + (j.terms ->> 'difference_minor')::bigint) FILTER (
        WHERE l.currency = split_part(l.owner, '/', 2)
    )::bigint AS arrived_minor
FROM journals AS j
INNER JOIN journal_lines AS l ON l.tenant = j.tenant AND l.object_id = j.object_id
WHERE j.kind = 'conversion' AND j.state = 'posted' AND l.account = 'trading'
GROUP BY l.owner
ORDER BY l.owner;

-- name: rounding_differences
-- Where the differences are that rounding made: what it cost, or brought when it is negative.
SELECT a.tenant, a.owner, a.currency, a.balance_minor::bigint AS cost_minor
FROM account_balances AS a
WHERE a.code = 'rounding_difference'
ORDER BY a.tenant, a.owner, a.currency;

-- name: slices_and_closings^
-- What was summed up of long accounts, and kept of closed periods.
SELECT
    (
        SELECT count(DISTINCT concat_ws(' ', s.account_id, s.first_entry_id)) FROM account_slices AS s
    ) AS slices,
    (SELECT coalesce(sum(m.lines), 0)::bigint FROM account_marks AS m) AS lines_in_slices,
    (SELECT count(*) FROM period_closings) AS closings,
    (SELECT coalesce(sum(c.accounts), 0)::bigint FROM period_closings AS c) AS balances_kept;
