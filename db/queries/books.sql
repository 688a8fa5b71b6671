-- Balances and movements as of any moment, by effective or by posting date; amounts are minor units.
-- `before` bounds from above and is not included. Slices of long accounts stand for their lines.
-- OFFSET 0 keeps the order of a join: from the account's lines to their entries, never the other way. A range
-- of (account, entry) can be had from the account's index alone, which begins where the range does.

-- name: balances_before
-- The accounts of a code, or of all, and what they held before a moment: whole slices, the lines of slices
-- that the moment cuts through, and the lines after the last slice.
SELECT
    a.tenant, a.account_id, a.code, a.owner, a.currency, a.type,
    coalesce(w.debit, 0) + coalesce(c.debit, 0) + coalesce(t.debit, 0) AS debit_minor,
    coalesce(w.credit, 0) + coalesce(c.credit, 0) + coalesce(t.credit, 0) AS credit_minor,
    coalesce(w.lines, 0) + c.lines + t.lines AS lines
FROM accounts AS a
LEFT JOIN account_marks AS m ON m.account_id = a.account_id AND m.tenant = a.tenant
CROSS JOIN LATERAL (
    SELECT sum(s.debit_minor) AS debit, sum(s.credit_minor) AS credit, sum(s.lines) AS lines
    FROM account_slices AS s
    WHERE s.account_id = a.account_id AND s.tenant = a.tenant AND s.basis = :basis
        AND s.day <= (:before::timestamptz AT TIME ZONE 'UTC')::date AND s.last_at < :before
) AS w
CROSS JOIN LATERAL (
    SELECT
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit,
        count(*) AS lines
    FROM account_slices AS s
    INNER JOIN lines AS l
        ON l.tenant = a.tenant
        AND (l.account_id, l.entry_id) BETWEEN (a.account_id, s.first_entry_id)
        AND (a.account_id, s.last_entry_id)
    CROSS JOIN LATERAL (
        SELECT CASE :basis WHEN 'effective' THEN i.effective_at ELSE i.posted_at END AS at
        FROM entries AS i
        WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
        OFFSET 0
    ) AS e
    WHERE s.account_id = a.account_id AND s.tenant = a.tenant AND s.basis = :basis
        AND s.day = (:before::timestamptz AT TIME ZONE 'UTC')::date
        AND s.first_at < :before AND s.last_at >= :before
        AND e.at >= s.first_at AND e.at < :before
) AS c
CROSS JOIN LATERAL (
    SELECT
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit,
        count(*) AS lines
    FROM lines AS l
    CROSS JOIN LATERAL (
        SELECT CASE :basis WHEN 'effective' THEN i.effective_at ELSE i.posted_at END AS at
        FROM entries AS i
        WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
        OFFSET 0
    ) AS e
    WHERE l.tenant = a.tenant
        AND (l.account_id, l.entry_id) BETWEEN (a.account_id, coalesce(m.entry_id, 0) + 1)
        AND (a.account_id, 9223372036854775807)
        AND e.at < :before
) AS t
WHERE (:account_id::bigint IS NULL OR a.account_id = :account_id)
    AND (:code::text IS NULL OR a.code = :code)
    AND (:tenant::text IS NULL OR a.tenant = :tenant)
    AND (:owner::text IS NULL OR a.owner = :owner)
    AND (:currency::text IS NULL OR a.currency = :currency)
ORDER BY a.tenant, a.owner, a.code, a.currency;

-- name: plan_for_lookups!
-- An account's questions look up by key; for this transaction, nothing is scanned because it once was small.
SELECT
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true);

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
-- `near` are the slices that may hold some. Read in order of their last date, the first of them hold a page
-- for certain; beyond that one's last date nothing need be read.
WITH near AS (
    SELECT
        s.first_entry_id, s.last_entry_id, s.first_at, s.last_at,
        sum(CASE WHEN s.first_at > :after_at THEN s.lines ELSE 0 END)
            OVER (ORDER BY s.last_at, s.last_entry_id) AS held
    FROM account_slices AS s
    WHERE s.account_id = :account_id AND s.tenant = :tenant AND s.basis = :basis
        AND s.day BETWEEN (:after_at::timestamptz AT TIME ZONE 'UTC')::date
        AND (:before::timestamptz AT TIME ZONE 'UTC')::date
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
    e.event_id, e.effective_at, e.posted_at
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
ORDER BY p.at, p.entry_id, p.line;

-- name: turnover
-- Debits and credits of each account code before a moment and before a later one. Reads the whole journal.
SELECT
    a.tenant, a.currency, a.code, a.type,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1 AND e.at < :since), 0) AS debit_before_minor,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1 AND e.at < :since), 0) AS credit_before_minor,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0) AS debit_minor,
    coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0) AS credit_minor,
    count(*) AS lines
FROM (
    SELECT
        d.tenant, d.entry_id, CASE :basis WHEN 'effective' THEN d.effective_at ELSE d.posted_at END AS at
    FROM entries AS d
    WHERE :tenant::text IS NULL OR d.tenant = :tenant
) AS e
INNER JOIN lines AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE e.at < :before AND (:currency::text IS NULL OR a.currency = :currency)
GROUP BY a.tenant, a.currency, a.code, a.type
ORDER BY
    a.tenant, a.currency,
    array_position(ARRAY['asset', 'expense', 'liability', 'equity', 'revenue'], a.type), a.code;

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
-- Accounts with so many lines that are in no slice yet.
SELECT b.tenant, b.account_id
FROM balances AS b
LEFT JOIN account_marks AS m ON m.account_id = b.account_id AND m.tenant = b.tenant
GROUP BY b.tenant, b.account_id, m.lines
HAVING sum(b.lines) - coalesce(m.lines, 0) > :size
ORDER BY b.account_id;

-- name: lock_slicing
-- One at a time; ends with the transaction.
SELECT pg_advisory_xact_lock(17743, 1);

-- name: slice_lines$
-- Adds slices of `size` lines to accounts, from settled entries only, and says how many. The last one,
-- unfinished, is left for the next time; an entry is never cut in two. What came late, a day's few lines
-- among a slice of others, gets a row for each entry, so that nobody has to look for them again.
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
        f.*, d.basis, d.at, (d.at AT TIME ZONE 'UTC')::date AS day,
        max(f.place) OVER together - min(f.place) OVER together >= 8 * count(*) OVER together AS scattered
    FROM finished AS f
    CROSS JOIN LATERAL (VALUES ('effective', f.effective_at), ('posting', f.posted_at)) AS d (basis, at)
    WINDOW together AS (PARTITION BY f.account_id, f.slice, d.basis, (d.at AT TIME ZONE 'UTC')::date)
),

sliced AS (
    INSERT INTO account_slices (
        tenant, account_id, basis, day, first_entry_id, last_entry_id, first_at, last_at,
        debit_minor, credit_minor, lines
    )
    SELECT
        d.tenant, d.account_id, d.basis, d.day, min(d.entry_id), max(d.entry_id), min(d.at), max(d.at),
        coalesce(sum(d.amount_minor) FILTER (WHERE d.direction = 1), 0),
        coalesce(sum(d.amount_minor) FILTER (WHERE d.direction = -1), 0),
        count(*)
    FROM dated AS d
    GROUP BY
        d.tenant, d.account_id, d.slice, d.basis, d.day, CASE WHEN d.scattered THEN d.entry_id END
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
        'the slice of account %s of %s with entries %s to %s of %s (%s date) is not the sum of its lines',
        s.account_id, s.tenant, s.first_entry_id, s.last_entry_id, s.day, s.basis
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
    WHERE (d.at AT TIME ZONE 'UTC')::date = s.day
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
WHERE (m.lines, m.lines, m.lines, m.entry_id) IS DISTINCT FROM (l.lines, s.effective, s.posting, s.entry_id);
