-- Journals, wallets and holds, for the comparison after a replay: by name, without numbers that depend on who
-- was faster.

-- name: rebuilt_journals
-- Journals with their lines.
SELECT
    concat_ws('/', j.tenant, j.journal_id) COLLATE "C" AS name,
    to_jsonb(j) || jsonb_build_object(
        'lines',
        (
            SELECT jsonb_agg(to_jsonb(l) ORDER BY l.line) FROM journal_lines AS l
            WHERE l.tenant = j.tenant AND l.object_id = j.object_id
        )
    ) AS content
FROM journals AS j
ORDER BY 1;

-- name: rebuilt_reversals
-- How much of which entry was reversed, and the links of the entries that did.
SELECT concat_ws('/', r.tenant, r.entry) COLLATE "C" AS name, to_jsonb(r) - 'entry_id' AS content
FROM entry_reversals AS r
UNION ALL
SELECT
    concat_ws('/', n.tenant, n.object_id, n.rule) COLLATE "C",
    to_jsonb(n) - ARRAY['entry_id', 'linked_entry_id', 'root_entry_id']
    || jsonb_build_object('linked', o.object_id, 'root', f.object_id)
FROM entry_links AS n
LEFT JOIN entries AS o ON o.tenant = n.tenant AND o.entry_id = n.linked_entry_id
LEFT JOIN entries AS f ON f.tenant = n.tenant AND f.entry_id = n.root_entry_id
ORDER BY 1;

-- name: rebuilt_wallets
-- Wallets with their accounts, limits and holds.
SELECT
    concat_ws('/', w.tenant, w.name) COLLATE "C" AS name,
    to_jsonb(w) || jsonb_build_object(
        'buckets',
        (
            SELECT jsonb_agg(
                to_jsonb(b) - ARRAY['account_id', 'moved_minor', 'moved_xid'] ORDER BY b.account, b.owner
            )
            FROM wallet_buckets AS b
            WHERE b.tenant = w.tenant AND b.wallet = w.name
        ),
        'limits_set',
        (
            SELECT jsonb_agg(to_jsonb(l) ORDER BY l.version) FROM wallet_limits AS l
            WHERE l.tenant = w.tenant AND l.wallet = w.name
        ),
        'holds',
        (
            SELECT jsonb_agg(to_jsonb(h) ORDER BY h.object_id) FROM holds AS h
            WHERE h.tenant = w.tenant AND h.wallet = w.name
        )
    ) AS content
FROM wallets AS w
ORDER BY 1;

-- name: rebuilt_references
-- External references by the message that their entries follow from.
SELECT
    concat_ws('/', e.tenant, e.source, e.event_id, e.object_id, e.rule, r.name) COLLATE "C" AS name,
    jsonb_build_object('value', r.value) AS content
FROM entry_references AS r
INNER JOIN entries AS e ON e.entry_id = r.entry_id AND e.tenant = r.tenant
ORDER BY 1;
