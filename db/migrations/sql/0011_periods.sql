-- Accounting periods: up to when a tenant's books are closed, and what came too late (laws 1, 5, 9).
-- See docs/periods.md and docs/adr/0022-periods.md.

-- How a tenant counts its periods, and its bounds: the row with the highest number holds. What is effective
-- before `closed_before` is closed; before `soft_closed_before`, only manual journals are booked. `snapshot`
-- and `xid` tell which entries were there when the bounds moved; the trigger sets them, nobody else.
CREATE TABLE period_bounds (
    tenant text NOT NULL,
    calendar text NOT NULL CHECK (calendar = 'books'),
    number integer NOT NULL CHECK (number > 0),
    zone text NOT NULL,
    unit text NOT NULL CHECK (unit IN ('month', 'quarter', 'year')),
    closed_before timestamptz,
    soft_closed_before timestamptz,
    step text NOT NULL CHECK (step IN ('set_calendar', 'soft_close', 'close', 'lift', 'approve_reopening')),
    period text,
    set_at timestamptz NOT NULL,
    snapshot pg_snapshot NOT NULL,
    xid xid8 NOT NULL,
    PRIMARY KEY (tenant, calendar, number),
    CHECK ((closed_before IS NULL) = (soft_closed_before IS NULL)),
    CHECK (soft_closed_before >= closed_before),
    CHECK ((period IS NULL) = (step = 'set_calendar'))
);
CREATE INDEX period_bounds_last ON period_bounds (soft_closed_before);

CREATE TABLE periods (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    period text NOT NULL,
    state text NOT NULL CHECK (state IN ('soft_closed', 'closed', 'reopening_requested', 'reopened')),
    version integer NOT NULL CHECK (version > 0),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reopening_requested_by text,
    changed_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, tenant),
    UNIQUE (tenant, period),
    CHECK (starts_at < ends_at),
    -- Nobody approves what they asked for.
    CONSTRAINT periods_four_eyes CHECK (state <> 'reopened' OR reopening_requested_by <> changed_by)
);

-- Entries that happened in a period which was closed by then: when, and in which. The entry itself is
-- effective from the start of the first open period.
CREATE TABLE entry_origins (
    tenant text NOT NULL,
    entry_id bigint NOT NULL,
    origin_effective_at timestamptz NOT NULL,
    period text NOT NULL,
    PRIMARY KEY (entry_id, tenant)
);

-- What the accounts held when a period was closed, by effective date: `number` is that of the bounds.
CREATE TABLE period_closings (
    tenant text NOT NULL,
    number integer NOT NULL,
    period text NOT NULL,
    closed_before timestamptz NOT NULL,
    accounts bigint NOT NULL CHECK (accounts >= 0),
    lines bigint NOT NULL CHECK (lines >= 0),
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, number)
);
CREATE TABLE closing_balances (
    tenant text NOT NULL,
    number integer NOT NULL,
    account_id bigint NOT NULL,
    debit_minor bigint NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint NOT NULL CHECK (credit_minor >= 0),
    lines bigint NOT NULL CHECK (lines > 0),
    PRIMARY KEY (account_id, number, tenant)
);

-- Never holds a row. Who writes entries holds it shared (ROW SHARE) until the end of the transaction; who
-- moves bounds holds it alone (EXCLUSIVE). So no entry is written on bounds that move meanwhile. A lock on a
-- table, because it costs writers nothing that is written, and one who may only read cannot take it.
CREATE TABLE period_gate ();

-- An entry belongs to the transaction that writes it; nobody can claim another's. And none is effective where
-- the books are closed: manual journals reach a soft-closed period, nothing a closed one.
CREATE OR REPLACE FUNCTION guard_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    IF EXISTS (SELECT FROM new_entries WHERE xid <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'an entry carries the id of the transaction that writes it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_xid';
    END IF;

    -- An older snapshot would show bounds that have moved since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are written in READ COMMITTED'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_isolation';
    END IF;
    LOCK TABLE period_gate IN ROW SHARE MODE;
    -- Mostly everything is later than the last bounds of anybody, and nobody needs to be told apart.
    IF coalesce(
        (SELECT min(effective_at) FROM new_entries) >= (SELECT max(soft_closed_before) FROM period_bounds), TRUE
    ) THEN
        RETURN NULL;
    END IF;
    SELECT n.tenant, b.closed_before, b.soft_closed_before INTO bad
    FROM (
        SELECT
            i.tenant, min(i.effective_at) AS first_at,
            min(i.effective_at) FILTER (WHERE i.object_type <> 'journal') AS first_of_machines_at
        FROM new_entries AS i
        GROUP BY i.tenant
    ) AS n
    CROSS JOIN LATERAL (
        SELECT p.closed_before, p.soft_closed_before
        FROM period_bounds AS p
        WHERE p.tenant = n.tenant AND p.calendar = 'books'
        ORDER BY p.number DESC
        LIMIT 1
    ) AS b
    WHERE n.first_at < b.closed_before OR n.first_of_machines_at < b.soft_closed_before
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books of % are closed before %, and to all but manual journals before %',
            bad.tenant, bad.closed_before, bad.soft_closed_before
        USING ERRCODE = 'object_not_in_prerequisite_state', CONSTRAINT = 'entries_in_open_period';
    END IF;
    RETURN NULL;
END
$$;

-- Bounds move one after the other, and back only by a reopening, while nobody writes entries. As the owner,
-- because it takes a lock that the application may not have at other times.
CREATE FUNCTION guard_period_bounds() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last record;
BEGIN
    LOCK TABLE public.period_gate IN EXCLUSIVE MODE;
    SELECT b.number, b.closed_before, b.soft_closed_before, b.zone, b.unit INTO last
    FROM public.period_bounds AS b
    WHERE b.tenant = NEW.tenant AND b.calendar = NEW.calendar
    ORDER BY b.number DESC
    LIMIT 1;
    IF NEW.number > coalesce(last.number, 0) + 1
        OR (last.closed_before IS NOT NULL AND (NEW.zone, NEW.unit) IS DISTINCT FROM (last.zone, last.unit))
        OR (
            last.closed_before IS NOT NULL AND NEW.step <> 'approve_reopening'
            AND (NEW.closed_before IS NULL OR NEW.closed_before < last.closed_before)
        )
        OR (NEW.step IN ('soft_close', 'close') AND NEW.soft_closed_before < last.soft_closed_before)
    THEN
        RAISE EXCEPTION 'bounds % of % do not follow from those before', NEW.number, NEW.tenant
        USING ERRCODE = 'check_violation', CONSTRAINT = 'period_bounds_follow';
    END IF;
    NEW.snapshot := pg_current_snapshot();
    NEW.xid := pg_current_xact_id();
    RETURN NEW;
END
$$;
CREATE TRIGGER period_bounds_follow BEFORE INSERT ON period_bounds
FOR EACH ROW EXECUTE FUNCTION guard_period_bounds();
CREATE TRIGGER period_bounds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON period_bounds
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER entry_origins_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_origins
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER period_closings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON period_closings
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER closing_balances_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closing_balances
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE period_bounds ENABLE ALWAYS TRIGGER period_bounds_follow;
ALTER TABLE period_bounds ENABLE ALWAYS TRIGGER period_bounds_append_only;
ALTER TABLE entry_origins ENABLE ALWAYS TRIGGER entry_origins_append_only;
ALTER TABLE period_closings ENABLE ALWAYS TRIGGER period_closings_append_only;
ALTER TABLE closing_balances ENABLE ALWAYS TRIGGER closing_balances_append_only;

GRANT INSERT ON period_bounds, entry_origins, period_closings, closing_balances TO counterfoil_app;
GRANT INSERT, UPDATE ON periods TO counterfoil_app;
GRANT INSERT ON period_gate TO counterfoil_app; -- what LOCK ... IN ROW SHARE MODE asks for
