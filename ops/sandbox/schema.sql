-- The sandbox provider's own books, in SQLite. One row says one thing that happened.

CREATE TABLE IF NOT EXISTS authorizations (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    reference TEXT NOT NULL,
    token TEXT NOT NULL,
    method_type TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    capture INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    decline_code TEXT,
    created_at TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS authorizations_by_reference ON authorizations (reference);

CREATE TABLE IF NOT EXISTS captures (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    authorization_id TEXT NOT NULL REFERENCES authorizations (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    final INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS captures_by_authorization ON captures (authorization_id);

-- Every idempotency key ever seen. Without an answer: the request met a fault and took no effect.
CREATE TABLE IF NOT EXISTS operations (
    idempotency_key TEXT PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    operation TEXT NOT NULL,
    authorization_id TEXT,
    http_status INTEGER,
    answer BLOB
);

CREATE INDEX IF NOT EXISTS operations_by_authorization ON operations (authorization_id);
