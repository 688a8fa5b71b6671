-- Refunds, the policies they are judged by, and what is counted beside them (laws 5, 7).

-- `object_id` is derived from the order and the caller's name for the refund, or from the provider's. How
-- much may be given back of a payment is guarded by the sums on its row; see payments_given_back.
CREATE TABLE refunds (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    refund_id text NOT NULL,
    payment_id uuid NOT NULL,
    order_id text NOT NULL,
    merchant_id text NOT NULL,
    customer_id text,
    state text NOT NULL CHECK (
        state IN ('requested', 'pending_approval', 'submitted', 'pending', 'succeeded', 'failed', 'canceled')
    ),
    version integer NOT NULL CHECK (version > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    suspense_minor bigint NOT NULL CHECK (suspense_minor BETWEEN 0 AND amount_minor),
    fee_returned_minor bigint NOT NULL CHECK (
        fee_returned_minor BETWEEN 0 AND amount_minor - suspense_minor
    ),
    destination text NOT NULL CHECK (destination IN ('original_method', 'service_credit')),
    cause text NOT NULL,
    policy_version integer NOT NULL,
    fee_policy text NOT NULL CHECK (fee_policy IN ('return_proportionally', 'keep')),
    requested_by text NOT NULL,
    requested_role text NOT NULL,
    needs_approval_of text CHECK (needs_approval_of IN ('support', 'manager', 'finance')),
    approved_by text,
    provider text,
    provider_reference text,
    call_id uuid,
    calls integer NOT NULL,
    certain boolean NOT NULL,
    reason text,
    note text NOT NULL,
    requested_at timestamptz NOT NULL,
    submitted_at timestamptz,
    reported_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, tenant),
    CHECK (certain OR call_id IS NOT NULL),
    CHECK (call_id IS NULL OR provider IS NOT NULL),
    CHECK (destination = 'original_method' OR customer_id IS NOT NULL),
    CHECK (fee_policy <> 'keep' OR fee_returned_minor = 0),
    CONSTRAINT refunds_sent CHECK (
        (submitted_at IS NOT NULL) = (state IN ('submitted', 'pending', 'succeeded', 'failed'))
    ),
    -- Nobody approves what they asked for, and what needs an approval is not sent without one.
    CONSTRAINT refunds_four_eyes CHECK (approved_by <> requested_by),
    CONSTRAINT refunds_approved CHECK (
        submitted_at IS NULL OR (needs_approval_of IS NULL) = (approved_by IS NULL)
    )
) WITH (fillfactor = 85);
CREATE INDEX refunds_payment ON refunds (payment_id, tenant);
CREATE INDEX refunds_reference ON refunds (provider_reference) WHERE provider_reference IS NOT NULL;
-- What a person must look at.
CREATE INDEX refunds_to_approve ON refunds (tenant, requested_at) WHERE state = 'pending_approval';

CREATE TABLE refund_policies (
    tenant text NOT NULL,
    policy text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    effective_from timestamptz NOT NULL,
    limits jsonb NOT NULL,
    velocity jsonb NOT NULL,
    finance_after_days integer NOT NULL CHECK (finance_after_days >= 0),
    never_after_days integer NOT NULL CHECK (never_after_days > 0),
    approval_days integer NOT NULL CHECK (approval_days > 0),
    service_credit boolean NOT NULL,
    fees text NOT NULL CHECK (fees IN ('return_proportionally', 'keep')),
    PRIMARY KEY (tenant, policy, version)
);

-- What is counted of one subject's refunds: `customer:ID` and `actor:ID` for limits, `payment:ID` for fees.
CREATE TABLE refund_counts (
    tenant text NOT NULL,
    subject text NOT NULL,
    requested_at jsonb NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    fee_returned_minor bigint NOT NULL CHECK (fee_returned_minor BETWEEN 0 AND amount_minor),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (subject, tenant)
) WITH (fillfactor = 70);

CREATE TRIGGER refund_policies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_policies
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE refund_policies ENABLE ALWAYS TRIGGER refund_policies_append_only;

GRANT INSERT, UPDATE ON refunds, refund_counts TO counterfoil_app;
GRANT INSERT ON refund_policies TO counterfoil_app;
