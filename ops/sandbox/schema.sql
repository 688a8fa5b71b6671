-- The sandbox provider's own books, in SQLite. One row says one thing that happened.

CREATE TABLE IF NOT EXISTS authorizations (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    reference text NOT NULL,
    token text NOT NULL,
    method_type text NOT NULL,
    amount_minor integer NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    capture integer NOT NULL,
    metadata text NOT NULL,
    status text NOT NULL,
    decline_code text,
    created_at text NOT NULL
);

CREATE INDEX IF NOT EXISTS authorizations_by_reference ON authorizations (reference);

CREATE TABLE IF NOT EXISTS captures (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    authorization_id text NOT NULL REFERENCES authorizations (id),
    amount_minor integer NOT NULL CHECK (amount_minor > 0),
    final integer NOT NULL
);

CREATE INDEX IF NOT EXISTS captures_by_authorization ON captures (authorization_id);

-- Every idempotency key ever seen. Without an answer: the request met a fault and took no effect.
CREATE TABLE IF NOT EXISTS operations (
    idempotency_key text PRIMARY KEY,
    fingerprint blob NOT NULL,
    operation text NOT NULL,
    authorization_id text,
    http_status integer,
    answer blob
);

CREATE INDEX IF NOT EXISTS operations_by_authorization ON operations (authorization_id);
