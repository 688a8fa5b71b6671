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
ORDER BY o.batch_id, o.topic, p.place;

-- name: published_event
-- An event of ours by its id, with which it begins. Reads the whole outbox.
SELECT
    o.batch_id, o.topic, p.event,
    o.batch_id <= (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox') AS is_published
FROM outbox_batches AS o
CROSS JOIN string_to_table(o.payloads, E'\n') AS p (event)
WHERE position('"id":' || to_json(:event_id::text) IN left(p.event, 80)) > 0;
