-- The sandbox provider's own books, in SQLite. One row says one thing that happened. Times are UTC, in
-- ISO 8601 with microseconds, so that they sort as text; the delivery of webhooks counts real milliseconds.

CREATE TABLE IF NOT EXISTS books (
    id text NOT NULL,
    offset_ms integer NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS authorizations (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    idempotency_key text NOT NULL,
    reference text NOT NULL,
    token text NOT NULL,
    network text NOT NULL,
    amount_minor integer NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    capture integer NOT NULL,
    metadata text NOT NULL,
    status text NOT NULL,
    decline_code text,
    returned_amount_minor integer NOT NULL,
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

CREATE TABLE IF NOT EXISTS refunds (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    authorization_id text NOT NULL REFERENCES authorizations (id),
    idempotency_key text NOT NULL,
    amount_minor integer NOT NULL CHECK (amount_minor > 0),
    status text NOT NULL,
    failure_code text,
    metadata text NOT NULL,
    created_at text NOT NULL
);

CREATE INDEX IF NOT EXISTS refunds_by_authorization ON refunds (authorization_id);

CREATE TABLE IF NOT EXISTS disputes (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    authorization_id text NOT NULL REFERENCES authorizations (id),
    stage text NOT NULL,
    status text NOT NULL,
    amount_minor integer NOT NULL CHECK (amount_minor > 0),
    funds_minor integer NOT NULL CHECK (funds_minor BETWEEN 0 AND amount_minor),
    fee_minor integer NOT NULL,
    network_reason text NOT NULL,
    evidence text NOT NULL,
    evidence_due_at text NOT NULL,
    created_at text NOT NULL
);

CREATE INDEX IF NOT EXISTS disputes_by_authorization ON disputes (authorization_id);

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

-- What time will bring. A row is taken away when it has come to pass.
CREATE TABLE IF NOT EXISTS happenings (
    position integer PRIMARY KEY,
    due_at text NOT NULL,
    what text NOT NULL,
    authorization_id text NOT NULL,
    object_id text NOT NULL,
    becomes text,
    code text
);

CREATE INDEX IF NOT EXISTS happenings_by_time ON happenings (due_at, position);
CREATE UNIQUE INDEX IF NOT EXISTS happenings_of_days ON happenings (object_id) WHERE what = 'day_ends';

-- What moved the merchant's balance. A row is never changed but for the payout that it went into.
CREATE TABLE IF NOT EXISTS lines (
    position integer PRIMARY KEY,
    type text NOT NULL CHECK (type IN ('charge', 'refund', 'dispute', 'fee')),
    authorization_id text NOT NULL REFERENCES authorizations (id),
    object_id text NOT NULL,
    reference text NOT NULL,
    metadata text NOT NULL,
    currency text NOT NULL,
    gross_minor integer NOT NULL,
    fee_minor integer NOT NULL,
    booked_at text NOT NULL,
    booked_on text NOT NULL GENERATED ALWAYS AS (substr(booked_at, 1, 10)) STORED,
    payout_id text REFERENCES payouts (id)
);

CREATE INDEX IF NOT EXISTS lines_by_day ON lines (booked_on, currency);

CREATE TABLE IF NOT EXISTS payouts (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    settlement_date text NOT NULL,
    currency text NOT NULL,
    amount_minor integer NOT NULL,
    status text NOT NULL CHECK (status IN ('in_transit', 'paid')),
    created_at text NOT NULL,
    paid_at text,
    UNIQUE (settlement_date, currency)
);

CREATE TABLE IF NOT EXISTS events (
    position integer PRIMARY KEY,
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    subject text NOT NULL,
    created_at text NOT NULL,
    body blob NOT NULL
);

CREATE TABLE IF NOT EXISTS endpoints (
    id text PRIMARY KEY,
    url text NOT NULL UNIQUE,
    secret text NOT NULL,
    copies integer NOT NULL,
    delay_ms integer NOT NULL,
    newest_first_within_ms integer NOT NULL,
    before_answer integer NOT NULL,
    retry_ms integer NOT NULL
);

-- One row for every copy of an event that an endpoint is to get.
CREATE TABLE IF NOT EXISTS deliveries (
    id integer PRIMARY KEY,
    event_id text NOT NULL REFERENCES events (id),
    endpoint_id text NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
    due_ms integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    last_outcome text,
    delivered_ms integer
);

CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (due_ms) WHERE delivered_ms IS NULL;
CREATE INDEX IF NOT EXISTS deliveries_by_endpoint ON deliveries (endpoint_id, due_ms)
WHERE delivered_ms IS NULL;
