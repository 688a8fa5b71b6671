-- What makes a balance or a total: accounts, the largest first, and the lines that moved them; bounded.
-- A line whose entry was removed comes without its header.

-- name: newest_lines
-- The newest lines of each of these accounts; or the largest `most` of its newest `among`.
SELECT
    k.account_id AS moved_account_id, l.tenant, l.entry_id, l.line, l.direction, l.amount_minor, l.currency,
    a.code, a.owner, l.account_id, e.rule, e.object_type, e.object_id, e.source, e.event_id, e.legs,
    e.effective_at, e.posted_at
FROM unnest(:tenants::text[], :account_ids::bigint[]) WITH ORDINALITY AS k (tenant, account_id, place)
INNER JOIN accounts AS a ON a.account_id = k.account_id
CROSS JOIN LATERAL (
    SELECT n.* FROM (
        SELECT i.* FROM lines AS i
        WHERE i.account_id = k.account_id AND i.tenant = k.tenant
        ORDER BY i.entry_id DESC, i.line DESC
        LIMIT :among
    ) AS n
    ORDER BY CASE WHEN :largest::boolean THEN n.amount_minor END DESC, n.entry_id DESC, n.line DESC
    LIMIT :most
) AS l
LEFT JOIN entries AS e ON e.entry_id = l.entry_id AND e.tenant = l.tenant
ORDER BY k.place ASC, CASE WHEN :largest::boolean THEN l.amount_minor END DESC, l.entry_id DESC, l.line DESC;

-- name: lines_between
-- The same, each account's for a time of its own. `near` are the slices that may hold some. Read in order of
-- their first date, from the newest, the first of them hold enough for certain; before that one's first date
-- nothing need be read.
SELECT
    k.account_id AS moved_account_id, l.tenant, l.entry_id, l.line, l.direction, l.amount_minor, l.currency,
    a.code, a.owner, l.account_id, l.rule, l.object_type, l.object_id, l.source, l.event_id, l.legs,
    l.effective_at, l.posted_at
FROM unnest(:tenants::text[], :account_ids::bigint[], :sinces::timestamptz[], :ends::timestamptz[])
    WITH ORDINALITY AS k (tenant, account_id, since, before, place)
INNER JOIN accounts AS a ON a.account_id = k.account_id
CROSS JOIN LATERAL (
    WITH near AS (
        SELECT
            s.first_entry_id, s.last_entry_id, s.first_at, s.last_at,
            sum(CASE WHEN s.last_at < k.before AND s.first_at >= k.since THEN s.lines ELSE 0 END)
                OVER (ORDER BY s.first_at DESC, s.first_entry_id DESC) AS held
        FROM account_slices AS s
        WHERE s.account_id = k.account_id AND s.tenant = k.tenant AND s.basis = :basis
            AND s.day >= date_trunc('month', k.since AT TIME ZONE 'UTC')::date -- some rows are of a month
            AND s.day <= (k.before AT TIME ZONE 'UTC')::date
            AND s.first_at < k.before AND s.last_at >= k.since
    ),

    horizon AS (SELECT max(n.first_at) AS at FROM near AS n WHERE n.held >= :among::bigint),

    ranges AS (
        SELECT n.first_entry_id, n.last_entry_id, n.first_at, n.last_at
        FROM near AS n
        CROSS JOIN horizon AS h
        WHERE h.at IS NULL OR n.last_at >= h.at
        UNION ALL
        SELECT coalesce(max(m.entry_id), 0) + 1, 9223372036854775807, '-infinity', 'infinity'
        FROM account_marks AS m
        WHERE m.account_id = k.account_id AND m.tenant = k.tenant
    )

    SELECT n.* FROM (
        SELECT d.*
        FROM ranges AS r
        CROSS JOIN LATERAL (
            SELECT i.*, e.at, e.rule, e.object_type, e.object_id, e.source, e.event_id, e.legs,
                e.effective_at, e.posted_at
            FROM lines AS i
            CROSS JOIN LATERAL (
                SELECT h.*, CASE :basis WHEN 'effective' THEN h.effective_at ELSE h.posted_at END AS at
                FROM entries AS h
                WHERE h.entry_id = i.entry_id AND h.tenant = i.tenant
                OFFSET 0
            ) AS e
            WHERE i.tenant = k.tenant
                AND (i.account_id, i.entry_id) BETWEEN (k.account_id, r.first_entry_id)
                AND (k.account_id, r.last_entry_id)
            OFFSET 0
        ) AS d
        CROSS JOIN horizon AS h
        WHERE d.at BETWEEN r.first_at AND r.last_at -- rows of other days have lines among the same entries
            AND d.at >= k.since AND d.at < k.before AND (h.at IS NULL OR d.at >= h.at)
        ORDER BY d.at DESC, d.entry_id DESC, d.line DESC
        LIMIT :among
    ) AS n
    ORDER BY
        CASE WHEN :largest::boolean THEN n.amount_minor END DESC, n.at DESC, n.entry_id DESC, n.line DESC
    LIMIT :most
) AS l
ORDER BY
    k.place ASC, CASE WHEN :largest::boolean THEN l.amount_minor END DESC, l.at DESC, l.entry_id DESC,
    l.line DESC;

-- name: held_by_lines
-- What accounts hold by their lines: the sums of long accounts' slices, and the lines that none holds.
SELECT
    k.account_id,
    (coalesce(w.debit, 0) + coalesce(t.debit, 0))::bigint AS debit_minor,
    (coalesce(w.credit, 0) + coalesce(t.credit, 0))::bigint AS credit_minor,
    (coalesce(w.lines, 0) + t.lines)::bigint AS lines
FROM unnest(:tenants::text[], :account_ids::bigint[]) AS k (tenant, account_id)
LEFT JOIN account_marks AS m ON m.account_id = k.account_id AND m.tenant = k.tenant
CROSS JOIN LATERAL (
    SELECT sum(s.debit_minor) AS debit, sum(s.credit_minor) AS credit, sum(s.lines) AS lines
    FROM account_sums AS s
    WHERE s.account_id = k.account_id AND s.tenant = k.tenant AND s.basis = 'posting' AND s.span = 'month'
) AS w
CROSS JOIN LATERAL (
    SELECT
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit,
        count(*) AS lines
    FROM lines AS l
    WHERE l.account_id = k.account_id AND l.tenant = k.tenant AND l.entry_id > coalesce(m.entry_id, 0)
) AS t;

-- name: largest_accounts
-- The largest accounts of each code, or of each code of some types, and what the code holds in all.
SELECT h.* FROM (
    SELECT
        b.*,
        row_number() OVER (
            PARTITION BY b.tenant, b.currency, b.code
            ORDER BY abs(b.debit_minor - b.credit_minor) DESC, b.account_id ASC
        ) AS place,
        count(*) OVER (PARTITION BY b.tenant, b.currency, b.code) AS accounts,
        sum(b.debit_minor) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_debit_minor,
        sum(b.credit_minor) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_credit_minor,
        sum(b.lines) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_lines
    FROM (
        SELECT
            a.tenant, a.account_id, a.code, a.owner, a.currency, a.type,
            coalesce(sum(s.debit_minor), 0) AS debit_minor, coalesce(sum(s.credit_minor), 0) AS credit_minor,
            coalesce(sum(s.lines), 0) AS lines
        FROM accounts AS a
        LEFT JOIN balances AS s ON s.account_id = a.account_id AND s.tenant = a.tenant
        WHERE (:types::text[] IS NULL OR a.type = any(:types)) AND (:code::text IS NULL OR a.code = :code)
            AND (:owner::text IS NULL OR a.owner = :owner)
            AND (:tenant::text IS NULL OR a.tenant = :tenant)
            AND (:currency::text IS NULL OR a.currency = :currency)
        GROUP BY a.account_id
    ) AS b
) AS h
WHERE h.place <= :most
ORDER BY h.tenant, h.currency, h.code, h.place;

-- name: largest_accounts_between
-- The same for each tenant's time: what accounts held before its end, less what they held before it began.
SELECT h.* FROM (
    SELECT
        b.*,
        row_number() OVER (
            PARTITION BY b.tenant, b.currency, b.code
            ORDER BY abs(b.debit_minor - b.credit_minor) DESC, b.account_id ASC
        ) AS place,
        count(*) OVER (PARTITION BY b.tenant, b.currency, b.code) AS accounts,
        sum(b.debit_minor) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_debit_minor,
        sum(b.credit_minor) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_credit_minor,
        sum(b.lines) OVER (PARTITION BY b.tenant, b.currency, b.code) AS all_lines
    FROM (
        SELECT
            a.tenant, a.account_id, a.code, a.owner, a.currency, a.type,
            u.debit_minor - coalesce(o.debit_minor, 0) AS debit_minor,
            u.credit_minor - coalesce(o.credit_minor, 0) AS credit_minor,
            u.lines - coalesce(o.lines, 0) AS lines
        FROM unnest(:tenants::text[], :sinces::timestamptz[], :ends::timestamptz[])
            AS k (tenant, since, before)
        LEFT JOIN LATERAL (
            SELECT i.number, i.closed_before
            FROM standing_closings AS i
            WHERE i.tenant = k.tenant AND i.closed_before <= k.before AND :basis = 'effective'
            ORDER BY i.number DESC
            LIMIT 1
        ) AS s ON TRUE
        INNER JOIN accounts AS a ON a.tenant = k.tenant
        CROSS JOIN LATERAL held_before(
            a.account_id, a.tenant, :basis, k.before, s.number, coalesce(s.closed_before, '-infinity')
        ) AS u
        LEFT JOIN LATERAL held_before(
            a.account_id, a.tenant, :basis, k.since, NULL::integer, '-infinity'::timestamptz
        ) AS o ON k.since > '-infinity'
        WHERE a.type = any(:types::text[]) AND (:currency::text IS NULL OR a.currency = :currency)
    ) AS b
    WHERE b.lines > 0
) AS h
WHERE h.place <= :most
ORDER BY h.tenant, h.currency, h.code, h.place;
