-- Journals for people: which there are, what one would post or has posted, and what belongs to it.

-- name: journals
-- Journals, those that wait first, the oldest of them first; then what was decided, newest first.
SELECT
    j.tenant, j.journal_id, j.object_id, j.kind, j.state, j.legs, j.sums, j.note, j.needs_approval_of,
    j.proposed_by, j.decided_by, j.reason, j.act_by, j.proposed_at, j.effective_at
FROM journals AS j
WHERE (:tenant::text IS NULL OR j.tenant = :tenant) AND (:state::text IS NULL OR j.state = :state)
ORDER BY
    CASE WHEN j.state IN ('collecting', 'proposed') THEN j.act_by END ASC NULLS LAST, j.updated_at DESC,
    j.object_id ASC
LIMIT :most;

-- name: count_journals$
-- How many there are of these.
SELECT count(*) FROM journals AS j
WHERE (:tenant::text IS NULL OR j.tenant = :tenant) AND (:state::text IS NULL OR j.state = :state);

-- name: journals_named
-- Journals by their caller's name or ours; two tenants may have one of a name.
SELECT j.* FROM journals AS j
WHERE (j.journal_id = :name OR j.object_id = :object_id)
    AND (:tenant::text IS NULL OR j.tenant = :tenant)
ORDER BY j.tenant;

-- name: lines_of_journal
-- Its legs as they were proposed.
SELECT l.line, l.side, l.account, l.owner, l.amount_minor, l.currency, l.reverses_line
FROM journal_lines AS l
WHERE l.tenant = :tenant AND l.object_id = :object_id
ORDER BY l.line;

-- name: steps_of_journal
-- What happened to it.
SELECT t.version, t.from_state, t.event, t.to_state, t.reason, t.at
FROM transitions AS t
WHERE t.tenant = :tenant AND t.object_id = :object_id
ORDER BY t.version;

-- name: entries_of_journal
-- The entries that it posted, and those that each of them reverses or replaces.
SELECT e.entry_id, e.rule, e.legs, e.effective_at, e.posted_at, l.kind, l.linked_entry_id
FROM entries AS e
LEFT JOIN entry_links AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
WHERE e.tenant = :tenant AND e.object_id = :object_id::uuid::text
ORDER BY e.entry_id;

-- name: later_links
-- What later reversed or replaced the entries of an object: by which entry, and of which journal.
SELECT l.linked_entry_id, l.kind, l.entry_id, j.journal_id
FROM entries AS e
INNER JOIN entry_links AS l ON l.linked_entry_id = e.entry_id AND l.tenant = e.tenant
INNER JOIN journals AS j ON j.object_id = l.object_id AND j.tenant = l.tenant
WHERE e.tenant = :tenant AND e.object_id = :object_id::uuid::text
ORDER BY l.entry_id;

-- name: named_entry$
-- The number of an entry that is named by its object and its place among the object's entries.
SELECT b.entry_id FROM booked_lines AS b
WHERE b.object_id = :object_id AND b.tenant = :tenant AND b.number = :number
LIMIT 1;

-- name: entry_lines
-- An entry with its lines as a reversal names them, and how much of each was reversed already.
SELECT
    b.tenant, b.object_id, b.number, b.line, b.entry_id, b.object_type, b.effective_at, b.side, b.account,
    b.owner, b.amount_minor, b.currency,
    coalesce((r.reversed_minor ->> b.line::text)::bigint, 0) AS reversed_minor
FROM entries AS e
INNER JOIN booked_lines AS b
    ON b.object_id = e.object_id AND b.tenant = e.tenant AND b.entry_id = e.entry_id
LEFT JOIN entry_reversals AS r ON r.entry_id = e.entry_id AND r.tenant = e.tenant
WHERE e.entry_id = :entry_id AND (:tenant::text IS NULL OR e.tenant = :tenant)
ORDER BY b.line;
