-- Periods of tenants: their bounds, what was closed, and the balances taken then.

-- name: tenants_now
-- Tenants with a test clock, with bounds, or with both.
SELECT
    t.tenant, c.now_at, b.calendar, b.number, b.zone, b.unit, b.closed_before, b.soft_closed_before, b.step,
    b.period, b.set_at
FROM unnest(:tenants::text[]) AS t (tenant)
LEFT JOIN clocks AS c ON c.tenant = t.tenant
LEFT JOIN LATERAL (
    SELECT p.*
    FROM period_bounds AS p
    WHERE p.tenant = t.tenant AND p.calendar = 'books'
    ORDER BY p.number DESC
    LIMIT 1
) AS b ON TRUE
WHERE c.tenant IS NOT NULL OR b.tenant IS NOT NULL;

-- name: stop_entries!
-- Until the end of the transaction nobody decides entries: the bounds are about to move.
SELECT stop_entries();

-- name: hold_bounds!
-- Until the end of the transaction no bounds move: entries are about to be decided by them.
LOCK TABLE period_gate IN ROW SHARE MODE;

-- name: closings_to_take
-- Closings that hold, and whose balances nobody took yet: no later bounds of the tenant lie before them.
SELECT b.tenant, b.number, b.period, b.closed_before
FROM period_bounds AS b
WHERE b.step = 'close'
    AND NOT EXISTS (
        SELECT FROM period_closings AS c
        WHERE c.tenant = b.tenant AND c.number = b.number
    )
    AND NOT EXISTS (
        SELECT FROM period_bounds AS l
        WHERE l.tenant = b.tenant AND l.number > b.number AND l.closed_before < b.closed_before
    )
ORDER BY b.tenant, b.number;

-- name: take_closing^
-- Takes what every account held at a closing that is due: how many accounts and lines; no row when it is not
-- due any more. Accounts without slices start from the closing before it. `from_entry_id` is the first of an
-- account's lines that is effective after the closing, or the first that may still come; an account with
-- slices needs none.
WITH due AS (
    SELECT b.tenant, b.number, b.period, b.closed_before
    FROM period_bounds AS b
    WHERE b.tenant = :tenant AND b.number = :number AND b.step = 'close'
        AND NOT EXISTS (
            SELECT FROM period_closings AS c
            WHERE c.tenant = b.tenant AND c.number = b.number
        )
        AND NOT EXISTS (
            SELECT FROM period_bounds AS l
            WHERE l.tenant = b.tenant AND l.number > b.number AND l.closed_before < b.closed_before
        )
),

held AS (
    SELECT
        a.tenant, d.number, a.account_id, h.debit_minor, h.credit_minor, h.lines,
        CASE WHEN m.entry_id IS NULL THEN least(:settled::bigint + 1, f.entry_id) ELSE 1 END AS from_entry_id
    FROM due AS d
    LEFT JOIN LATERAL (
        SELECT i.number, i.closed_before
        FROM standing_closings AS i
        WHERE i.tenant = d.tenant AND i.closed_before <= d.closed_before
        ORDER BY i.number DESC
        LIMIT 1
    ) AS s ON TRUE
    INNER JOIN accounts AS a ON a.tenant = d.tenant
    LEFT JOIN account_marks AS m ON m.account_id = a.account_id AND m.tenant = a.tenant
    LEFT JOIN closing_balances AS c
        ON c.account_id = a.account_id AND c.number = s.number AND c.tenant = a.tenant
    CROSS JOIN LATERAL held_before(
        a.account_id, a.tenant, 'effective', d.closed_before, s.number, coalesce(s.closed_before, '-infinity')
    ) AS h
    CROSS JOIN LATERAL (
        SELECT min(l.entry_id) AS entry_id
        FROM lines AS l
        CROSS JOIN LATERAL (
            SELECT i.effective_at FROM entries AS i
            WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
            OFFSET 0
        ) AS e
        WHERE m.entry_id IS NULL AND l.tenant = a.tenant
            AND (l.account_id, l.entry_id) BETWEEN (a.account_id, coalesce(c.from_entry_id, 1))
            AND (a.account_id, 9223372036854775807)
            AND e.effective_at >= d.closed_before
    ) AS f
    WHERE h.lines > 0
),

closing AS (
    INSERT INTO period_closings (tenant, number, period, closed_before, accounts, lines)
    SELECT
        d.tenant, d.number, d.period, d.closed_before, (SELECT count(*) FROM held),
        (SELECT coalesce(sum(h.lines), 0) FROM held AS h)
    FROM due AS d
    RETURNING period, accounts, lines
),

balances AS (
    INSERT INTO closing_balances (
        tenant, number, account_id, debit_minor, credit_minor, lines, from_entry_id
    )
    SELECT h.tenant, h.number, h.account_id, h.debit_minor, h.credit_minor, h.lines, h.from_entry_id
    FROM held AS h
)

SELECT c.period, c.accounts, c.lines FROM closing AS c;

-- name: periods
-- Periods that somebody touched, newest first, with the closing that holds.
SELECT
    p.tenant, p.period, p.state, p.version, p.starts_at, p.ends_at, p.reopening_requested_by, p.changed_by,
    p.updated_at, c.number, c.accounts, c.lines, c.taken_at
FROM periods AS p
LEFT JOIN LATERAL (
    SELECT i.*
    FROM period_closings AS i
    WHERE i.tenant = p.tenant AND i.period = p.period AND p.state IN ('closed', 'reopening_requested')
    ORDER BY i.number DESC
    LIMIT 1
) AS c ON TRUE
WHERE (:tenant::text IS NULL OR p.tenant = :tenant)
ORDER BY p.tenant ASC, p.starts_at DESC
LIMIT :most;

-- name: count_periods$
-- How many there are.
SELECT count(*) FROM periods AS p WHERE :tenant::text IS NULL OR p.tenant = :tenant;

-- name: closing_balances
-- What the accounts held when a period was closed last, unless that was undone.
SELECT a.code, a.owner, a.currency, a.type, b.debit_minor, b.credit_minor, b.lines
FROM closing_balances AS b
INNER JOIN accounts AS a ON a.account_id = b.account_id AND a.tenant = b.tenant
WHERE b.tenant = :tenant AND b.number = (
    SELECT max(c.number) FROM standing_closings AS c WHERE c.tenant = :tenant AND c.period = :period
)
ORDER BY a.code, a.owner, a.currency;

-- name: late_entries
-- Entries that happened in a closed period, newest first.
SELECT
    o.tenant, o.entry_id, o.period, o.origin_effective_at, e.effective_at, e.rule, e.object_type, e.object_id
FROM entry_origins AS o
INNER JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
WHERE (:tenant::text IS NULL OR o.tenant = :tenant) AND (:period::text IS NULL OR o.period = :period)
ORDER BY o.entry_id DESC
LIMIT :most;

-- name: rebuilt_bounds
-- For the comparison after a replay: how the bounds moved.
SELECT
    concat_ws('/', b.tenant, b.number) COLLATE "C" AS name,
    to_jsonb(b) - ARRAY['snapshot', 'xid', 'set_at'] AS content
FROM period_bounds AS b
ORDER BY 1;

-- name: rebuilt_periods
-- For the comparison after a replay: where periods stand.
SELECT concat_ws('/', p.tenant, p.period) COLLATE "C" AS name, to_jsonb(p) - 'updated_at' AS content
FROM periods AS p
ORDER BY 1;

-- name: rebuilt_origins
-- For the comparison after a replay: origins by the message that their entries follow from.
SELECT
    concat_ws(
        '/', e.tenant, e.source, e.event_id,
        row_number() OVER (PARTITION BY e.tenant, e.source, e.event_id ORDER BY e.entry_id)
    ) COLLATE "C" AS name,
    to_jsonb(o) - 'entry_id' AS content
FROM entry_origins AS o
INNER JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
ORDER BY 1;
