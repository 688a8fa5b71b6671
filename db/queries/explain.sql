-- From money and payments back to the messages that caused them, and forward to what was published.

-- name: payment_by_id
-- A payment; two tenants cannot share an id.
SELECT p.* FROM payments AS p
WHERE p.payment_id = :payment_id AND (:tenant::text IS NULL OR p.tenant = :tenant);

-- name: payments_by_order
-- The payment of an order, of every tenant that has such an order.
SELECT p.* FROM payments AS p
WHERE p.order_id = :order_id AND (:tenant::text IS NULL OR p.tenant = :tenant)
ORDER BY p.tenant;

-- name: transitions_of
-- An object's history.
SELECT t.version, t.from_state, t.event, t.to_state, t.reason, t.source, t.event_id, t.at
FROM transitions AS t
WHERE t.tenant = :tenant AND t.object_id = :object_id
ORDER BY t.version;

-- name: entries_of
-- What was posted for an object.
SELECT e.* FROM entries AS e WHERE e.tenant = :tenant AND e.object_id = :object_id ORDER BY e.entry_id;

-- name: entry
-- An entry by its number.
SELECT e.* FROM entries AS e WHERE e.entry_id = :entry_id AND (:tenant::text IS NULL OR e.tenant = :tenant);

-- name: last_entries_of_account
-- The last entries that moved an account.
SELECT e.* FROM entries AS e
WHERE e.tenant = :tenant AND e.entry_id IN (
    SELECT DISTINCT l.entry_id FROM lines AS l
    WHERE l.tenant = :tenant AND l.account_id = :account_id
    ORDER BY l.entry_id DESC
    LIMIT :most
)
ORDER BY e.entry_id DESC;

-- name: lines_of
-- The lines of entries.
SELECT l.entry_id, l.line, l.direction, l.amount_minor, l.currency, l.account_id, a.code, a.owner
FROM lines AS l
INNER JOIN accounts AS a ON a.account_id = l.account_id
WHERE l.tenant = :tenant AND l.entry_id = any(:entry_ids::bigint[])
ORDER BY l.entry_id, l.line;

-- name: calls_of
-- A payment's calls to its provider.
SELECT c.* FROM provider_calls AS c
WHERE c.tenant = :tenant AND c.payment_id = :payment_id
ORDER BY c.created_at, c.call_id;

-- name: answers_of
-- What the provider answered, verbatim.
SELECT a.call_id, a.try, a.asked, a.answer, a.detail, a.raw, a.answered_at
FROM provider_answers AS a
WHERE a.tenant = :tenant AND a.call_id = any(:call_ids::uuid[])
ORDER BY a.call_id, a.try;

-- name: messages
-- Messages as they came, by identity.
SELECT i.* FROM unnest(:tenants::text[], :sources::text[], :event_ids::text[]) AS k (tenant, source, event_id)
INNER JOIN inbox AS i ON i.tenant = k.tenant AND i.source = k.source AND i.event_id = k.event_id;

-- name: messages_by_id
-- Messages by their event id alone.
SELECT i.* FROM inbox AS i
WHERE i.event_id = :event_id
    AND (:tenant::text IS NULL OR i.tenant = :tenant) AND (:source::text IS NULL OR i.source = :source)
ORDER BY i.tenant, i.source;

-- name: messages_by_key
-- All messages about an order, those that changed nothing too. Reads the whole inbox.
SELECT i.* FROM inbox AS i
WHERE i.tenant = :tenant AND i.key = :key
ORDER BY i.received_at, i.topic, i."offset";

-- name: conflicts_of
-- Other bodies that came under the same identity.
SELECT c.* FROM inbox_conflicts AS c
WHERE c.tenant = :tenant AND c.source = :source AND c.event_id = :event_id
ORDER BY c.received_at;

-- name: waits_of
-- Where a message waits.
SELECT p.reason, p.detail, p.waits_for, p.tries, p.parked_at, p.due_at FROM parked AS p
WHERE p.tenant = :tenant AND p.topic = :topic AND p.key = :key AND p.source = :source
    AND p.event_id = :event_id;

-- name: published_by
-- What batches publish, in order, and whether the relay has passed them.
SELECT
    o.batch_id, o.topic, p.event,
    o.batch_id <= (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox') AS is_published
FROM outbox_batches AS o
CROSS JOIN string_to_table(o.payloads, E'\n') WITH ORDINALITY AS p (event, place)
WHERE o.batch_id = any(:batch_ids::bigint[])
ORDER BY o.batch_id, o.topic, p.place;

-- name: published_event
-- An event of ours by its id, with which it begins. Reads the whole outbox.
SELECT
    o.batch_id, o.topic, p.event,
    o.batch_id <= (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox') AS is_published
FROM outbox_batches AS o
CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
WHERE position('"id":"' || :event_id || '"' IN left(p.event, 80)) > 0;
