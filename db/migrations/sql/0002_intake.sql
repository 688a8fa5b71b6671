-- What came in: one row per message, verbatim, with what became of it (laws 3, 8, 12).

-- A guard for history: whatever the session's role or replication role, it only grows (law 9).
CREATE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', HINT = 'Correct it with a new row, for money with a reversing entry.';
END
$$;

-- How far each partition has been taken in. Counts are exact: they commit with the messages they count.
CREATE TABLE intake (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    received bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    redelivered bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
);

-- Ids of batches, in the order in which batches that share a key hold that key's locks.
CREATE SEQUENCE batch_id_seq;
SELECT setval('batch_id_seq', 1);

CREATE TABLE inbox (
    tenant text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    batch_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('applied', 'duplicate', 'rejected', 'parked', 'dead')),
    reason text,
    detail text,
    PRIMARY KEY (event_id, source, tenant)
) WITH (fillfactor = 95);
CREATE INDEX inbox_undecided ON inbox (outcome) WHERE outcome IN ('parked', 'dead');

-- The outcome of a parked or dead message may still change, nothing else of it, ever.
CREATE FUNCTION guard_inbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome NOT IN ('parked', 'dead')
        OR (OLD.tenant, OLD.source, OLD.event_id, OLD.type, OLD.key, OLD.topic, OLD.partition, OLD."offset",
            OLD.received_at, OLD.body)
        IS DISTINCT FROM
        (NEW.tenant, NEW.source, NEW.event_id, NEW.type, NEW.key, NEW.topic, NEW.partition, NEW."offset",
            NEW.received_at, NEW.body)
    THEN
        RAISE EXCEPTION 'inbox message % of % is decided; it cannot change', OLD.event_id, OLD.source
        USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER inbox_keeps_messages BEFORE UPDATE ON inbox FOR EACH ROW EXECUTE FUNCTION guard_inbox();
CREATE TRIGGER inbox_loses_none BEFORE DELETE OR TRUNCATE ON inbox
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE inbox ENABLE ALWAYS TRIGGER inbox_keeps_messages;
ALTER TABLE inbox ENABLE ALWAYS TRIGGER inbox_loses_none;

-- A second body under an id that was used: refused, and kept.
CREATE TABLE inbox_conflicts (
    tenant text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    received_at timestamptz NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, source, event_id, topic, partition, "offset")
);

-- Messages that wait: for a reference, for a mended bug, or behind an earlier one of their key. `parked_id`
-- is their order.
CREATE TABLE parked (
    tenant text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    parked_id bigint GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    event_id text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    waits_for text,
    tries integer NOT NULL DEFAULT 0,
    parked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, topic, key, parked_id)
);
CREATE INDEX parked_due ON parked (topic, due_at);
CREATE INDEX parked_waits_for ON parked (waits_for) WHERE waits_for IS NOT NULL;

-- What could not be read or handled. `body` is verbatim unless a card number was masked in it.
CREATE TABLE dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    message_key bytea,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    masked boolean NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    tenant text,
    source text,
    event_id text,
    dead_at timestamptz NOT NULL,
    replayed_at timestamptz
);
CREATE UNIQUE INDEX dead_letters_once ON dead_letters (topic, partition, "offset", dead_at);

-- For a message that could not be read it is the only copy: nothing of it changes but that it was replayed,
-- once.
CREATE FUNCTION guard_dead_letters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.replayed_at IS NOT NULL
        OR to_jsonb(OLD) - 'replayed_at' IS DISTINCT FROM to_jsonb(NEW) - 'replayed_at'
    THEN
        RAISE EXCEPTION 'dead letter % is kept as it is', OLD.dead_letter_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER dead_letters_keep_messages BEFORE UPDATE ON dead_letters
FOR EACH ROW EXECUTE FUNCTION guard_dead_letters();
CREATE TRIGGER dead_letters_lose_none BEFORE DELETE OR TRUNCATE ON dead_letters
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER dead_letters_keep_messages;
ALTER TABLE dead_letters ENABLE ALWAYS TRIGGER dead_letters_lose_none;

-- A command's key, what it was used for, and the outcome that a repeat is told.
CREATE TABLE idempotency_keys (
    tenant text NOT NULL,
    operation text NOT NULL,
    object_id text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    outcome text NOT NULL,
    reason text,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, operation, object_id, idempotency_key)
);

-- What people did by command line or console.
CREATE TABLE audit_log (
    tenant text NOT NULL,
    audit_id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (tenant, audit_id)
);

CREATE TRIGGER inbox_conflicts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON inbox_conflicts
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE inbox_conflicts ENABLE ALWAYS TRIGGER inbox_conflicts_append_only;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;

GRANT USAGE, SELECT ON SEQUENCE batch_id_seq TO counterfoil_app;
GRANT INSERT, UPDATE ON intake TO counterfoil_app;
GRANT INSERT, UPDATE (outcome, reason, detail, batch_id) ON inbox TO counterfoil_app;
GRANT INSERT ON inbox_conflicts, audit_log TO counterfoil_app;
GRANT INSERT, UPDATE, DELETE ON parked TO counterfoil_app;
GRANT INSERT, UPDATE (replayed_at) ON dead_letters TO counterfoil_app;
GRANT INSERT,
UPDATE (outcome, reason, fingerprint, source, event_id, expires_at) ON idempotency_keys TO counterfoil_app;
