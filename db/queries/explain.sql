-- From money and objects back to the messages that caused them, and forward to what was published.
-- What several things are asked for is asked for at once; every list is bounded by `most`.

-- name: payment_by_id
-- A payment; two tenants cannot share an id.
SELECT p.* FROM payments AS p
WHERE p.payment_id = :payment_id AND (:tenant::text IS NULL OR p.tenant = :tenant);

-- name: payments_by_order
-- The payment of an order, of every tenant that has such an order.
SELECT p.* FROM payments AS p
WHERE p.order_id = :order_id AND (:tenant::text IS NULL OR p.tenant = :tenant)
ORDER BY p.tenant;

-- name: payments_of
-- Payments by their ids.
SELECT p.*, p.payment_id AS object_id FROM payments AS p
WHERE p.payment_id = any(:object_ids::uuid[]) AND p.tenant = any(:tenants::text[]);

-- name: refunds_of
-- Refunds by their ids.
SELECT r.* FROM refunds AS r
WHERE r.object_id = any(:object_ids::uuid[]) AND r.tenant = any(:tenants::text[]);

-- name: refunds_named
-- Refunds by id, by the provider's name, or by the caller's, for which all refunds are read.
SELECT r.* FROM refunds AS r
WHERE (r.object_id = :object_id::uuid OR r.provider_reference = :name OR r.refund_id = :name)
    AND (:tenant::text IS NULL OR r.tenant = :tenant) AND (:order_id::text IS NULL OR r.order_id = :order_id)
ORDER BY r.tenant, r.order_id
LIMIT :most;

-- name: disputes_of
-- Disputes by their ids.
SELECT d.* FROM disputes AS d
WHERE d.object_id = any(:object_ids::uuid[]) AND d.tenant = any(:tenants::text[]);

-- name: disputes_named
-- Disputes by the provider's name or ours.
SELECT d.* FROM disputes AS d
WHERE (d.dispute_reference = :name OR d.object_id = :object_id::uuid)
    AND (:tenant::text IS NULL OR d.tenant = :tenant)
ORDER BY d.tenant
LIMIT :most;

-- name: evidence_of
-- What was sent for a dispute, word for word.
SELECT e.version, e.sha256, e.fields, e.links, e.submitted_by, e.submitted_at
FROM dispute_evidence AS e
WHERE e.tenant = :tenant AND e.object_id = :object_id
ORDER BY e.version;

-- name: after_payment
-- What came after a payment: its refunds and disputes, newest first.
SELECT o.object_type, o.object_id, count(*) OVER () AS there
FROM (
    SELECT 'refund' AS object_type, r.object_id, r.requested_at AS at FROM refunds AS r
    WHERE r.payment_id = :payment_id AND r.tenant = :tenant
    UNION ALL
    SELECT 'dispute', d.object_id, d.opened_at FROM disputes AS d
    WHERE d.payment_id = :payment_id AND d.tenant = :tenant
) AS o
ORDER BY o.at DESC, o.object_id ASC
LIMIT :most;

-- name: journals_of
-- Journals by their ids, with the currencies of a conversion, and how many of their lines are there.
SELECT
    j.*,
    (
        SELECT min(l.owner) FROM journal_lines AS l
        WHERE l.object_id = j.object_id AND l.tenant = j.tenant AND l.account = 'trading'
            AND j.kind = 'conversion'
    ) AS pair,
    (
        SELECT count(*) FROM journal_lines AS l
        WHERE l.object_id = j.object_id AND l.tenant = j.tenant
    ) AS lines_there
FROM journals AS j
WHERE j.object_id = any(:object_ids::uuid[]) AND j.tenant = any(:tenants::text[]);

-- name: journal_ids_named
-- Journals by id or by the caller's name, for which all journals are read.
SELECT j.tenant, j.object_id FROM journals AS j
WHERE (j.journal_id = :name OR j.object_id = :object_id::uuid)
    AND (:tenant::text IS NULL OR j.tenant = :tenant)
ORDER BY j.tenant
LIMIT :most;

-- name: holds_of
-- Holds by their ids.
SELECT h.* FROM holds AS h
WHERE h.object_id = any(:object_ids::uuid[]) AND h.tenant = any(:tenants::text[]);

-- name: holds_named
-- Holds by id or by the caller's name, for which all holds are read.
SELECT h.* FROM holds AS h
WHERE (h.object_id = :object_id::uuid OR h.hold_id = :name)
    AND (:tenant::text IS NULL OR h.tenant = :tenant) AND (:wallet::text IS NULL OR h.wallet = :wallet)
ORDER BY h.tenant, h.wallet
LIMIT :most;

-- name: wallets_named
-- Wallets by their names.
SELECT w.* FROM wallets AS w
WHERE w.name = any(:names::text[]) AND (:tenant::text IS NULL OR w.tenant = :tenant)
ORDER BY w.tenant, w.name;

-- name: wallet_accounts
-- The accounts of a wallet, also grants that are used up, in the order in which they are spent.
SELECT
    b.account_id, b.account, b.owner, b.priority, b.expires_at, b.overdraft_minor, b.held_minor,
    (
        coalesce(sum(s.debit_minor - s.credit_minor), 0)
        * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END
    )::bigint AS posted_minor
FROM wallet_buckets AS b
INNER JOIN accounts AS a ON a.account_id = b.account_id
LEFT JOIN balances AS s ON s.account_id = b.account_id AND s.tenant = b.tenant
WHERE b.wallet = :name AND b.tenant = :tenant
GROUP BY b.account_id, b.tenant, a.account_id
ORDER BY b.priority, b.expires_at, b.account, b.owner;

-- name: wallet_limits
-- Who set which limit, and why.
SELECT l.* FROM wallet_limits AS l WHERE l.wallet = :name AND l.tenant = :tenant ORDER BY l.version;

-- name: open_holds
-- What a wallet keeps for holds, newest first.
SELECT h.*, count(*) OVER () AS there FROM holds AS h
WHERE h.wallet = :name AND h.tenant = :tenant AND h.state IN ('placed', 'partly_posted')
ORDER BY h.placed_at DESC, h.object_id ASC
LIMIT :most;

-- name: wallets_of_entries
-- The wallets whose accounts these entries move.
SELECT DISTINCT k.tenant, k.entry_id, w.name, w.currency, w.family, w.owner_id
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
INNER JOIN lines AS l ON l.entry_id = k.entry_id AND l.tenant = k.tenant
INNER JOIN wallet_buckets AS b ON b.account_id = l.account_id AND b.tenant = l.tenant
INNER JOIN wallets AS w ON w.name = b.wallet AND w.tenant = b.tenant
ORDER BY k.entry_id, w.name;

-- name: periods_named
-- A period of every tenant that has touched it.
SELECT p.* FROM periods AS p
WHERE p.period = :period AND (:tenant::text IS NULL OR p.tenant = :tenant)
ORDER BY p.tenant;

-- name: bounds_of_period
-- How a period moved the bounds of its tenant's books.
SELECT b.number, b.step, b.zone, b.unit, b.closed_before, b.soft_closed_before, b.set_at
FROM period_bounds AS b
WHERE b.tenant = :tenant AND b.period = :period
ORDER BY b.number;

-- name: closings_of_period
-- What was taken at each closing of a period, and how many of its balances are there.
SELECT
    c.number, c.closed_before, c.accounts, c.lines, c.taken_at,
    (
        SELECT count(*) FROM closing_balances AS b
        WHERE b.tenant = c.tenant AND b.number = c.number
    ) AS accounts_there
FROM period_closings AS c
WHERE c.tenant = :tenant AND c.period = :period
ORDER BY c.number;

-- name: late_entries
-- Entries that happened in a period which was closed by then, newest first.
SELECT e.*, o.origin_effective_at, count(*) OVER () AS there
FROM entry_origins AS o
INNER JOIN entries AS e ON e.entry_id = o.entry_id AND e.tenant = o.tenant
WHERE o.tenant = :tenant AND o.period = :period
ORDER BY o.entry_id DESC
LIMIT :most;

-- name: transitions_of
-- The newest steps of objects until a time, each object's in their order, and how many there are. With a
-- message, only those that it led to.
SELECT
    t.object_type, t.object_id, t.version, t.from_state, t.event, t.to_state, t.reason, t.source, t.event_id,
    t.at, t.there
FROM unnest(:object_ids::uuid[]) WITH ORDINALITY AS k (object_id, place)
CROSS JOIN LATERAL (
    SELECT i.*, count(*) OVER () AS there FROM transitions AS i
    WHERE i.object_id = k.object_id AND i.tenant = :tenant
        AND (:event_id::text IS NULL OR (i.source, i.event_id) = (:source, :event_id))
        AND (:until::timestamptz IS NULL OR i.at <= :until)
    ORDER BY i.version DESC
    LIMIT :most
) AS t
ORDER BY k.place, t.version;

-- name: entries_of
-- The newest entries of objects until a time, in their order, and how many there are of each. With a message,
-- only those that it led to.
SELECT e.*
FROM unnest(:object_ids::text[]) AS k (object_id)
CROSS JOIN LATERAL (
    SELECT i.*, count(*) OVER () AS there FROM entries AS i
    WHERE i.object_id = k.object_id AND i.tenant = :tenant
        AND (:event_id::text IS NULL OR (i.source, i.event_id) = (:source, :event_id))
        AND (:until::timestamptz IS NULL OR i.posted_at <= :until)
    ORDER BY i.entry_id DESC
    LIMIT :most
) AS e
ORDER BY e.entry_id;

-- name: entry
-- An entry by its number.
SELECT e.* FROM entries AS e WHERE e.entry_id = :entry_id AND (:tenant::text IS NULL OR e.tenant = :tenant);

-- name: traces_of_entry
-- Where else an entry's number is found when its header is not there: in the hash chain, and in its lines.
-- Reads the chain.
SELECT
    c.tenant, format('block %s of the hash chain', c.number) AS place
FROM chain_blocks AS c
WHERE :entry_id = any(c.entry_ids) AND (:tenant::text IS NULL OR c.tenant = :tenant)
UNION ALL
SELECT l.tenant, format('%s lines', count(*)) FROM lines AS l
WHERE l.entry_id = :entry_id AND (:tenant::text IS NULL OR l.tenant = :tenant)
GROUP BY l.tenant;

-- name: lines_of
-- The first lines of entries, how many there are of each, and by how much they do not balance.
SELECT
    k.tenant, k.entry_id, n.there, n.off_by, l.line, l.direction, l.amount_minor, l.currency, l.account_id,
    a.code, a.owner
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(c.lines), 0)::bigint AS there,
        jsonb_object_agg(c.currency, c.minor) FILTER (WHERE c.minor <> 0) AS off_by
    FROM (
        SELECT i.currency, count(*) AS lines, sum(i.amount_minor * i.direction) AS minor FROM lines AS i
        WHERE i.entry_id = k.entry_id AND i.tenant = k.tenant
        GROUP BY i.currency
    ) AS c
) AS n
LEFT JOIN lines AS l ON l.entry_id = k.entry_id AND l.tenant = k.tenant AND l.line <= :most
LEFT JOIN accounts AS a ON a.account_id = l.account_id
ORDER BY k.entry_id, l.line;

-- name: references_of
-- What entries are called elsewhere: a bank's line, a ticket, an invoice.
SELECT r.tenant, r.entry_id, r.name, r.value
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
INNER JOIN entry_references AS r ON r.entry_id = k.entry_id AND r.tenant = k.tenant
ORDER BY r.entry_id, r.name;

-- name: late_of
-- When entries really happened that came too late for their period.
SELECT o.tenant, o.entry_id, o.origin_effective_at, o.period
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
INNER JOIN entry_origins AS o ON o.entry_id = k.entry_id AND o.tenant = k.tenant;

-- name: periods_of
-- The periods, of those that somebody touched, in which entries are effective.
SELECT k.tenant, k.entry_id, p.period, p.state, p.starts_at, p.ends_at
FROM unnest(:tenants::text[], :entry_ids::bigint[], :effective_ats::timestamptz[])
    AS k (tenant, entry_id, effective_at)
INNER JOIN periods AS p
    ON p.tenant = k.tenant AND p.starts_at <= k.effective_at AND p.ends_at > k.effective_at;

-- name: links_of
-- What entries take back or replace, and what takes back or replaces them, newest first.
SELECT k.tenant, k.entry_id, l.kind, l.linked_entry_id, l.by_entry_id, l.root_entry_id, l.there
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
CROSS JOIN LATERAL (
    SELECT n.kind, n.linked_entry_id, n.entry_id AS by_entry_id, n.root_entry_id, count(*) OVER () AS there
    FROM (
        SELECT f.* FROM entry_links AS f WHERE f.entry_id = k.entry_id AND f.tenant = k.tenant
        UNION ALL
        SELECT b.* FROM entry_links AS b WHERE b.linked_entry_id = k.entry_id AND b.tenant = k.tenant
    ) AS n
    ORDER BY n.entry_id DESC
    LIMIT :most
) AS l
ORDER BY k.entry_id, l.by_entry_id;

-- name: groups_of
-- Old entries with what took them back and what replaced them, the newest of each group.
SELECT k.tenant, k.root_entry_id, g.entry_id, g.kind, g.linked_entry_id, g.rule, g.effective_at, g.there
FROM unnest(:tenants::text[], :root_ids::bigint[]) AS k (tenant, root_entry_id)
CROSS JOIN LATERAL (
    SELECT i.*, count(*) OVER () AS there FROM entry_groups AS i
    WHERE i.root_entry_id = k.root_entry_id AND i.tenant = k.tenant
    ORDER BY i.entry_id DESC
    LIMIT :most
) AS g
ORDER BY k.root_entry_id, g.entry_id;

-- name: reversed_of
-- How much of which line of entries was taken back.
SELECT r.tenant, r.entry_id, r.reversed_minor, r.updated_at
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
INNER JOIN entry_reversals AS r ON r.entry_id = k.entry_id AND r.tenant = k.tenant;

-- name: exported_in
-- The batches in which entries were given to accounting.
SELECT k.tenant, k.entry_id, b.batch, b.format, b.sha256, b.created_at
FROM unnest(:tenants::text[], :entry_ids::bigint[]) AS k (tenant, entry_id)
CROSS JOIN LATERAL (
    SELECT i.* FROM journal_batches AS i
    WHERE i.tenant = k.tenant AND i.after_entry_id < k.entry_id
    ORDER BY i.after_entry_id DESC
    LIMIT 1
) AS b
WHERE b.last_entry_id >= k.entry_id;

-- name: calls_about
-- The newest calls to providers about payments until a time, or about their refunds and disputes. With a
-- message, only those that it asked for.
SELECT c.* FROM (
    SELECT i.* FROM provider_calls AS i
    WHERE i.tenant = :tenant AND i.payment_id = any(:payment_ids::uuid[])
        AND (:object_ids::uuid[] IS NULL OR i.object_id = any(:object_ids))
        AND (:event_id::text IS NULL OR (i.source, i.event_id) = (:source, :event_id))
        AND (:until::timestamptz IS NULL OR i.created_at <= :until)
    ORDER BY i.created_at DESC, i.call_id DESC
    LIMIT :most
) AS c
ORDER BY c.created_at, c.call_id;

-- name: calls_of
-- Calls by their ids.
SELECT c.* FROM unnest(:tenants::text[], :call_ids::uuid[]) AS k (tenant, call_id)
INNER JOIN provider_calls AS c ON c.call_id = k.call_id AND c.tenant = k.tenant;

-- name: answers_of
-- What providers answered to calls, verbatim; the newest of each call.
SELECT
    a.tenant, a.call_id, a.try, a.asked, a.answer, a.detail, a.raw, a.answered_at
FROM unnest(:tenants::text[], :call_ids::uuid[]) AS k (tenant, call_id)
CROSS JOIN LATERAL (
    SELECT i.* FROM provider_answers AS i
    WHERE i.call_id = k.call_id AND i.tenant = k.tenant
    ORDER BY i.try DESC
    LIMIT :most
) AS a
ORDER BY a.call_id, a.try;

-- name: webhooks_of
-- Webhooks as they came; a provider may have told the same in several words.
SELECT w.* FROM unnest(:tenants::text[], :webhook_ids::uuid[]) AS k (tenant, webhook_id)
INNER JOIN webhooks AS w ON w.webhook_id = k.webhook_id AND w.tenant = k.tenant
ORDER BY w.webhook_id, w.received_at;

-- name: timers_of
-- Timers with the messages that set them: `moved` when the message moved what the timer is about, which tells
-- it from another sender's of the same id.
SELECT
    t.tenant, t.timer_id, t.kind, t.due_at, t.order_id, t.object_id, t.payment_id, t.causation,
    t.published_at, i.source,
    EXISTS (
        SELECT FROM transitions AS s
        WHERE s.object_id IN (t.object_id, t.payment_id) AND s.tenant = t.tenant
            AND (s.source, s.event_id) = (i.source, i.event_id)
    ) OR EXISTS (
        SELECT FROM entries AS e
        WHERE e.object_id IN (t.object_id::text, t.payment_id::text) AND e.tenant = t.tenant
            AND (e.source, e.event_id) = (i.source, i.event_id)
    ) AS moved
FROM unnest(:tenants::text[], :timer_ids::uuid[]) AS k (tenant, timer_id)
INNER JOIN timers AS t ON t.timer_id = k.timer_id AND t.tenant = k.tenant
LEFT JOIN inbox AS i ON i.event_id = t.causation AND i.tenant = t.tenant;

-- name: commands_about
-- The newest commands that named an object, by what they asked for, with what became of them: those that were
-- applied before those that were refused, however many these are.
SELECT u.operation, u.source, u.event_id, u.outcome, u.reason, u.expires_at, u.there
FROM (
    SELECT i.*, count(*) OVER () AS there FROM idempotency_keys AS i
    WHERE i.tenant = :tenant AND i.object_id = :name AND i.operation = any(:operations::text[])
    ORDER BY i.outcome = 'applied' DESC, i.expires_at DESC, i.event_id ASC
    LIMIT :most
) AS u
ORDER BY u.expires_at, u.event_id;

-- name: entry_of_object$
-- The number of an object's n-th entry.
SELECT e.entry_id FROM entries AS e
WHERE e.object_id = :object_id AND e.tenant = :tenant
ORDER BY e.entry_id
LIMIT 1 OFFSET :number::bigint - 1;
