-- Where questions about the past start: sums by month and day beside the slices, and balances of closings.
-- See docs/books.md and docs/adr/0024-where-balances-start.md.

-- A slice's rows are by day where it has many lines a day, and by month where it has few: `day` is the first
-- of the span.
ALTER TABLE account_slices ADD COLUMN span text NOT NULL DEFAULT 'day' CHECK (span IN ('day', 'month'));
ALTER TABLE account_slices ALTER COLUMN span DROP DEFAULT;
ALTER TABLE account_slices DROP CONSTRAINT account_slices_pkey;
ALTER TABLE account_slices ADD PRIMARY KEY (account_id, basis, day, last_entry_id, tenant)
INCLUDE (span, first_entry_id, first_at, last_at, debit_minor, credit_minor, lines);

-- What all slices of an account hold of each month (UTC), and those by day of each day, so that a year of
-- slices is twelve rows and those of a month at most 31. Rows grow when slices are added, in the same
-- transaction: what comes late belongs to its own month and day.
CREATE TABLE account_sums (
    tenant text NOT NULL,
    account_id bigint NOT NULL,
    basis text NOT NULL CHECK (basis IN ('effective', 'posting')),
    span text NOT NULL CHECK (span IN ('day', 'month')),
    day date NOT NULL,
    debit_minor bigint NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint NOT NULL CHECK (credit_minor >= 0),
    lines bigint NOT NULL CHECK (lines > 0),
    PRIMARY KEY (account_id, basis, span, day, tenant) INCLUDE (debit_minor, credit_minor, lines)
) WITH (fillfactor = 80);
INSERT INTO account_sums (tenant, account_id, basis, span, day, debit_minor, credit_minor, lines)
SELECT
    s.tenant, s.account_id, s.basis, u.span, date_trunc(u.span, s.day::timestamp)::date,
    sum(s.debit_minor), sum(s.credit_minor), sum(s.lines)
FROM account_slices AS s
CROSS JOIN (VALUES ('day'), ('month')) AS u (span)
GROUP BY s.tenant, s.account_id, s.basis, u.span, date_trunc(u.span, s.day::timestamp)::date;
GRANT INSERT, UPDATE ON account_sums TO counterfoil_app;

-- Below `from_entry_id` every line of the account is effective before the closing, and so is in its balance.
ALTER TABLE closing_balances ADD COLUMN from_entry_id bigint NOT NULL DEFAULT 1 CHECK (from_entry_id > 0);
ALTER TABLE closing_balances ALTER COLUMN from_entry_id DROP DEFAULT;

-- Closings whose balances were taken and that no later bounds undo: their numbers rise with their dates.
CREATE VIEW standing_closings AS
SELECT c.tenant, c.number, c.period, c.closed_before
FROM period_closings AS c
WHERE NOT EXISTS (
    SELECT FROM period_bounds AS b
    WHERE b.tenant = c.tenant AND b.number > c.number AND b.closed_before < c.closed_before
);

-- What an account held before a moment. At a closing: what was taken there, and nothing else is read. With
-- slices: the months before it, the days of its month before it, the slices of its month or day that lie
-- before it, the lines of those that it cuts through, and the lines after the last slice. Without slices:
-- what it held at the closing before (none: NULL and -infinity), and its lines since. One statement without
-- settings, so that it becomes part of whoever asks. OFFSET 0 keeps the order of a join: from the account's
-- lines to their entries, never the other way. A range of (account, entry) can be had from the account's
-- index alone, which begins where the range does.
CREATE FUNCTION held_before(
    of_account bigint, of_tenant text, dated_by text, until timestamptz, closing integer, since timestamptz
) RETURNS TABLE (debit_minor numeric, credit_minor numeric, lines numeric)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT
    coalesce(c.debit_minor, 0) + coalesce(m.debit, 0) + coalesce(d.debit, 0) + coalesce(w.debit, 0)
    + coalesce(p.debit, 0) + coalesce(t.debit, 0),
    coalesce(c.credit_minor, 0) + coalesce(m.credit, 0) + coalesce(d.credit, 0) + coalesce(w.credit, 0)
    + coalesce(p.credit, 0) + coalesce(t.credit, 0),
    coalesce(c.lines, 0) + coalesce(m.lines, 0) + coalesce(d.lines, 0) + coalesce(w.lines, 0) + p.lines + t.lines
FROM (VALUES (TRUE)) AS one (row)
LEFT JOIN account_marks AS k ON k.account_id = of_account AND k.tenant = of_tenant
LEFT JOIN closing_balances AS c
    ON c.account_id = of_account AND c.number = closing AND c.tenant = of_tenant
    AND (k.entry_id IS NULL OR since = until)
CROSS JOIN LATERAL (
    SELECT sum(s.debit_minor) AS debit, sum(s.credit_minor) AS credit, sum(s.lines) AS lines
    FROM account_sums AS s
    WHERE since < until AND s.account_id = of_account AND s.tenant = of_tenant AND s.basis = dated_by
        AND s.span = 'month' AND s.day < date_trunc('month', until AT TIME ZONE 'UTC')::date
) AS m
CROSS JOIN LATERAL (
    SELECT sum(s.debit_minor) AS debit, sum(s.credit_minor) AS credit, sum(s.lines) AS lines
    FROM account_sums AS s
    WHERE since < until AND s.account_id = of_account AND s.tenant = of_tenant AND s.basis = dated_by
        AND s.span = 'day' AND s.day >= date_trunc('month', until AT TIME ZONE 'UTC')::date
        AND s.day < (until AT TIME ZONE 'UTC')::date
) AS d
CROSS JOIN LATERAL (
    SELECT sum(s.debit_minor) AS debit, sum(s.credit_minor) AS credit, sum(s.lines) AS lines
    FROM account_slices AS s
    WHERE since < until AND s.account_id = of_account AND s.tenant = of_tenant AND s.basis = dated_by
        AND s.day IN (
            date_trunc('month', until AT TIME ZONE 'UTC')::date, date_trunc('day', until AT TIME ZONE 'UTC')::date
        )
        AND s.day = date_trunc(s.span, until AT TIME ZONE 'UTC')::date
        AND s.last_at < until
) AS w
CROSS JOIN LATERAL (
    SELECT
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit,
        count(*) AS lines
    FROM account_slices AS s
    INNER JOIN lines AS l
        ON l.tenant = of_tenant
        AND (l.account_id, l.entry_id) BETWEEN (of_account, s.first_entry_id)
        AND (of_account, s.last_entry_id)
    CROSS JOIN LATERAL (
        SELECT CASE dated_by WHEN 'effective' THEN i.effective_at ELSE i.posted_at END AS at
        FROM entries AS i
        WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
        OFFSET 0
    ) AS e
    WHERE since < until AND s.account_id = of_account AND s.tenant = of_tenant AND s.basis = dated_by
        AND s.day IN (
            date_trunc('month', until AT TIME ZONE 'UTC')::date, date_trunc('day', until AT TIME ZONE 'UTC')::date
        )
        AND s.day = date_trunc(s.span, until AT TIME ZONE 'UTC')::date
        AND s.first_at < until AND s.last_at >= until
        AND e.at >= s.first_at AND e.at < until
) AS p
CROSS JOIN LATERAL (
    SELECT
        sum(l.amount_minor) FILTER (WHERE l.direction = 1) AS debit,
        sum(l.amount_minor) FILTER (WHERE l.direction = -1) AS credit,
        count(*) AS lines
    FROM lines AS l
    CROSS JOIN LATERAL (
        SELECT CASE dated_by WHEN 'effective' THEN i.effective_at ELSE i.posted_at END AS at
        FROM entries AS i
        WHERE i.entry_id = l.entry_id AND i.tenant = l.tenant
        OFFSET 0
    ) AS e
    WHERE since < until AND l.tenant = of_tenant
        AND (l.account_id, l.entry_id) BETWEEN (of_account, coalesce(k.entry_id + 1, c.from_entry_id, 1))
        AND (of_account, 9223372036854775807)
        AND e.at < until AND (k.entry_id IS NOT NULL OR e.at >= since)
) AS t
$$;
GRANT EXECUTE ON FUNCTION held_before TO counterfoil_tenant;

CALL secure_tenants();
