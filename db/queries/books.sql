-- Balances and movements as of any moment, by effective or by posting date; amounts are minor units.
-- `before` bounds from above and is not included. Balances start from closings and slices, by the function
-- held_before (0014_kept_books.sql).
-- OFFSET 0 keeps the order of a join: from the account's lines to their entries, never the other way. A range
-- of (account, entry) can be had from the account's index alone, which begins where the range does.

-- name: calendars
-- Tenants that have accounts, and the zone in which they count their periods.
SELECT t.tenant, coalesce(b.zone, 'UTC') AS zone
FROM (SELECT DISTINCT a.tenant FROM accounts AS a WHERE :tenant::text IS NULL OR a.tenant = :tenant) AS t
LEFT JOIN LATERAL (
    SELECT p.zone
    FROM period_bounds AS p
    WHERE p.tenant = t.tenant AND p.calendar = 'books'
    ORDER BY p.number DESC
    LIMIT 1
) AS b ON TRUE
ORDER BY t.tenant;

-- name: balance_before^
-- What one account held before a moment.
SELECT h.debit_minor, h.credit_minor, h.lines
FROM accounts AS a
LEFT JOIN LATERAL (
    SELECT i.number, i.closed_before
    FROM standing_closings AS i
    WHERE i.tenant = a.tenant AND i.closed_before <= :before AND :basis = 'effective'
    ORDER BY i.number DESC
    LIMIT 1
) AS s ON TRUE
CROSS JOIN LATERAL held_before(
    a.account_id, a.tenant, :basis, :before, s.number, coalesce(s.closed_before, '-infinity')
) AS h
WHERE a.account_id = :account_id;

-- name: balances_before
-- The accounts of a code, or of all, and what they held before each tenant's moment.
SELECT
    a.tenant, a.account_id, a.code, a.owner, a.currency, a.type, h.debit_minor, h.credit_minor, h.lines
FROM unnest(:tenants::text[], :ends::timestamptz[]) AS u (tenant, before)
LEFT JOIN LATERAL (
    SELECT i.number, i.closed_before
    FROM standing_closings AS i
    WHERE i.tenant = u.tenant AND i.closed_before <= u.before AND :basis = 'effective'
    ORDER BY i.number DESC
    LIMIT 1
) AS s ON TRUE
INNER JOIN accounts AS a ON a.tenant = u.tenant
CROSS JOIN LATERAL held_before(
    a.account_id, a.tenant, :basis, u.before, s.number, coalesce(s.closed_before, '-infinity')
) AS h
WHERE (:code::text IS NULL OR a.code = :code)
    AND (:owner::text IS NULL OR a.owner = :owner)
    AND (:currency::text IS NULL OR a.currency = :currency)
ORDER BY a.tenant, a.owner, a.code, a.currency;

-- name: turnover
-- Debits and credits of each account code before each tenant's moment: the same, summed up.
SELECT
    a.tenant, a.currency, a.code, a.type,
    sum(h.debit_minor) AS debit_minor, sum(h.credit_minor) AS credit_minor, sum(h.lines) AS lines
FROM unnest(:tenants::text[], :ends::timestamptz[]) AS u (tenant, before)
LEFT JOIN LATERAL (
    SELECT i.number, i.closed_before
    FROM standing_closings AS i
    WHERE i.tenant = u.tenant AND i.closed_before <= u.before AND :basis = 'effective'
    ORDER BY i.number DESC
    LIMIT 1
) AS s ON TRUE
INNER JOIN accounts AS a ON a.tenant = u.tenant
CROSS JOIN LATERAL held_before(
    a.account_id, a.tenant, :basis, u.before, s.number, coalesce(s.closed_before, '-infinity')
) AS h
WHERE :currency::text IS NULL OR a.currency = :currency
GROUP BY a.tenant, a.currency, a.code, a.type
HAVING sum(h.lines) > 0
ORDER BY
    a.tenant, a.currency,
    array_position(ARRAY['asset', 'expense', 'liability', 'equity', 'revenue'], a.type), a.code;

-- name: plan_for_lookups!
-- An account's questions look up by key; for this transaction, nothing is scanned because it once was small.
SELECT
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true);

-- name: plan_for_account!
-- The same for questions about one account, whose plan is the same for every account and moment: to make it
-- anew for each takes longer than to follow it.
SELECT
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);

-- name: accounts
-- The accounts of a code or an owner.
SELECT a.tenant, a.account_id, a.code, a.owner, a.currency, a.type
FROM accounts AS a
WHERE (:code::text IS NULL OR a.code = :code)
    AND (:tenant::text IS NULL OR a.tenant = :tenant)
    AND (:owner::text IS NULL OR a.owner = :owner)
    AND (:currency::text IS NULL OR a.currency = :currency)
ORDER BY a.tenant, a.owner, a.code, a.currency;

-- name: movements
-- The next movements of an account within a period, in order of (date, entry, line), after the given one.
-- `near` are the slices that may hold some: of the place's day, and of as many days after it as hold a page
-- for certain. Read in order of their last date, so do the first of them; beyond that one's last date nothing
-- need be read. A movement that came late tells when it happened, and in which period.
WITH reach AS (
    SELECT coalesce(min(d.day), (:before::timestamptz AT TIME ZONE 'UTC')::date) AS day
    FROM (
        SELECT i.day, sum(i.lines) OVER (ORDER BY i.day) AS held
        FROM account_sums AS i
        WHERE i.account_id = :account_id AND i.tenant = :tenant AND i.basis = :basis AND i.span = 'day'
            AND i.day > (:after_at::timestamptz AT TIME ZONE 'UTC')::date
            AND i.day < (:before::timestamptz AT TIME ZONE 'UTC')::date
    ) AS d
    WHERE d.held >= :most::bigint
),

near AS (
    SELECT
        s.first_entry_id, s.last_entry_id, s.first_at, s.last_at,
        sum(CASE WHEN s.first_at > :after_at THEN s.lines ELSE 0 END)
            OVER (ORDER BY s.last_at, s.last_entry_id) AS held
    FROM account_slices AS s
    WHERE s.account_id = :account_id AND s.tenant = :tenant AND s.basis = :basis
        AND s.day >= date_trunc('month', :after_at::timestamptz AT TIME ZONE 'UTC')::date
        AND s.day >= date_trunc(s.span, :after_at::timestamptz AT TIME ZONE 'UTC')::date
        AND s.day <= (SELECT r.day FROM reach AS r)
        AND s.last_at >= :after_at AND s.first_at < :before
),

horizon AS (SELECT min(n.last_at) AS at FROM near AS n WHERE n.held >= :most::bigint),

ranges AS (
    SELECT n.first_entry_id, n.last_entry_id, n.first_at, n.last_at
    FROM near AS n
    CROSS JOIN horizon AS h
    WHERE h.at IS NULL OR n.first_at <= h.at
    UNION ALL
    SELECT coalesce(max(m.entry_id), 0) + 1, 9223372036854775807, '-infinity', 'infinity'
    FROM account_marks AS m
    WHERE m.account_id = :account_id AND m.tenant = :tenant
)

SELECT
    p.at, p.entry_id, p.line, p.direction, p.amount_minor, e.rule, e.object_type, e.object_id, e.source,
    e.event_id, e.effective_at, e.posted_at, o.origin_effective_at, o.period AS origin_period
FROM (
    SELECT d.*
    FROM ranges AS r
    CROSS JOIN LATERAL (
        SELECT e.at, l.entry_id, l.line, l.direction, l.amount_minor
        FROM lines AS l
        CROSS JOIN LATERAL (
            SELECT CASE :basis WHEN 'effective' THEN i.effective_at ELSE i.posted_at END AS at
            FROM entries AS i
            WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
            OFFSET 0
        ) AS e
        WHERE l.tenant = :tenant
            AND (l.account_id, l.entry_id) BETWEEN (:account_id, r.first_entry_id)
            AND (:account_id, r.last_entry_id)
        OFFSET 0
    ) AS d
    CROSS JOIN horizon AS h
    WHERE d.at BETWEEN r.first_at AND r.last_at -- rows of other days have lines among the same entries
        AND d.at >= :after_at AND d.at < :before AND (h.at IS NULL OR d.at <= h.at)
        AND (d.at, d.entry_id, d.line) > (:after_at, :after_entry, :after_line)
    ORDER BY d.at, d.entry_id, d.line
    LIMIT :most::bigint
) AS p
INNER JOIN entries AS e ON e.entry_id = p.entry_id AND e.tenant = :tenant
LEFT JOIN entry_origins AS o ON o.entry_id = p.entry_id AND o.tenant = :tenant
ORDER BY p.at, p.entry_id, p.line;

-- name: last_entry_id$
-- The last number given to an entry. Whether that entry is committed, nobody has said.
SELECT CASE WHEN s.is_called THEN s.last_value ELSE s.last_value - 1 END FROM entry_id_seq AS s;

-- name: own_xid$
-- A transaction id of this statement's own: whoever had begun to write before has a lower one.
SELECT pg_current_xact_id()::text::bigint;

-- name: oldest_xid$
-- Every transaction before this one has ended.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- name: long_accounts
-- Accounts with so many lines that are in no slice yet, and how many.
SELECT b.tenant, b.account_id, (sum(b.lines) - coalesce(m.lines, 0))::bigint AS lines
FROM balances AS b
LEFT JOIN account_marks AS m ON m.account_id = b.account_id AND m.tenant = b.tenant
GROUP BY b.tenant, b.account_id, m.lines
HAVING sum(b.lines) - coalesce(m.lines, 0) > :size
ORDER BY b.account_id;

-- name: lock_slicing
-- One at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(17743, 1);

-- name: plan_for_slicing!
-- For this transaction: what is sorted and summed up stays in memory.
SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true);

-- name: slice_lines$
-- Adds slices of `size` lines to accounts, from settled entries only, and says how many. The last one,
-- unfinished, is left for the next time; an entry is never cut in two. A slice with `per_day` lines a day and
-- more has a row for each day, others one for each month. What came late, a day's few lines among a slice of
-- others, gets a row for each entry, so that nobody has to look for them again.
WITH numbered AS (
    SELECT
        l.tenant, l.account_id, l.entry_id, l.direction, l.amount_minor, l.effective_at, l.posted_at,
        row_number() OVER (PARTITION BY l.account_id ORDER BY l.entry_id) AS place,
        (rank() OVER (PARTITION BY l.account_id ORDER BY l.entry_id) - 1) / :size AS slice
    FROM unnest(:tenants::text[], :accounts::bigint[]) AS k (tenant, account_id)
    LEFT JOIN account_marks AS m ON m.account_id = k.account_id AND m.tenant = k.tenant
    CROSS JOIN LATERAL (
        SELECT
            i.tenant, i.account_id, i.entry_id, i.direction, i.amount_minor, e.effective_at, e.posted_at
        FROM lines AS i
        INNER JOIN entries AS e ON e.entry_id = i.entry_id AND e.tenant = i.tenant
        WHERE i.account_id = k.account_id AND i.tenant = k.tenant
            AND i.entry_id > coalesce(m.entry_id, 0) AND i.entry_id <= :settled
        ORDER BY i.entry_id
        LIMIT :most
    ) AS l
),

finished AS (
    SELECT n.*
    FROM (SELECT d.*, max(d.slice) OVER (PARTITION BY d.account_id) AS last_slice FROM numbered AS d) AS n
    WHERE n.slice < n.last_slice
),

dated AS (
    SELECT
        f.*, d.basis, d.at, (d.at AT TIME ZONE 'UTC')::date AS date,
        row_number() OVER (
            PARTITION BY f.account_id, f.slice, d.basis, (d.at AT TIME ZONE 'UTC')::date
        ) = 1 AS is_another_date
    FROM finished AS f
    CROSS JOIN LATERAL (VALUES ('effective', f.effective_at), ('posting', f.posted_at)) AS d (basis, at)
),

spanned AS (
    SELECT
        d.*,
        CASE
            WHEN count(*) OVER one >= :per_day * count(*) FILTER (WHERE d.is_another_date) OVER one THEN 'day'
            ELSE 'month'
        END AS span
    FROM dated AS d
    WINDOW one AS (PARTITION BY d.account_id, d.slice, d.basis)
),

placed AS (
    SELECT
        s.*, d.day,
        max(s.place) OVER together - min(s.place) OVER together >= 8 * count(*) OVER together AS is_scattered
    FROM spanned AS s
    CROSS JOIN LATERAL (SELECT date_trunc(s.span, s.date::timestamp)::date AS day) AS d
    WINDOW together AS (PARTITION BY s.account_id, s.slice, s.basis, d.day)
),

sliced AS (
    INSERT INTO account_slices (
        tenant, account_id, basis, span, day, first_entry_id, last_entry_id, first_at, last_at,
        debit_minor, credit_minor, lines
    )
    SELECT
        p.tenant, p.account_id, p.basis, p.span, p.day,
        min(p.entry_id), max(p.entry_id), min(p.at), max(p.at),
        coalesce(sum(p.amount_minor) FILTER (WHERE p.direction = 1), 0),
        coalesce(sum(p.amount_minor) FILTER (WHERE p.direction = -1), 0),
        count(*)
    FROM placed AS p
    GROUP BY
        p.tenant, p.account_id, p.slice, p.basis, p.span, p.day, CASE WHEN p.is_scattered THEN p.entry_id END
),

summed AS (
    INSERT INTO account_sums AS o (tenant, account_id, basis, span, day, debit_minor, credit_minor, lines)
    SELECT
        p.tenant, p.account_id, p.basis, u.span, date_trunc(u.span, p.date::timestamp)::date,
        coalesce(sum(p.amount_minor) FILTER (WHERE p.direction = 1), 0),
        coalesce(sum(p.amount_minor) FILTER (WHERE p.direction = -1), 0),
        count(*)
    FROM placed AS p
    INNER JOIN (VALUES ('day'), ('month')) AS u (span) ON u.span IN (p.span, 'month')
    GROUP BY p.tenant, p.account_id, p.basis, u.span, date_trunc(u.span, p.date::timestamp)::date
    ON CONFLICT (account_id, basis, span, day, tenant) DO UPDATE SET
        debit_minor = o.debit_minor + excluded.debit_minor,
        credit_minor = o.credit_minor + excluded.credit_minor,
        lines = o.lines + excluded.lines
),

marked AS (
    INSERT INTO account_marks AS m (tenant, account_id, entry_id, lines)
    SELECT f.tenant, f.account_id, max(f.entry_id), count(*)
    FROM finished AS f
    GROUP BY f.tenant, f.account_id
    ON CONFLICT (account_id, tenant) DO UPDATE SET
        entry_id = excluded.entry_id, lines = m.lines + excluded.lines
)

SELECT coalesce(sum(f.slices), 0)::bigint
FROM (SELECT max(d.slice) + 1 AS slices FROM finished AS d GROUP BY d.account_id) AS f;

-- name: wrong_slices
-- Rows of slices that do not say what their lines say; accounts whose slices do not hold each of their lines
-- up to the mark once.
SELECT
    format(
        'the slice of account %s of %s with entries %s to %s of %s %s (%s date) is not the sum of its lines',
        s.account_id, s.tenant, s.first_entry_id, s.last_entry_id, s.span, s.day, s.basis
    ) AS offender
FROM account_slices AS s
CROSS JOIN LATERAL (
    SELECT
        min(d.at) AS first_at, max(d.at) AS last_at,
        coalesce(sum(d.amount_minor) FILTER (WHERE d.direction = 1), 0) AS debit_minor,
        coalesce(sum(d.amount_minor) FILTER (WHERE d.direction = -1), 0) AS credit_minor,
        count(*) AS lines
    FROM (
        SELECT
            CASE s.basis WHEN 'effective' THEN e.effective_at ELSE e.posted_at END AS at,
            i.direction, i.amount_minor
        FROM lines AS i
        INNER JOIN entries AS e ON e.entry_id = i.entry_id AND e.tenant = i.tenant
        WHERE i.account_id = s.account_id AND i.tenant = s.tenant
            AND i.entry_id BETWEEN s.first_entry_id AND s.last_entry_id
    ) AS d
    WHERE date_trunc(s.span, d.at AT TIME ZONE 'UTC')::date = s.day
) AS l
WHERE (s.first_at, s.last_at, s.debit_minor, s.credit_minor, s.lines)
    IS DISTINCT FROM (l.first_at, l.last_at, l.debit_minor, l.credit_minor, l.lines)
UNION ALL
SELECT
    format(
        'account %s of %s has %s lines up to entry %s, its slices hold %s by effective, %s by posting',
        coalesce(m.account_id, s.account_id), coalesce(m.tenant, s.tenant), l.lines, m.entry_id,
        s.effective, s.posting
    )
FROM account_marks AS m
FULL JOIN (
    SELECT
        d.tenant, d.account_id,
        sum(d.lines) FILTER (WHERE d.basis = 'effective') AS effective,
        sum(d.lines) FILTER (WHERE d.basis = 'posting') AS posting,
        max(d.last_entry_id) AS entry_id
    FROM account_slices AS d
    GROUP BY d.tenant, d.account_id
) AS s ON s.account_id = m.account_id AND s.tenant = m.tenant
CROSS JOIN LATERAL (
    SELECT count(*) AS lines
    FROM lines AS i
    WHERE i.account_id = m.account_id AND i.tenant = m.tenant AND i.entry_id <= m.entry_id
) AS l
WHERE (m.lines, m.lines, m.lines, m.entry_id) IS DISTINCT FROM (l.lines, s.effective, s.posting, s.entry_id)
UNION ALL
SELECT
    format(
        'account %s of %s: %s and %s (%s lines) in the sum of %s %s (%s date), %s and %s (%s) in its slices',
        coalesce(d.account_id, s.account_id), coalesce(d.tenant, s.tenant), d.debit_minor, d.credit_minor,
        d.lines, coalesce(d.span, s.span), coalesce(d.day, s.day), coalesce(d.basis, s.basis), s.debit_minor,
        s.credit_minor, s.lines
    )
FROM account_sums AS d
FULL JOIN (
    SELECT
        i.tenant, i.account_id, i.basis, u.span, date_trunc(u.span, i.day::timestamp)::date AS day,
        sum(i.debit_minor) AS debit_minor, sum(i.credit_minor) AS credit_minor, sum(i.lines) AS lines
    FROM account_slices AS i
    INNER JOIN (VALUES ('day'), ('month')) AS u (span) ON u.span IN (i.span, 'month')
    GROUP BY i.tenant, i.account_id, i.basis, u.span, date_trunc(u.span, i.day::timestamp)::date
) AS s
    ON s.account_id = d.account_id AND s.basis = d.basis AND s.span = d.span AND s.day = d.day
    AND s.tenant = d.tenant
WHERE (d.debit_minor, d.credit_minor, d.lines) IS DISTINCT FROM (s.debit_minor, s.credit_minor, s.lines);
