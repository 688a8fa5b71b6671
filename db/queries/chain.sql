-- The hash chain: building its blocks, and reading them with the book beside them.

-- name: try_seal$
-- One builder at a time; held until this transaction ends.
SELECT pg_try_advisory_xact_lock(17742, 3);

-- name: next_round^
-- After which transaction the chain goes on, and up to which: only transactions that have ended, whole ones,
-- with about `most` entries. `through` is NULL when there is nothing to do. `lost`: the chain is ahead of
-- this server's transaction ids, so that new entries would never be found; see docs/proof.md.
WITH sealed AS (
    SELECT coalesce(
        (SELECT b.through_xid FROM chain_blocks AS b ORDER BY b.through_xid DESC LIMIT 1), '0'::xid8
    ) AS xid
),

ahead AS (
    SELECT e.xid
    FROM entries AS e
    WHERE e.xid > (SELECT s.xid FROM sealed AS s) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.xid
    LIMIT :most
)

SELECT
    s.xid::text AS after,
    (SELECT a.xid FROM ahead AS a ORDER BY a.xid DESC LIMIT 1)::text AS through,
    s.xid >= pg_snapshot_xmax(pg_current_snapshot()) AS lost
FROM sealed AS s;

-- name: round_leaves
-- The entries of a round by tenant, with the SHA-256 of each, and the block that theirs follows. What is
-- hashed reads as handlers/ledger/chain.py writes it, to the byte.
SELECT
    r.tenant, r.entry_ids, r.leaves,
    coalesce(p.number, 0) AS number, coalesce(p.last_position, 0) AS position, p.block_hash
FROM (
    SELECT
        e.tenant,
        array_agg(e.entry_id ORDER BY e.xid, e.entry_id) AS entry_ids,
        string_agg(
            sha256(convert_to(concat(
                '[', json_build_array(
                    e.tenant, e.entry_id, e.rule, e.object_type, e.object_id, e.source, e.event_id, e.legs,
                    (extract(EPOCH FROM e.effective_at) * 1000000)::bigint,
                    (extract(EPOCH FROM e.posted_at) * 1000000)::bigint, e.xid::text
                ), l.lines, ']'
            ), 'UTF8')), ''::bytea ORDER BY e.xid, e.entry_id
        ) AS leaves
    FROM entries AS e
    CROSS JOIN LATERAL (
        SELECT string_agg(concat(', ', json_build_array(
            i.line, i.account_id, a.tenant, a.code, a.owner, a.currency, a.type, i.direction, i.amount_minor,
            i.currency
        )), '' ORDER BY i.line) AS lines
        FROM lines AS i
        LEFT JOIN accounts AS a ON a.account_id = i.account_id
        WHERE i.tenant = e.tenant AND i.entry_id = e.entry_id
    ) AS l
    WHERE e.xid > :after::text::xid8 AND e.xid <= :through::text::xid8
    GROUP BY e.tenant
) AS r
LEFT JOIN LATERAL (
    SELECT b.number, b.last_position, b.block_hash
    FROM chain_blocks AS b
    WHERE b.tenant = r.tenant
    ORDER BY b.number DESC
    LIMIT 1
) AS p ON TRUE;

-- name: round_particulars
-- What else was said of the entries of a round, by tenant: a SHA-256 for each kind that an entry has. Found
-- by the entries' numbers, for few have any. Reads as handlers/ledger/chain.py writes it, to the byte.
SELECT
    p.tenant, array_agg(p.entry_id ORDER BY p.xid, p.entry_id, p.kind) AS entry_ids,
    array_agg(p.kind ORDER BY p.xid, p.entry_id, p.kind) AS kinds,
    string_agg(
        sha256(convert_to(
            concat('[', json_build_array(p.kind, p.tenant, p.entry_id), p.told, ']'), 'UTF8'
        )), ''::bytea ORDER BY p.xid, p.entry_id, p.kind
    ) AS leaves
FROM (
    SELECT
        e.tenant, e.xid, e.entry_id, 'references' AS kind,
        string_agg(
            concat(', ', json_build_array(r.name, r.value)), ''
            ORDER BY r.name COLLATE "C", r.value COLLATE "C"
        ) AS told
    FROM entry_references AS r
    INNER JOIN entries AS e ON e.entry_id = r.entry_id AND e.tenant = r.tenant
    WHERE r.entry_id BETWEEN :lowest AND :highest AND e.entry_id BETWEEN :lowest AND :highest
        AND e.xid > :after::text::xid8 AND e.xid <= :through::text::xid8
    GROUP BY e.tenant, e.xid, e.entry_id
    UNION ALL
    SELECT
        e.tenant, e.xid, e.entry_id, 'origin' AS kind,
        string_agg(
            concat(', ', json_build_array(
                (extract(EPOCH FROM o.origin_effective_at) * 1000000)::bigint, o.period
            )), '' ORDER BY o.origin_effective_at, o.period COLLATE "C"
        ) AS told
    FROM entry_origins AS o
    INNER JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
    WHERE o.entry_id BETWEEN :lowest AND :highest AND e.entry_id BETWEEN :lowest AND :highest
        AND e.xid > :after::text::xid8 AND e.xid <= :through::text::xid8
    GROUP BY e.tenant, e.xid, e.entry_id
    UNION ALL
    SELECT
        e.tenant, e.xid, e.entry_id, 'link' AS kind,
        string_agg(
            concat(', ', json_build_array(
                n.object_id, n.rule, n.kind, n.linked_entry_id, n.root_entry_id
            )), ''
            ORDER BY n.object_id, n.rule COLLATE "C", n.kind COLLATE "C", n.linked_entry_id, n.root_entry_id
        ) AS told
    FROM entry_links AS n
    INNER JOIN entries AS e ON e.entry_id = n.entry_id AND e.tenant = n.tenant
    WHERE n.entry_id BETWEEN :lowest AND :highest AND e.entry_id BETWEEN :lowest AND :highest
        AND e.xid > :after::text::xid8 AND e.xid <= :through::text::xid8
    GROUP BY e.tenant, e.xid, e.entry_id
) AS p
GROUP BY p.tenant;

-- name: stream!
-- For this transaction: the statements below are read through indexes, row by row, not sorted as a whole.
SELECT
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true);

-- name: sealed_blocks
-- Blocks of one tenant or of all, in the order in which they were built.
SELECT
    b.tenant, b.number, b.form, b.first_position, b.last_position, b.through_xid::text AS through_xid,
    b.previous_hash, b.entry_ids, b.leaves, b.built_at, b.block_hash, b.key_id, b.signature, b.particular_ids,
    b.particular_kinds, b.particular_leaves
FROM chain_blocks AS b
WHERE :tenant::text IS NULL OR b.tenant = :tenant
ORDER BY b.through_xid, b.tenant, b.number;

-- name: book
-- Entries with their lines, a row for each line, in the order of the chain.
SELECT
    e.tenant, e.entry_id, e.rule, e.object_type, e.object_id, e.source, e.event_id, e.legs, e.effective_at,
    e.posted_at, e.xid::text AS xid, i.line, i.account_id, a.tenant AS account_tenant, a.code, a.owner,
    a.currency AS account_currency, a.type, i.direction, i.amount_minor, i.currency
FROM entries AS e
LEFT JOIN lines AS i ON i.tenant = e.tenant AND i.entry_id = e.entry_id
LEFT JOIN accounts AS a ON a.account_id = i.account_id
WHERE :tenant::text IS NULL OR e.tenant = :tenant
ORDER BY e.xid, e.entry_id, e.tenant, i.line;

-- name: booked_references
-- External references, in the order in which the chain has their entries; last those that have none.
SELECT r.tenant, r.entry_id, e.xid::text AS xid, r.name, r.value
FROM entry_references AS r
LEFT JOIN entries AS e ON e.entry_id = r.entry_id AND e.tenant = r.tenant
WHERE :tenant::text IS NULL OR r.tenant = :tenant
ORDER BY e.xid, r.entry_id, r.tenant;

-- name: booked_origins
-- Origins of late entries, in the same order.
SELECT o.tenant, o.entry_id, e.xid::text AS xid, o.origin_effective_at, o.period
FROM entry_origins AS o
LEFT JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
WHERE :tenant::text IS NULL OR o.tenant = :tenant
ORDER BY e.xid, o.entry_id, o.tenant;

-- name: booked_links
-- What reverses or replaces what, in the same order.
SELECT
    n.tenant, n.entry_id, e.xid::text AS xid, n.object_id::text AS object_id, n.rule, n.kind,
    n.linked_entry_id, n.root_entry_id
FROM entry_links AS n
LEFT JOIN entries AS e ON e.entry_id = n.entry_id AND e.tenant = n.tenant
WHERE :tenant::text IS NULL OR n.tenant = :tenant
ORDER BY e.xid, n.entry_id, n.tenant;

-- name: sealed_entries$
-- How many entries are in blocks, of one tenant or of all.
SELECT coalesce(sum(b.last_position - b.first_position + 1), 0)::bigint
FROM chain_blocks AS b
WHERE :tenant::text IS NULL OR b.tenant = :tenant;

-- name: heads
-- The last block of each tenant, or of one.
SELECT
    b.tenant, b.number, b.last_position, b.entry_ids[cardinality(b.entry_ids)] AS last_entry_id, b.block_hash,
    b.built_at
FROM (SELECT l.tenant, max(l.number) AS number FROM chain_blocks AS l GROUP BY l.tenant) AS last
INNER JOIN chain_blocks AS b ON b.tenant = last.tenant AND b.number = last.number
WHERE :tenant::text IS NULL OR b.tenant = :tenant
ORDER BY b.tenant;
