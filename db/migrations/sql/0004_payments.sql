-- Payments, their history, and merchants' fee schedules (laws 5, 7).

-- One payment per order: `payment_id` is derived from the order.
CREATE TABLE payments (
    tenant text NOT NULL,
    payment_id uuid NOT NULL,
    order_id text NOT NULL,
    merchant_id text NOT NULL,
    customer_id text,
    state text NOT NULL CHECK (
        state IN (
            'requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'authorized',
            'captured', 'settling', 'succeeded', 'failed', 'expired', 'canceled', 'partially_refunded',
            'refunded', 'chargeback_open', 'chargeback_won', 'chargeback_lost'
        )
    ),
    version integer NOT NULL CHECK (version > 0),
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    authorized_minor bigint NOT NULL CHECK (authorized_minor BETWEEN 0 AND amount_minor),
    captured_minor bigint NOT NULL CHECK (captured_minor BETWEEN 0 AND authorized_minor),
    refunding_minor bigint NOT NULL CHECK (refunding_minor >= 0),
    refunded_minor bigint NOT NULL CHECK (refunded_minor >= 0),
    disputed_minor bigint NOT NULL CHECK (disputed_minor >= 0),
    fee_minor bigint NOT NULL CHECK (fee_minor BETWEEN 0 AND captured_minor),
    fee_version integer NOT NULL,
    fee_bps integer NOT NULL,
    fee_fixed_minor bigint NOT NULL,
    fee_rounding text NOT NULL,
    capture_method text NOT NULL,
    method text,
    method_token text,
    method_network text,
    method_last4 text,
    provider text,
    provider_reference text,
    call_id uuid,
    call_operation text,
    call_final boolean NOT NULL,
    call_amount_minor bigint,
    certain boolean NOT NULL,
    attempts integer NOT NULL,
    calls integer NOT NULL,
    reason text,
    redirect_url text,
    state_ends_at timestamptz,
    off_session boolean NOT NULL,
    remarks jsonb,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (payment_id, tenant),
    CHECK ((state = 'succeeded') <= (captured_minor > 0)),
    CHECK (certain OR call_id IS NOT NULL),
    CHECK ((call_id IS NULL) = (call_amount_minor IS NULL)),
    CONSTRAINT payments_given_back CHECK (refunding_minor + refunded_minor <= captured_minor)
) WITH (fillfactor = 85);
CREATE INDEX payments_reference ON payments (provider_reference) WHERE provider_reference IS NOT NULL;
-- These cost a recorded payment nothing. None has a column that changes with every step, so that a step still
-- rewrites no index.
CREATE INDEX payments_uncertain ON payments (tenant) WHERE NOT certain;
CREATE INDEX payments_late_charges ON payments USING gin (remarks) WHERE remarks IS NOT NULL;
CREATE INDEX payments_metadata ON payments USING gin (metadata jsonb_path_ops)
WHERE capture_method <> 'recorded' AND metadata <> '{}';

-- Every step of every object that has a state. Ids are derived, so that no two objects share one.
CREATE TABLE transitions (
    tenant text NOT NULL,
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    version integer NOT NULL,
    from_state text,
    event text NOT NULL,
    to_state text NOT NULL,
    reason text,
    source text NOT NULL,
    event_id text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (object_id, version, tenant)
);

CREATE TABLE fee_schedules (
    tenant text NOT NULL,
    merchant_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    effective_from timestamptz NOT NULL,
    bps integer NOT NULL CHECK (bps BETWEEN 0 AND 10000),
    fixed_minor jsonb NOT NULL,
    rounding text NOT NULL,
    PRIMARY KEY (tenant, merchant_id, version)
);

CREATE TRIGGER transitions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transitions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER fee_schedules_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_schedules
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE transitions ENABLE ALWAYS TRIGGER transitions_append_only;
ALTER TABLE fee_schedules ENABLE ALWAYS TRIGGER fee_schedules_append_only;

GRANT INSERT, UPDATE ON payments TO counterfoil_app;
GRANT INSERT ON transitions, fee_schedules TO counterfoil_app;
