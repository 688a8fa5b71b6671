-- What leaves: events to publish, timers to fire, provider calls to make (laws 4, 6).

-- One row for each batch and topic: so many events, one JSON text a line, in the order in which to publish
-- them, and their keys, likewise. Not compressed, because the relay reads it at once. People read the view
-- `outbox`.
CREATE TABLE outbox_batches (
    batch_id bigint NOT NULL,
    topic text NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    keys text NOT NULL,
    payloads text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (batch_id, topic)
);
ALTER TABLE outbox_batches ALTER COLUMN payloads SET STORAGE EXTERNAL, ALTER COLUMN keys SET STORAGE EXTERNAL;

CREATE TRIGGER outbox_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox_batches
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE outbox_batches ENABLE ALWAYS TRIGGER outbox_append_only;

-- Whoever listens is told, when the transaction commits, that there is something to do; the channel is the
-- argument.
CREATE FUNCTION tell_listeners() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], '');
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_wakes_relay AFTER INSERT ON outbox_batches
FOR EACH STATEMENT EXECUTE FUNCTION tell_listeners('outbox');

-- The same as arrays that run in parallel. `causes` are the ids of the messages that led to the events.
CREATE VIEW outbox AS
SELECT
    b.batch_id,
    b.topic,
    string_to_array(b.keys, E'\n') AS keys,
    l.causes,
    l.payloads,
    b.created_at
FROM outbox_batches AS b
CROSS JOIN LATERAL (
    SELECT
        array_agg(e.event::json ->> 'causation' ORDER BY e.place) AS causes,
        array_agg(convert_to(e.event, 'UTF8') ORDER BY e.place) AS payloads
    FROM unnest(string_to_array(b.payloads, E'\n')) WITH ORDINALITY AS e (event, place)
) AS l;

-- Takes a batch id once all locks of the batch are held. While the transaction runs, an advisory lock says
-- from which id on its own id may be, so that a reader knows below which id nothing is still to come.
-- The key: a constant that marks this use in the upper 16 bits, the last id given out in the lower 48.
CREATE FUNCTION reserve_batch_id() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    floor_id bigint;
BEGIN
    SELECT last_value INTO floor_id FROM batch_id_seq;
    PERFORM pg_advisory_xact_lock_shared((17740::bigint << 48) | floor_id);
    RETURN nextval('batch_id_seq');
END
$$;

-- The id up to which every batch is committed or gone. Read the sequence first, then who is still writing.
CREATE FUNCTION settled_batch_id() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last_id bigint;
    floor_id bigint;
BEGIN
    SELECT last_value INTO last_id FROM batch_id_seq;
    SELECT min(((l.classid::bigint & 65535) << 32) | l.objid::bigint) INTO floor_id
    FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
        AND l.classid::bigint >> 16 = 17740;
    RETURN least(last_id, floor_id);
END
$$;

-- How far the relay has published.
CREATE TABLE relay_cursor (
    relay text PRIMARY KEY,
    batch_id bigint NOT NULL,
    published bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL
);
INSERT INTO relay_cursor (relay, batch_id, moved_at) VALUES ('outbox', 0, now());

CREATE TABLE timers (
    tenant text NOT NULL,
    timer_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    payment_id uuid NOT NULL,
    order_id text NOT NULL,
    object_id uuid,
    causation text NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (timer_id, tenant)
);
CREATE INDEX timers_due ON timers (due_at) WHERE published_at IS NULL;

-- A tenant with a row here lives by a test clock that a person advances; all others by the system's.
CREATE TABLE clocks (
    tenant text PRIMARY KEY,
    now_at timestamptz NOT NULL
);

-- The row exists before the call is made, and says after it what is known.
CREATE TABLE provider_calls (
    tenant text NOT NULL,
    call_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    order_id text NOT NULL,
    provider text NOT NULL,
    operation text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    method_type text,
    token text,
    provider_reference text,
    capture boolean NOT NULL,
    final boolean NOT NULL,
    object_id uuid,
    object_reference text,
    evidence jsonb,
    source text NOT NULL,
    event_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('requested', 'in_flight', 'unknown', 'answered')),
    tries integer NOT NULL DEFAULT 0,
    unknown_since timestamptz,
    due_at timestamptz NOT NULL,
    lease_until timestamptz,
    claimed_by text,
    created_at timestamptz NOT NULL,
    answered_at timestamptz,
    PRIMARY KEY (call_id, tenant)
) WITH (fillfactor = 70);
CREATE INDEX provider_calls_due ON provider_calls (provider, due_at) WHERE status <> 'answered';
CREATE INDEX provider_calls_payment ON provider_calls (payment_id, tenant);

CREATE TRIGGER provider_calls_wake_gateways AFTER INSERT ON provider_calls
FOR EACH STATEMENT EXECUTE FUNCTION tell_listeners('calls');

-- Every answer of a provider, verbatim, before it is interpreted.
CREATE TABLE provider_answers (
    tenant text NOT NULL,
    call_id uuid NOT NULL,
    try integer NOT NULL,
    asked text NOT NULL CHECK (asked IN ('execute', 'query')),
    answer text NOT NULL,
    detail text NOT NULL,
    raw bytea,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (call_id, try, tenant)
);
CREATE TRIGGER provider_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_answers
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE provider_answers ENABLE ALWAYS TRIGGER provider_answers_append_only;

GRANT INSERT ON outbox_batches, provider_answers TO counterfoil_app;
GRANT UPDATE ON relay_cursor TO counterfoil_app;
GRANT INSERT, UPDATE (published_at) ON timers TO counterfoil_app;
GRANT INSERT, UPDATE ON clocks TO counterfoil_app;
GRANT INSERT, UPDATE (status, tries, unknown_since, due_at, lease_until, claimed_by, answered_at)
ON provider_calls TO counterfoil_app;
