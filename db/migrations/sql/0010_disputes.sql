-- Disputes, the evidence sent for them, and what is on file for an order (laws 5, 7, 8, 9).

CREATE TABLE disputes (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    dispute_reference text NOT NULL,
    payment_id uuid NOT NULL,
    order_id text NOT NULL,
    merchant_id text NOT NULL,
    provider text NOT NULL,
    provider_reference text NOT NULL,
    state text NOT NULL CHECK (
        state IN (
            'inquiry', 'opened', 'evidence_due', 'evidence_submitted', 'won', 'lost', 'accepted', 'expired'
        )
    ),
    stage text NOT NULL CHECK (stage IN ('inquiry', 'chargeback', 'second_chargeback')),
    standing text NOT NULL CHECK (standing IN ('none', 'open', 'won', 'lost')),
    version integer NOT NULL CHECK (version > 0),
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    withdrawn_minor bigint NOT NULL CHECK (withdrawn_minor >= 0),
    fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
    fee_passed_minor bigint NOT NULL CHECK (fee_passed_minor BETWEEN 0 AND fee_minor),
    network_reason text NOT NULL,
    evidence_due_at timestamptz,
    evidence_sha256 text,
    call_id uuid,
    call_operation text,
    calls integer NOT NULL,
    certain boolean NOT NULL,
    reason text,
    opened_at timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    reported_status text NOT NULL,
    answered_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, tenant),
    CHECK (certain OR call_id IS NOT NULL),
    CHECK ((call_id IS NULL) = (call_operation IS NULL)),
    CHECK ((standing = 'none') = (stage = 'inquiry'))
) WITH (fillfactor = 85);
CREATE INDEX disputes_payment ON disputes (payment_id);
CREATE INDEX disputes_reference ON disputes (dispute_reference);

-- `sha256` is of the canonical JSON of `fields` and `links`; `check` computes it anew.
CREATE TABLE dispute_evidence (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    fields jsonb NOT NULL,
    links jsonb NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, version, tenant)
);

CREATE TABLE order_documents (
    tenant text NOT NULL,
    order_id text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    carrier text NOT NULL,
    detail text NOT NULL,
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (tenant, order_id, reference)
);

CREATE TRIGGER dispute_evidence_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dispute_evidence
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER order_documents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_documents
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE dispute_evidence ENABLE ALWAYS TRIGGER dispute_evidence_append_only;
ALTER TABLE order_documents ENABLE ALWAYS TRIGGER order_documents_append_only;

GRANT INSERT, UPDATE ON disputes TO counterfoil_app;
GRANT INSERT ON dispute_evidence, order_documents TO counterfoil_app;
