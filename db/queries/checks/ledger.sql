-- Laws 1, 2 and 10 as data can show them.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: unbalanced_entries
-- Entries whose debits and credits of a currency differ.
SELECT
    format(
        'entry %s of %s is off by %s minor units of %s',
        l.entry_id, l.tenant, sum(l.amount_minor * l.direction), l.currency
    ) AS offender
FROM lines AS l
GROUP BY l.tenant, l.entry_id, l.currency
HAVING sum(l.amount_minor * l.direction) <> 0;

-- name: incomplete_entries
-- Entries with another number of lines than their header says; lines without an entry.
SELECT
    CASE
        WHEN e.entry_id IS NULL
            THEN format('%s lines of entry %s of %s have no entry', l.legs, l.entry_id, l.tenant)
        ELSE format(
            'entry %s of %s has %s lines, its header says %s',
            e.entry_id, e.tenant, coalesce(l.legs, 0), e.legs
        )
    END AS offender
FROM entries AS e
FULL JOIN (SELECT i.tenant, i.entry_id, count(*) AS legs FROM lines AS i GROUP BY i.tenant, i.entry_id) AS l
    ON l.tenant = e.tenant AND l.entry_id = e.entry_id
WHERE e.legs IS DISTINCT FROM l.legs;

-- name: misplaced_lines
-- Lines in an account of another tenant or currency, or in none.
SELECT
    format(
        'line %s of entry %s of %s is in %s, its account %s is %s',
        l.line, l.entry_id, l.tenant, l.currency, l.account_id,
        coalesce(a.currency || ' of ' || a.tenant, 'missing')
    ) AS offender
FROM lines AS l
LEFT JOIN accounts AS a ON a.account_id = l.account_id
WHERE a.tenant IS DISTINCT FROM l.tenant OR a.currency IS DISTINCT FROM l.currency;

-- name: wrong_balances
-- Balances that are not the sum of their lines; balances without lines and lines without a balance.
WITH summed AS (
    SELECT
        l.tenant, l.account_id,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0) AS debit,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0) AS credit,
        count(*) AS lines
    FROM lines AS l
    GROUP BY l.tenant, l.account_id
),

kept AS (
    SELECT
        b.tenant, b.account_id,
        sum(b.debit_minor) AS debit, sum(b.credit_minor) AS credit, sum(b.lines) AS lines
    FROM balances AS b
    GROUP BY b.tenant, b.account_id
)

SELECT
    format(
        'balance of %s of %s in %s of %s (account %s): debit %s, credit %s, %s lines; lines say %s, %s, %s',
        coalesce(a.code, 'an unknown account'), coalesce(a.owner, 'nobody'),
        coalesce(a.currency, 'no currency'), coalesce(k.tenant, s.tenant),
        coalesce(k.account_id, s.account_id),
        coalesce(k.debit, 0), coalesce(k.credit, 0), coalesce(k.lines, 0),
        coalesce(s.debit, 0), coalesce(s.credit, 0), coalesce(s.lines, 0)
    ) AS offender
FROM kept AS k
FULL JOIN summed AS s ON s.tenant = k.tenant AND s.account_id = k.account_id
LEFT JOIN accounts AS a ON a.account_id = coalesce(k.account_id, s.account_id)
WHERE (k.debit, k.credit, k.lines) IS DISTINCT FROM (s.debit, s.credit, s.lines);

-- name: strange_money
-- Currencies that ISO 4217 does not list, amounts beyond the limit of one message, columns of amounts that
-- hold something else than whole numbers.
SELECT format('account %s (%s of %s) is in %s', a.account_id, a.code, a.tenant, a.currency) AS offender
FROM accounts AS a
WHERE a.currency <> all(:currencies::text[])
UNION ALL
SELECT format('payment %s of %s is in %s', p.payment_id, p.tenant, p.currency)
FROM payments AS p
WHERE p.currency <> all(:currencies::text[])
UNION ALL
SELECT format('line %s of entry %s of %s is %s minor units', l.line, l.entry_id, l.tenant, l.amount_minor)
FROM lines AS l
WHERE l.amount_minor NOT BETWEEN 1 AND :most_minor
UNION ALL
SELECT format('payment %s of %s is over %s minor units', p.payment_id, p.tenant, p.amount_minor)
FROM payments AS p
WHERE p.amount_minor NOT BETWEEN 1 AND :most_minor
UNION ALL
SELECT format('column %s.%s is %s', c.table_name, c.column_name, c.data_type)
FROM information_schema.columns AS c
WHERE c.table_schema = 'public' AND c.column_name LIKE '%\_minor' AND c.data_type NOT IN ('bigint', 'jsonb');
