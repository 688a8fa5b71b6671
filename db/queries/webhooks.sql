-- name: keep_webhooks
-- Requests as they came, in the order of their key, so that two ingresses cannot wait for each other. Gives
-- back those that are new; the same body at the same endpoint is kept once.
INSERT INTO webhooks AS w (
    tenant, webhook_id, body_sha256, provider, account, received_at, headers, body, event_ids, unreadable
)
SELECT
    k.tenant,
    k.webhook_id,
    k.body_sha256,
    k.provider,
    k.account,
    k.received_at,
    k.headers::jsonb,
    k.body,
    k.event_ids,
    k.unreadable
FROM unnest(
    :tenants::text[],
    :webhook_ids::uuid[],
    :digests::bytea[],
    :providers::text[],
    :accounts::text[],
    :received_ats::timestamptz[],
    :headers::text[],
    :bodies::bytea[],
    :event_ids::text[],
    :unreadables::text[]
) AS k (
    tenant, webhook_id, body_sha256, provider, account, received_at, headers, body, event_ids, unreadable
)
ORDER BY k.webhook_id, k.body_sha256
ON CONFLICT DO NOTHING
RETURNING w.webhook_id, w.body_sha256;

-- name: in_touch$
-- Whether webhooks could be kept now, asked when none comes: not on a standby, and with the right to.
SELECT has_table_privilege('webhooks', 'INSERT') AND NOT pg_is_in_recovery();

-- name: kept^
-- How many webhooks are kept of an endpoint, how many events they told, how many could not be read.
SELECT
    count(*) AS webhooks,
    coalesce(sum(cardinality(string_to_array(w.event_ids, E'\n'))), 0)::bigint AS events,
    count(w.unreadable) AS unreadable
FROM webhooks AS w
WHERE w.tenant = :tenant AND w.provider = :provider AND w.account = :account;

-- name: commits^
-- How many transactions brought webhooks into the outbox, and how many messages one did.
SELECT
    count(DISTINCT b.batch_id) AS commits,
    coalesce(sum(b.events)::double precision / nullif(count(DISTINCT b.batch_id), 0), 0) AS mean_size
FROM outbox_batches AS b
WHERE b.topic = 'webhook.events';
