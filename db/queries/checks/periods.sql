-- Laws 2, 4, 5 and 9 for periods: what is closed stays as it was, and what came late says so.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: entries_after_closing
-- Entries effective before bounds that held when they were written: not there when these bounds were set, and
-- there before the next. A transaction that moves bounds has written its entries before.
WITH bounds AS (
    SELECT
        b.tenant, b.number, b.closed_before, b.soft_closed_before, b.snapshot, b.xid,
        lead(b.snapshot) OVER one AS next_snapshot, lead(b.xid) OVER one AS next_xid
    FROM period_bounds AS b
    WINDOW one AS (PARTITION BY b.tenant ORDER BY b.number)
)

SELECT
    format(
        'entry %s of %s is effective %s and was written after the books were closed before %s',
        e.entry_id, e.tenant, e.effective_at,
        CASE WHEN e.object_type = any(:manual::text[]) THEN b.closed_before ELSE b.soft_closed_before END
    ) AS offender
FROM bounds AS b
INNER JOIN entries AS e ON e.tenant = b.tenant
    AND e.xid >= pg_snapshot_xmin(b.snapshot)
    AND (b.next_snapshot IS NULL OR e.xid < pg_snapshot_xmax(b.next_snapshot) OR e.xid = b.next_xid)
WHERE e.effective_at
    < CASE WHEN e.object_type = any(:manual::text[]) THEN b.closed_before ELSE b.soft_closed_before END
    AND NOT pg_visible_in_snapshot(e.xid, b.snapshot) AND e.xid <> b.xid
    AND (b.next_snapshot IS NULL OR pg_visible_in_snapshot(e.xid, b.next_snapshot) OR e.xid = b.next_xid);

-- name: closings_taken_wrong
-- Closings whose balances are not the sums of the lines effective before them: of one that holds all lines,
-- of one that was undone those that were there when the books were closed. Balances that later ones may not
-- start from; closings that count other accounts or lines than they have; and balances of no closing.
WITH closings AS (
    SELECT
        c.*,
        exists(
            SELECT FROM period_bounds AS l
            WHERE l.tenant = c.tenant AND l.number > c.number AND l.closed_before < c.closed_before
        ) AS undone
    FROM period_closings AS c
),

standing AS (
    SELECT
        c.*, lag(c.closed_before) OVER (PARTITION BY c.tenant ORDER BY c.closed_before) AS since
    FROM closings AS c
    WHERE NOT c.undone
),

moved AS (
    SELECT
        s.tenant, s.closed_before, l.account_id, count(*) AS lines,
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit_minor,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit_minor
    FROM standing AS s
    INNER JOIN entries AS e
        ON e.tenant = s.tenant AND e.effective_at < s.closed_before
        AND (s.since IS NULL OR e.effective_at >= s.since)
    INNER JOIN lines AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
    GROUP BY s.tenant, s.closed_before, l.account_id
),

held AS (
    SELECT
        s.tenant, s.number, m.account_id, sum(m.lines) AS lines,
        coalesce(sum(m.debit_minor), 0) AS debit_minor, coalesce(sum(m.credit_minor), 0) AS credit_minor
    FROM standing AS s
    INNER JOIN moved AS m ON m.tenant = s.tenant AND m.closed_before <= s.closed_before
    GROUP BY s.tenant, s.number, m.account_id
    UNION ALL
    SELECT
        u.tenant, u.number, l.account_id, count(*),
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0),
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0)
    FROM closings AS u
    INNER JOIN period_bounds AS b ON b.tenant = u.tenant AND b.number = u.number
    INNER JOIN entries AS e
        ON e.tenant = u.tenant AND e.effective_at < u.closed_before
        AND (pg_visible_in_snapshot(e.xid, b.snapshot) OR e.xid = b.xid)
    INNER JOIN lines AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
    WHERE u.undone
    GROUP BY u.tenant, u.number, l.account_id
),

taken AS (
    SELECT b.*
    FROM closing_balances AS b
    INNER JOIN period_closings AS c ON c.tenant = b.tenant AND c.number = b.number
)

SELECT
    format(
        'closing %s of %s: account %s was taken with %s and %s (%s lines), its lines come to %s and %s (%s)',
        coalesce(t.number, h.number), coalesce(t.tenant, h.tenant), coalesce(t.account_id, h.account_id),
        coalesce(t.debit_minor, 0), coalesce(t.credit_minor, 0), coalesce(t.lines, 0),
        coalesce(h.debit_minor, 0), coalesce(h.credit_minor, 0), coalesce(h.lines, 0)
    ) AS offender
FROM taken AS t
FULL JOIN held AS h ON h.tenant = t.tenant AND h.number = t.number AND h.account_id = t.account_id
WHERE (t.debit_minor, t.credit_minor, t.lines) IS DISTINCT FROM (h.debit_minor, h.credit_minor, h.lines)
UNION ALL
SELECT
    format(
        'closing %s of %s: account %s has nothing later before entry %s, but entry %s is effective %s',
        b.number, b.tenant, b.account_id, b.from_entry_id, e.entry_id, e.effective_at
    ) AS offender
FROM closing_balances AS b
INNER JOIN standing AS s ON s.tenant = b.tenant AND s.number = b.number
INNER JOIN lines AS l
    ON l.account_id = b.account_id AND l.tenant = b.tenant AND l.entry_id < b.from_entry_id
INNER JOIN entries AS e
    ON e.entry_id = l.entry_id AND e.tenant = l.tenant AND e.effective_at >= s.closed_before
WHERE b.from_entry_id > 1
UNION ALL
SELECT
    format(
        'closing %s of %s (%s) counts %s accounts with %s lines, it has %s with %s',
        c.number, c.tenant, c.period, c.accounts, c.lines, coalesce(b.accounts, 0), coalesce(b.lines, 0)
    ) AS offender
FROM period_closings AS c
LEFT JOIN (
    SELECT i.tenant, i.number, count(*) AS accounts, sum(i.lines) AS lines
    FROM closing_balances AS i
    GROUP BY i.tenant, i.number
) AS b ON b.tenant = c.tenant AND b.number = c.number
WHERE (c.accounts, c.lines) IS DISTINCT FROM (coalesce(b.accounts, 0), coalesce(b.lines, 0))
UNION ALL
SELECT format('closing %s of %s has balances, but was never taken', b.number, b.tenant) AS offender
FROM closing_balances AS b
WHERE NOT EXISTS (SELECT FROM period_closings AS c WHERE c.tenant = b.tenant AND c.number = b.number)
GROUP BY b.tenant, b.number
UNION ALL
SELECT format('closing %s of %s is not one of its bounds', c.number, c.tenant) AS offender
FROM period_closings AS c
LEFT JOIN period_bounds AS b ON b.tenant = c.tenant AND b.number = c.number
WHERE (b.step, b.period, b.closed_before) IS DISTINCT FROM ('close', c.period, c.closed_before);

-- name: closings_not_taken
-- Closings that hold and have no balances yet.
SELECT
    format('period %s of %s was closed at %s; no balances were taken', b.period, b.tenant, b.set_at)
        AS offender
FROM period_bounds AS b
WHERE b.step = 'close'
    AND NOT EXISTS (SELECT FROM period_closings AS c WHERE c.tenant = b.tenant AND c.number = b.number)
    AND NOT EXISTS (
        SELECT FROM period_bounds AS l
        WHERE l.tenant = b.tenant AND l.number > b.number AND l.closed_before < b.closed_before
    );

-- name: period_steps_told_otherwise
-- Steps of periods without their event from the same message; events of periods without a step.
WITH told AS (
    SELECT
        e.tenant, e.subject::uuid AS object_id, d.version, d.state, array_agg(e.causation) AS causes,
        min(o.batch_id) AS batch_id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json)
        AS e (tenant text, type text, subject text, causation text, data json)
    CROSS JOIN json_to_record(e.data) AS d (version integer, state text)
    WHERE o.topic = 'period.events' AND e.type NOT LIKE '%.command_repeated.v1'
    GROUP BY e.tenant, e.subject, d.version, d.state
)

SELECT
    CASE
        WHEN t.object_id IS NULL THEN format(
            'batch %s publishes that period %s of %s became %s at version %s, which it did not',
            e.batch_id, e.object_id, e.tenant, e.state, e.version
        )
        ELSE format(
            'period %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.object_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM (SELECT * FROM transitions AS s WHERE s.object_type = 'period') AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.object_id = t.object_id AND e.version = t.version AND e.state = t.to_state
WHERE t.object_id IS NULL OR e.object_id IS NULL OR t.event_id <> all(e.causes);

-- name: periods_beside_their_bounds
-- Periods that stand otherwise than the tenant's last bounds say; and bounds that are not numbered on.
WITH bounds AS (
    SELECT DISTINCT ON (b.tenant) b.tenant, b.closed_before, b.soft_closed_before
    FROM period_bounds AS b
    ORDER BY b.tenant ASC, b.number DESC
)

SELECT
    format(
        'period %s of %s is %s, but the books are closed before %s, softly before %s',
        p.period, p.tenant, p.state, coalesce(b.closed_before::text, 'nothing'),
        coalesce(b.soft_closed_before::text, 'nothing')
    ) AS offender
FROM periods AS p
LEFT JOIN bounds AS b ON b.tenant = p.tenant
WHERE p.state IS DISTINCT FROM CASE
    WHEN p.ends_at <= b.closed_before AND p.state = 'reopening_requested' THEN 'reopening_requested'
    WHEN p.ends_at <= b.closed_before THEN 'closed'
    WHEN p.ends_at <= b.soft_closed_before THEN 'soft_closed'
    ELSE 'reopened'
END
UNION ALL
SELECT format('bounds %s of %s are number %s of its rows', n.number, n.tenant, n.place) AS offender
FROM (
    SELECT b.tenant, b.number, row_number() OVER (PARTITION BY b.tenant ORDER BY b.number) AS place
    FROM period_bounds AS b
) AS n
WHERE n.number <> n.place;

-- name: misplaced_origins
-- Origins of no entry, or not before it, or that nothing had closed; and origins told otherwise than written.
WITH told AS (
    SELECT e.tenant, d.entry_id, g.effective_at, g.period
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, data json)
    CROSS JOIN json_to_record(e.data) AS d (entry_id bigint, origin json)
    CROSS JOIN json_to_record(coalesce(d.origin, '{}')) AS g (effective_at timestamptz, period text)
    WHERE o.topic = 'ledger.entries' AND p.event LIKE '%"origin":{%'
)

SELECT
    CASE
        WHEN e.entry_id IS NULL THEN format('the origin of entry %s of %s has no entry', o.entry_id, o.tenant)
        ELSE format(
            'entry %s of %s is effective %s; its origin, %s in %s, had not been closed until then',
            e.entry_id, e.tenant, e.effective_at, o.origin_effective_at, o.period
        )
    END AS offender
FROM entry_origins AS o
LEFT JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
WHERE e.entry_id IS NULL OR o.origin_effective_at >= e.effective_at OR NOT EXISTS (
    SELECT FROM period_bounds AS b
    WHERE b.tenant = e.tenant AND e.effective_at IN (b.closed_before, b.soft_closed_before)
)
UNION ALL
SELECT
    format(
        'entry %s of %s came late from %s, and was published with %s', coalesce(o.entry_id, t.entry_id),
        coalesce(o.tenant, t.tenant), coalesce(o.origin_effective_at::text, 'nowhere'),
        coalesce(t.effective_at::text, 'no origin')
    ) AS offender
FROM entry_origins AS o
FULL JOIN told AS t ON t.tenant = o.tenant AND t.entry_id = o.entry_id
WHERE (o.origin_effective_at, o.period) IS DISTINCT FROM (t.effective_at, t.period);
