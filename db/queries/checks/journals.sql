-- Laws 4, 5, 7 and 9: journals, reversals, wallets and holds.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/accounts/laws.py.

-- name: account_steps_told_otherwise
-- Steps of journals and holds without their event from the same message; such events without their step.
WITH told AS (
    SELECT
        e.tenant, coalesce(d.journal_uuid, d.hold_uuid) AS object_id, d.version, d.state,
        array_agg(e.causation) AS causes, min(o.batch_id) AS batch_id
    FROM outbox_batches AS o
    CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
    CROSS JOIN json_to_record(p.event::json) AS e (tenant text, causation text, type text, data json)
    CROSS JOIN json_to_record(e.data) AS d (journal_uuid uuid, hold_uuid uuid, version integer, state text)
    WHERE o.topic = 'account.events'
        AND e.type NOT LIKE 'wallet.%' AND e.type NOT LIKE '%.command_repeated.v1'
    GROUP BY e.tenant, coalesce(d.journal_uuid, d.hold_uuid), d.version, d.state
)

SELECT
    CASE
        WHEN t.object_id IS NULL THEN format(
            'batch %s publishes that %s of %s became %s at version %s, which it did not',
            e.batch_id, e.object_id, e.tenant, e.state, e.version
        )
        ELSE format(
            '%s %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.object_type, t.object_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM (SELECT s.* FROM transitions AS s WHERE s.object_type IN ('journal', 'hold')) AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.object_id = t.object_id AND e.version = t.version AND e.state = t.to_state
WHERE t.object_id IS NULL OR e.object_id IS NULL OR e.causes <> ARRAY[t.event_id];

-- name: journals_posted_otherwise
-- Journals whose lines, as they were approved, are not what is in the books; and the other way round.
WITH booked AS (
    SELECT
        e.tenant, e.object_id, a.code AS account, a.owner, l.direction, l.currency,
        sum(l.amount_minor) AS amount, count(*) AS lines
    FROM entries AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    WHERE e.object_type = 'journal'
    GROUP BY e.tenant, e.object_id, a.code, a.owner, l.direction, l.currency
),

approved AS (
    SELECT
        j.tenant, j.object_id::text AS object_id, i.account, i.owner,
        CASE i.side WHEN 'debit' THEN 1 ELSE -1 END AS direction, i.currency,
        sum(i.amount_minor) AS amount, count(*) AS lines
    FROM journals AS j
    INNER JOIN journal_lines AS i ON i.tenant = j.tenant AND i.object_id = j.object_id
    WHERE j.state = 'posted'
    GROUP BY j.tenant, j.object_id, i.account, i.owner, i.side, i.currency
)

SELECT
    format(
        'journal %s of %s: %s of %s has %s %s in %s lines, approved were %s in %s',
        coalesce(b.object_id, p.object_id), coalesce(b.tenant, p.tenant), coalesce(b.account, p.account),
        coalesce(b.owner, p.owner), coalesce(b.amount, 0), coalesce(b.currency, p.currency),
        coalesce(b.lines, 0), coalesce(p.amount, 0), coalesce(p.lines, 0)
    ) AS offender
FROM booked AS b
FULL JOIN approved AS p
    ON p.tenant = b.tenant AND p.object_id = b.object_id AND p.account = b.account AND p.owner = b.owner
        AND p.direction = b.direction AND p.currency = b.currency
WHERE (b.amount, b.lines) IS DISTINCT FROM (p.amount, p.lines);

-- name: overdone_reversals
-- Lines of which more was reversed than there was, or otherwise than the count of their entry says.
WITH done AS (
    SELECT
        j.tenant, j.reverses_object || '/' || j.reverses_number AS entry, i.reverses_line AS line,
        sum(i.amount_minor) AS minor
    FROM journals AS j
    INNER JOIN journal_lines AS i ON i.tenant = j.tenant AND i.object_id = j.object_id
    WHERE j.state = 'posted' AND i.reverses_line IS NOT NULL
    GROUP BY j.tenant, j.reverses_object, j.reverses_number, i.reverses_line
),

counted AS (
    SELECT r.tenant, r.entry, r.entry_id, c.line::integer AS line, c.minor::bigint AS minor
    FROM entry_reversals AS r
    CROSS JOIN jsonb_each_text(r.reversed_minor) AS c (line, minor)
),

linked AS (
    SELECT n.tenant, n.linked_entry_id AS entry_id, sum(l.amount_minor) AS minor
    FROM entry_links AS n
    INNER JOIN lines AS l ON l.tenant = n.tenant AND l.entry_id = n.entry_id
    WHERE n.rule = :reversal
    GROUP BY n.tenant, n.linked_entry_id
)

SELECT
    format(
        'line %s of %s of %s: %s reversed, its count says %s, there were %s', coalesce(d.line, c.line),
        coalesce(d.entry, c.entry), coalesce(d.tenant, c.tenant), coalesce(d.minor, 0),
        coalesce(c.minor, 0), coalesce(l.amount_minor, 0)
    ) AS offender
FROM done AS d
FULL JOIN counted AS c ON c.tenant = d.tenant AND c.entry = d.entry AND c.line = d.line
LEFT JOIN lines AS l ON l.tenant = c.tenant AND l.entry_id = c.entry_id AND l.line = c.line
WHERE d.minor IS DISTINCT FROM c.minor OR c.minor > coalesce(l.amount_minor, 0)
UNION ALL
SELECT
    format(
        'entry %s of %s: the entries that reverse it come to %s, its count to %s',
        coalesce(n.entry_id, s.entry_id),
        coalesce(n.tenant, s.tenant), coalesce(n.minor, 0), coalesce(s.minor, 0)
    ) AS offender
FROM linked AS n
FULL JOIN (
    SELECT k.tenant, k.entry_id, sum(k.minor) AS minor FROM counted AS k GROUP BY k.tenant, k.entry_id
) AS s ON s.tenant = n.tenant AND s.entry_id = n.entry_id
WHERE n.minor IS DISTINCT FROM s.minor;

-- name: unlinked_entries
-- Reversals and corrections that name no entry, or one that is not there; links of other entries.
SELECT
    format(
        'entry %s of %s is booked by %s and belongs to %s', coalesce(e.entry_id, n.entry_id),
        coalesce(e.tenant, n.tenant), coalesce(e.rule, 'no such rule'),
        coalesce(n.linked_entry_id::text, 'nothing')
    ) AS offender
FROM (SELECT i.* FROM entries AS i WHERE i.rule = any(:rules::text[])) AS e
FULL JOIN entry_links AS n ON n.tenant = e.tenant AND n.entry_id = e.entry_id
LEFT JOIN entries AS o ON o.tenant = n.tenant AND o.entry_id = n.linked_entry_id
WHERE e.entry_id IS NULL OR n.entry_id IS NULL OR o.entry_id IS NULL OR e.rule <> n.rule
    OR e.object_id <> n.object_id::text;

-- name: miscounted_holds
-- Accounts of wallets that keep something else than their holds say.
WITH reserved AS (
    SELECT h.tenant, h.wallet, p.account, p.owner, sum(p.amount_minor) AS minor
    FROM holds AS h
    CROSS JOIN jsonb_to_recordset(h.parts) AS p (account text, owner text, amount_minor bigint)
    GROUP BY h.tenant, h.wallet, p.account, p.owner
)

SELECT
    format(
        'account %s of %s in wallet %s of %s keeps %s, its holds say %s', coalesce(b.account, r.account),
        coalesce(b.owner, r.owner), coalesce(b.wallet, r.wallet), coalesce(b.tenant, r.tenant),
        coalesce(b.held_minor, 0), coalesce(r.minor, 0)
    ) AS offender
FROM wallet_buckets AS b
FULL JOIN reserved AS r
    ON r.tenant = b.tenant AND r.wallet = b.wallet AND r.account = b.account AND r.owner = b.owner
WHERE coalesce(b.held_minor, 0) <> coalesce(r.minor, 0);

-- name: holds_posted_otherwise
-- Holds of which something else is in the books than they say; holds that keep more than is left.
WITH booked AS (
    SELECT e.tenant, e.object_id, sum(l.amount_minor) AS minor
    FROM entries AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id AND l.direction = 1
    WHERE e.object_type = 'hold'
    GROUP BY e.tenant, e.object_id
)

SELECT
    format(
        'hold %s of %s has posted %s, the books say %s', coalesce(h.object_id::text, b.object_id),
        coalesce(h.tenant, b.tenant), coalesce(h.posted_minor, 0), coalesce(b.minor, 0)
    ) AS offender
FROM holds AS h
FULL JOIN booked AS b ON b.tenant = h.tenant AND b.object_id = h.object_id::text
WHERE coalesce(h.posted_minor, 0) <> coalesce(b.minor, 0)
UNION ALL
SELECT
    format(
        'hold %s of %s keeps %s of %s, of which %s are posted',
        h.object_id, h.tenant, p.minor, h.amount_minor, h.posted_minor
    ) AS offender
FROM holds AS h
CROSS JOIN LATERAL (
    SELECT coalesce(sum(i.amount_minor), 0) AS minor
    FROM jsonb_to_recordset(h.parts) AS i (amount_minor bigint)
) AS p
WHERE (h.state IN ('placed', 'partly_posted')) <> (p.minor > 0)
    OR (p.minor > 0 AND p.minor + h.posted_minor <> h.amount_minor);

-- name: broken_limits
-- Accounts of wallets that are below what any of their limits ever allowed; limits that are not the last one
-- set.
WITH allowed AS (
    SELECT l.tenant, l.wallet, l.account, max(l.overdraft_minor) AS most, max(l.version) AS last
    FROM wallet_limits AS l
    GROUP BY l.tenant, l.wallet, l.account
)

SELECT
    format(
        'account %s of %s in wallet %s of %s has %s posted and %s held, and may be overdrawn by %s',
        b.account, b.owner, b.wallet, b.tenant, coalesce(p.posted, 0), b.held_minor, b.overdraft_minor
    ) AS offender
FROM wallet_buckets AS b
INNER JOIN accounts AS a ON a.account_id = b.account_id
LEFT JOIN LATERAL (
    SELECT
        sum(s.debit_minor - s.credit_minor) * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END
            AS posted
    FROM balances AS s
    WHERE s.account_id = b.account_id AND s.tenant = b.tenant
) AS p ON TRUE
LEFT JOIN allowed AS l ON l.tenant = b.tenant AND l.wallet = b.wallet AND l.account = b.account
LEFT JOIN wallet_limits AS v ON v.tenant = l.tenant AND v.wallet = l.wallet AND v.version = l.last
WHERE coalesce(p.posted, 0) - b.held_minor < -coalesce(l.most, 0)
    OR b.overdraft_minor <> coalesce(v.overdraft_minor, 0);
