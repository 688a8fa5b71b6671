-- What providers told us unasked: the verified request as it came, once for each body (laws 3, 8).

-- `webhook_id` follows from the endpoint and the events in the body, so that a provider that tells the same
-- again in other words gets the same id; `body_sha256` tells the words apart. `event_ids` (one a line) are
-- the ids under which it was published, `unreadable` says why its reader could make nothing of it.
CREATE TABLE webhooks (
    tenant text NOT NULL,
    webhook_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    provider text NOT NULL,
    account text NOT NULL,
    received_at timestamptz NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    event_ids text NOT NULL,
    unreadable text,
    PRIMARY KEY (webhook_id, body_sha256, tenant),
    CONSTRAINT webhooks_digest CHECK (body_sha256 = sha256(body))
);
CREATE INDEX webhooks_received ON webhooks USING brin (received_at);

CREATE TRIGGER webhooks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON webhooks
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE webhooks ENABLE ALWAYS TRIGGER webhooks_append_only;

GRANT INSERT ON webhooks TO counterfoil_app;
