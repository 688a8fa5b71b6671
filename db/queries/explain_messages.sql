-- Messages as they came in, and what was published because of them.

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
-- The newest messages about an order, those that changed nothing too. Reads the whole inbox.
SELECT m.* FROM (
    SELECT i.* FROM inbox AS i
    WHERE i.tenant = :tenant AND i.key = :key
    ORDER BY i.received_at DESC, i.topic DESC, i."offset" DESC
    LIMIT :most
) AS m
ORDER BY m.received_at, m.topic, m."offset";

-- name: conflicts_of
-- Other bodies that came under the same identity, the first ones.
SELECT c.*, count(*) OVER () AS there FROM inbox_conflicts AS c
WHERE c.tenant = :tenant AND c.source = :source AND c.event_id = :event_id
ORDER BY c.received_at, c.topic, c.partition, c."offset"
LIMIT :most;

-- name: waits_of
-- Where a message waits.
SELECT p.reason, p.detail, p.waits_for, p.tries, p.parked_at, p.due_at FROM parked AS p
WHERE p.tenant = :tenant AND p.topic = :topic AND p.key = :key AND p.source = :source
    AND p.event_id = :event_id;

-- name: may_read_published$
-- Whether this role may read what was published: it is not kept by tenant, so a tenant's reader may not.
SELECT has_table_privilege('outbox_batches', 'SELECT') AND has_table_privilege('relay_cursor', 'SELECT');

-- name: published_by
-- What batches publish that names one of the messages, in order, and whether the relay has passed them. That
-- an event names a message is seen from its text; whether it follows from it, its id tells.
WITH wanted AS (
    SELECT k.batch_id, array_agg('"causation":' || to_json(k.event_id) || ',') AS names
    FROM unnest(:batch_ids::bigint[], :event_ids::text[]) AS k (batch_id, event_id)
    GROUP BY k.batch_id
)

SELECT
    o.batch_id, o.topic, p.event,
    o.batch_id <= (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox') AS is_published
FROM wanted AS w
INNER JOIN outbox_batches AS o ON o.batch_id = w.batch_id
CROSS JOIN string_to_table(o.payloads, E'\n') WITH ORDINALITY AS p (event, place)
WHERE EXISTS (SELECT FROM unnest(w.names) AS n (name) WHERE position(n.name IN p.event) > 0)
ORDER BY o.batch_id, o.topic, o.part, p.place;

-- name: published_event
-- An event of ours by its id, with which it begins. Reads the whole outbox.
SELECT
    o.batch_id, o.topic, p.event,
    o.batch_id <= (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox') AS is_published
FROM outbox_batches AS o
CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
WHERE position('"id":' || to_json(:event_id::text) IN left(p.event, 80)) > 0;

-- name: things_named
-- What else goes by a name, ours, a caller's or a provider's. Callers' names have no index: reads the tables.
SELECT t.kind, t.tenant, t.name, t.id, t.state
FROM (
    SELECT 'refund' AS kind, r.tenant, r.refund_id AS name, r.object_id::text AS id, r.state FROM refunds AS r
    WHERE r.object_id = :id::uuid OR r.provider_reference = :name OR r.refund_id = :name
    UNION ALL
    SELECT 'dispute', d.tenant, d.dispute_reference, d.object_id::text, d.state FROM disputes AS d
    WHERE d.object_id = :id::uuid OR d.dispute_reference = :name
    UNION ALL
    SELECT 'journal', j.tenant, j.journal_id, j.object_id::text, j.state FROM journals AS j
    WHERE j.object_id = :id::uuid OR j.journal_id = :name
    UNION ALL
    SELECT 'hold', h.tenant, h.hold_id, h.object_id::text, h.state FROM holds AS h
    WHERE h.object_id = :id::uuid OR h.hold_id = :name
    UNION ALL
    SELECT 'wallet', w.tenant, w.name, w.owner_id || ' ' || w.currency, 'open' FROM wallets AS w
    WHERE w.owner_id = :name OR w.name = :name
) AS t
WHERE :tenant::text IS NULL OR t.tenant = :tenant
ORDER BY t.kind, t.tenant, t.id
LIMIT :most;

-- name: traces_of
-- Where a name is seen that no object has: entries posted for it, or called so elsewhere, messages by that
-- id, of which a webhook brought some.
SELECT t.kind, t.tenant, t.name, t.id, t.state
FROM (
    SELECT 'entry' AS kind, e.tenant, e.rule AS name, e.entry_id::text AS id, 'posted' AS state
    FROM entries AS e
    WHERE e.object_id = :name
    UNION ALL
    SELECT 'entry', r.tenant, r.name, r.entry_id::text, 'posted' FROM entry_references AS r
    WHERE r.value = :name
    UNION ALL
    SELECT 'event', i.tenant, i.type, i.event_id, i.outcome FROM inbox AS i
    WHERE i.event_id = :name
    UNION ALL
    SELECT 'event', w.tenant, 'webhook of ' || w.provider, n.event_id, 'kept' FROM webhooks AS w
    CROSS JOIN string_to_table(w.event_ids, E'\n') AS n (event_id)
    WHERE w.webhook_id = :id::uuid
) AS t
WHERE :tenant::text IS NULL OR t.tenant = :tenant
ORDER BY t.kind, t.tenant, t.id
LIMIT :most;
