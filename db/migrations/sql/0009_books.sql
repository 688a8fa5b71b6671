-- What the books need beyond the journal: the long accounts' past in slices, and what accounting was given.

-- A slice is a run of a thousand lines of one account in the order of their entries. A row sums up those of
-- one day (UTC) of the effective or of the posting date; a few late ones among many others have a row for
-- each entry. Its entries and its dates lie between its first and last. A balance as of any moment is such
-- rows, and the few lines that none holds whole. Only accounts with so many lines have any.
CREATE TABLE account_slices (
    tenant text NOT NULL,
    account_id bigint NOT NULL,
    basis text NOT NULL CHECK (basis IN ('effective', 'posting')),
    day date NOT NULL,
    first_entry_id bigint NOT NULL,
    last_entry_id bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    debit_minor bigint NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint NOT NULL CHECK (credit_minor >= 0),
    lines integer NOT NULL CHECK (lines > 0),
    PRIMARY KEY (account_id, basis, day, last_entry_id, tenant)
    INCLUDE (first_entry_id, first_at, last_at, debit_minor, credit_minor, lines),
    CHECK (first_entry_id <= last_entry_id AND first_at <= last_at)
);
CREATE TRIGGER account_slices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_slices
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE account_slices ENABLE ALWAYS TRIGGER account_slices_append_only;

-- Up to which entry an account's lines are in slices, and how many they are.
CREATE TABLE account_marks (
    tenant text NOT NULL,
    account_id bigint NOT NULL,
    entry_id bigint NOT NULL,
    lines bigint NOT NULL,
    PRIMARY KEY (account_id, tenant) INCLUDE (entry_id)
) WITH (fillfactor = 80);

-- The accounting export: which entries were in a batch, what they came to, and the hash of its file. Each
-- begins where the one before ended, so that an entry is in exactly one.
CREATE TABLE journal_batches (
    tenant text NOT NULL,
    batch bigint NOT NULL CHECK (batch > 0),
    format text NOT NULL,
    after_entry_id bigint NOT NULL,
    last_entry_id bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    lines bigint NOT NULL CHECK (lines >= 2 * entries),
    totals jsonb NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, batch),
    UNIQUE (tenant, after_entry_id),
    CHECK (last_entry_id > after_entry_id)
);

-- Numbered without a gap, and no entry between two batches.
CREATE FUNCTION guard_journal_batches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_batches AS n
        LEFT JOIN journal_batches AS b ON b.tenant = n.tenant AND b.batch = n.batch - 1
        WHERE (n.batch = 1 AND n.after_entry_id <> 0)
            OR (n.batch > 1 AND b.last_entry_id IS DISTINCT FROM n.after_entry_id)
    ) THEN
        RAISE EXCEPTION 'a journal batch begins where the one before it ended'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_batches_contiguous';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER journal_batches_contiguous AFTER INSERT ON journal_batches
REFERENCING NEW TABLE AS new_batches FOR EACH STATEMENT EXECUTE FUNCTION guard_journal_batches();
CREATE TRIGGER journal_batches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_batches
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE journal_batches ENABLE ALWAYS TRIGGER journal_batches_contiguous;
ALTER TABLE journal_batches ENABLE ALWAYS TRIGGER journal_batches_append_only;

GRANT INSERT ON account_slices, journal_batches TO counterfoil_app;
GRANT INSERT, UPDATE ON account_marks TO counterfoil_app;
