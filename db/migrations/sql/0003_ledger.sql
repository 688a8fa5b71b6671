-- The double-entry ledger and its guards (laws 1, 2, 9). Every key holds the tenant; it stands last where a
-- number of ours comes first, because comparing texts that are always equal is a tenth of what an insert
-- costs.

CREATE TABLE accounts (
    account_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    code text NOT NULL,
    owner text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    type text NOT NULL CHECK (type IN ('asset', 'liability', 'equity', 'revenue', 'expense')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, code, owner, currency)
);

CREATE SEQUENCE entry_id_seq;

-- `xid` is the transaction that wrote the entry: only that one may give it lines. `legs` is how many it was
-- given.
CREATE TABLE entries (
    tenant text NOT NULL,
    entry_id bigint NOT NULL,
    rule text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    legs smallint NOT NULL CHECK (legs >= 2),
    effective_at timestamptz NOT NULL,
    posted_at timestamptz NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (entry_id, tenant)
);
CREATE INDEX entries_object ON entries (object_id, tenant);

-- `direction` is 1 for debit and -1 for credit, so that an entry's sum per currency is zero.
CREATE TABLE lines (
    tenant text NOT NULL,
    entry_id bigint NOT NULL,
    line smallint NOT NULL,
    account_id bigint NOT NULL,
    direction smallint NOT NULL CHECK (direction IN (1, -1)),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    PRIMARY KEY (entry_id, line, tenant)
);
CREATE INDEX lines_account ON lines (account_id, entry_id, tenant);

-- Checks a whole statement's lines at once: each entry is this transaction's own, complete (lines 1 to
-- `legs`, so that the primary key lets no second set in) and balanced per currency; each account is of the
-- line's tenant and currency.
CREATE FUNCTION guard_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT n.tenant, n.entry_id, n.currency, sum(n.amount_minor * n.direction) AS off_by INTO bad
    FROM new_lines AS n
    GROUP BY n.tenant, n.entry_id, n.currency
    HAVING sum(n.amount_minor * n.direction) <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of % does not balance: off by % % minor units',
            bad.entry_id, bad.tenant, bad.off_by, bad.currency
        USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_balance';
    END IF;

    SELECT n.tenant, n.entry_id INTO bad
    FROM (
        SELECT tenant, entry_id, count(*) AS legs, min(line) AS first_line, max(line) AS last_line
        FROM new_lines GROUP BY tenant, entry_id
    ) AS n
    LEFT JOIN entries AS e ON e.tenant = n.tenant AND e.entry_id = n.entry_id
    WHERE e.xid IS DISTINCT FROM pg_current_xact_id()
        OR (n.legs, n.first_line, n.last_line) IS DISTINCT FROM (e.legs, 1, e.legs)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of % takes all its lines at once, from the transaction that wrote it',
            bad.entry_id, bad.tenant
        USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_with_their_entry';
    END IF;

    SELECT n.account_id, n.currency INTO bad
    FROM (SELECT DISTINCT tenant, account_id, currency FROM new_lines) AS n
    LEFT JOIN accounts AS a
        ON a.account_id = n.account_id AND a.tenant = n.tenant AND a.currency = n.currency
    WHERE a.account_id IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % is not an account of this tenant in %', bad.account_id, bad.currency
        USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_account';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER lines_balance AFTER INSERT ON lines
REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION guard_lines();
CREATE TRIGGER lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON lines
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER accounts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_balance;
ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_append_only;
ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_append_only;
ALTER TABLE accounts ENABLE ALWAYS TRIGGER accounts_append_only;

-- An entry belongs to the transaction that writes it; nobody can claim another's.
CREATE FUNCTION guard_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_entries WHERE xid <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'an entry carries the id of the transaction that writes it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_xid';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER entries_xid AFTER INSERT ON entries
REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION guard_entries();
ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_xid;

-- Balances, materialized. A busy account has one row for each writer (`stripe`); its balance is their sum.
CREATE TABLE balances (
    tenant text NOT NULL,
    account_id bigint NOT NULL,
    stripe smallint NOT NULL,
    debit_minor bigint NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint NOT NULL CHECK (credit_minor >= 0),
    lines bigint NOT NULL,
    PRIMARY KEY (account_id, stripe, tenant)
) WITH (fillfactor = 50);

CREATE VIEW journal AS
SELECT
    l.tenant,
    l.entry_id,
    l.line,
    e.rule,
    e.object_type,
    e.object_id,
    a.code AS account,
    a.owner,
    CASE l.direction WHEN 1 THEN 'debit' ELSE 'credit' END AS side,
    l.amount_minor,
    l.currency,
    e.effective_at,
    e.posted_at,
    e.source,
    e.event_id
FROM lines AS l
INNER JOIN entries AS e ON e.tenant = l.tenant AND e.entry_id = l.entry_id
INNER JOIN accounts AS a ON a.account_id = l.account_id;

-- Signed on the account's normal side: what it holds, as an accountant reads it.
CREATE VIEW account_balances AS
SELECT
    a.tenant,
    a.account_id,
    a.code,
    a.owner,
    a.currency,
    a.type,
    sum(b.debit_minor)::bigint AS debit_minor,
    sum(b.credit_minor)::bigint AS credit_minor,
    (
        sum(b.debit_minor - b.credit_minor) * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END
    )::bigint
        AS balance_minor,
    sum(b.lines)::bigint AS lines
FROM accounts AS a
INNER JOIN balances AS b ON b.tenant = a.tenant AND b.account_id = a.account_id
GROUP BY a.account_id;

GRANT USAGE, SELECT ON SEQUENCE entry_id_seq TO counterfoil_app;
GRANT INSERT ON accounts, entries, lines TO counterfoil_app;
GRANT INSERT, UPDATE ON balances TO counterfoil_app;
