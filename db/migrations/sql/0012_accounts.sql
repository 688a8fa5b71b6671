-- What people do to the books: journals, reversals, conversions; and wallets, whose accounts keep limits
-- (laws 1, 2, 5, 9). See docs/accounts.md.

CREATE TABLE journals (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    journal_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('manual', 'reversal', 'conversion')),
    state text NOT NULL CHECK (state IN ('collecting', 'proposed', 'posted', 'refused', 'lapsed')),
    version integer NOT NULL CHECK (version > 0),
    note text NOT NULL,
    effective_at timestamptz,
    external_references jsonb NOT NULL,
    parts integer NOT NULL CHECK (parts > 0),
    part_legs jsonb NOT NULL,
    legs integer NOT NULL CHECK (legs BETWEEN 1 AND 10000),
    sums jsonb NOT NULL,
    terms jsonb NOT NULL,
    reverses_object text,
    reverses_number integer CHECK (reverses_number > 0),
    needs_approval_of text NOT NULL,
    proposed_by text NOT NULL,
    proposed_role text NOT NULL,
    decided_by text,
    reason text,
    act_by timestamptz NOT NULL,
    proposed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, tenant),
    CHECK ((kind = 'reversal') = (reverses_object IS NOT NULL)),
    CHECK ((reverses_object IS NULL) = (reverses_number IS NULL)),
    -- Nobody approves what they proposed, and nothing is posted that nobody approved.
    CONSTRAINT journals_four_eyes CHECK (state <> 'posted' OR decided_by IS DISTINCT FROM proposed_by),
    CONSTRAINT journals_approved CHECK (
        state <> 'posted' OR (decided_by IS NOT NULL AND effective_at IS NOT NULL)
    )
) WITH (fillfactor = 85);
CREATE INDEX journals_open ON journals (tenant, act_by) WHERE state IN ('collecting', 'proposed');

CREATE TABLE journal_lines (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    side text NOT NULL CHECK (side IN ('debit', 'credit')),
    account text NOT NULL,
    owner text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    reverses_line integer CHECK (reverses_line > 0),
    PRIMARY KEY (object_id, line, tenant)
);

-- An object's entries, counted as they were posted, with their lines: what a reversal is made from. Counted
-- by a subquery and not by a window, which could not be entered by the object's index.
CREATE VIEW booked_lines AS
SELECT
    e.tenant,
    e.object_id,
    (
        SELECT count(*) FROM entries AS p
        WHERE p.object_id = e.object_id AND p.tenant = e.tenant AND p.entry_id <= e.entry_id
    ) AS number,
    l.line,
    e.entry_id,
    e.object_type,
    e.effective_at,
    CASE l.direction WHEN 1 THEN 'debit' ELSE 'credit' END AS side,
    a.code AS account,
    a.owner,
    l.amount_minor,
    l.currency
FROM entries AS e
INNER JOIN lines AS l ON l.entry_id = e.entry_id AND l.tenant = e.tenant
INNER JOIN accounts AS a ON a.account_id = l.account_id;

-- One locked row for each entry that was ever reversed: how much of which line.
CREATE TABLE entry_reversals (
    tenant text NOT NULL,
    entry text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    entry_id bigint NOT NULL,
    reversed_minor jsonb NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, entry),
    UNIQUE (entry_id, tenant)
) WITH (fillfactor = 85);

-- Never more than there was, and never less than before.
CREATE FUNCTION guard_reversals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM jsonb_each_text(NEW.reversed_minor) AS r (line, minor)
        LEFT JOIN lines AS l
            ON l.tenant = NEW.tenant AND l.entry_id = NEW.entry_id AND l.line = r.line::smallint
        WHERE r.minor::bigint < 0 OR l.amount_minor IS NULL OR r.minor::bigint > l.amount_minor
    ) OR (TG_OP = 'UPDATE' AND (
        NEW.entry_id <> OLD.entry_id OR EXISTS (
            SELECT FROM jsonb_each_text(OLD.reversed_minor) AS r (line, minor)
            WHERE coalesce((NEW.reversed_minor ->> r.line)::bigint, 0) < r.minor::bigint
        )
    )) THEN
        RAISE EXCEPTION 'of a line of entry % more was reversed than there was, or less than before', NEW.entry_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_reversals_bounded';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER entry_reversals_bounded BEFORE INSERT OR UPDATE ON entry_reversals
FOR EACH ROW EXECUTE FUNCTION guard_reversals();
CREATE TRIGGER entry_reversals_stay BEFORE DELETE OR TRUNCATE ON entry_reversals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();

-- `entry_id` reverses or replaces `linked_entry_id`; all that began with `root_entry_id` is one group.
CREATE TABLE entry_links (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    rule text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reverses', 'replaces')),
    linked_entry_id bigint NOT NULL,
    entry_id bigint NOT NULL,
    root_entry_id bigint NOT NULL,
    PRIMARY KEY (object_id, rule, tenant),
    UNIQUE (entry_id, tenant),
    CHECK (linked_entry_id < entry_id AND root_entry_id <= linked_entry_id)
);
CREATE INDEX entry_links_linked ON entry_links (linked_entry_id, tenant);
CREATE INDEX entry_links_root ON entry_links (root_entry_id, tenant);

-- Who decides does not know the number that the entry gets; this does: it is in the same transaction.
CREATE FUNCTION complete_entry_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT e.entry_id INTO NEW.entry_id
    FROM entries AS e
    WHERE e.object_id = NEW.object_id::text AND e.tenant = NEW.tenant AND e.rule = NEW.rule
        AND e.xid = pg_current_xact_id();
    NEW.root_entry_id := coalesce(
        (
            SELECT l.root_entry_id FROM entry_links AS l
            WHERE l.entry_id = NEW.linked_entry_id AND l.tenant = NEW.tenant
        ),
        NEW.linked_entry_id
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER entry_links_complete BEFORE INSERT ON entry_links
FOR EACH ROW EXECUTE FUNCTION complete_entry_link();

-- Old entry, what reversed it, and what replaced it, as one group.
CREATE VIEW entry_groups AS
SELECT g.tenant, g.root_entry_id, g.entry_id, g.kind, g.linked_entry_id, e.rule, e.effective_at, e.posted_at
FROM (
    SELECT l.tenant, l.root_entry_id, l.entry_id, l.kind, l.linked_entry_id FROM entry_links AS l
    UNION ALL
    SELECT DISTINCT r.tenant, r.root_entry_id, r.root_entry_id, 'original', NULL::bigint FROM entry_links AS r
) AS g
INNER JOIN entries AS e ON e.entry_id = g.entry_id AND e.tenant = g.tenant;

CREATE TABLE wallets (
    tenant text NOT NULL,
    name text NOT NULL,
    family text NOT NULL,
    owner_id text NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version integer NOT NULL CHECK (version > 0),
    limits integer NOT NULL CHECK (limits >= 0),
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (name, tenant)
) WITH (fillfactor = 70);

-- The accounts of wallets, each with its limit: posted less held is never below minus the overdraft. What is
-- posted is in `balances`; `moved_minor` is by how much transaction `moved_xid` has changed what is free.
CREATE TABLE wallet_buckets (
    tenant text NOT NULL,
    wallet text NOT NULL,
    account_id bigint NOT NULL,
    account text NOT NULL,
    owner text NOT NULL,
    priority integer NOT NULL,
    expires_at timestamptz,
    overdraft_minor bigint NOT NULL CHECK (overdraft_minor >= 0),
    held_minor bigint NOT NULL CHECK (held_minor >= 0),
    moved_minor bigint NOT NULL DEFAULT 0,
    moved_xid xid8 NOT NULL DEFAULT '0',
    PRIMARY KEY (account_id, tenant)
) WITH (fillfactor = 70);
CREATE INDEX wallet_buckets_wallet ON wallet_buckets (wallet, tenant);

CREATE TABLE wallet_limits (
    tenant text NOT NULL,
    wallet text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    account text NOT NULL,
    overdraft_minor bigint NOT NULL CHECK (overdraft_minor >= 0),
    set_by text NOT NULL,
    note text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (wallet, version, tenant)
);

CREATE TABLE holds (
    tenant text NOT NULL,
    object_id uuid NOT NULL,
    hold_id text NOT NULL,
    wallet text NOT NULL,
    state text NOT NULL CHECK (state IN ('placed', 'partly_posted', 'posted', 'voided', 'expired')),
    version integer NOT NULL CHECK (version > 0),
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    posted_minor bigint NOT NULL CHECK (posted_minor BETWEEN 0 AND amount_minor),
    parts jsonb NOT NULL,
    placed_by text NOT NULL,
    reason text,
    expires_at timestamptz NOT NULL,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (object_id, tenant),
    CHECK ((state IN ('placed', 'partly_posted')) = (parts <> '[]')),
    CHECK (state <> 'placed' OR posted_minor = 0)
) WITH (fillfactor = 85);
CREATE INDEX holds_wallet ON holds (wallet, tenant) WHERE state IN ('placed', 'partly_posted');

-- Lines that lower an account of a wallet wait for the wallet, which one transaction at a time may lower, and
-- have its limit looked at when the transaction ends. Whatever else is posted costs one look at whether there
-- are wallets at all, and then one look for each account.
CREATE FUNCTION note_lowered_buckets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lowered bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM wallet_buckets) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(n.account_id) INTO lowered
    FROM (
        SELECT i.account_id, sum(i.amount_minor * i.direction) AS debited
        FROM new_lines AS i
        GROUP BY i.account_id
    ) AS n
    INNER JOIN wallet_buckets AS b ON b.account_id = n.account_id
    INNER JOIN accounts AS a ON a.account_id = n.account_id
    WHERE n.debited * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END < 0;
    IF lowered IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM wallets AS w
    WHERE (w.name, w.tenant) IN (
        SELECT b.wallet, b.tenant FROM wallet_buckets AS b WHERE b.account_id = any(lowered)
    )
    ORDER BY w.tenant, w.name
    FOR UPDATE;
    UPDATE wallet_buckets AS b
    SET
        moved_minor = m.moved + CASE WHEN b.moved_xid = pg_current_xact_id() THEN b.moved_minor ELSE 0 END,
        moved_xid = pg_current_xact_id()
    FROM (
        SELECT
            a.account_id,
            sum(l.amount_minor * l.direction * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END)
                AS moved
        FROM new_lines AS l
        INNER JOIN accounts AS a ON a.account_id = l.account_id
        WHERE l.account_id = any(lowered)
        GROUP BY a.account_id
    ) AS m
    WHERE b.account_id = m.account_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER lines_wallets AFTER INSERT ON lines
REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION note_lowered_buckets();

-- More that is held is less that is free.
CREATE FUNCTION note_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.held_minor <> OLD.held_minor THEN
        NEW.moved_minor := OLD.held_minor - NEW.held_minor
            + CASE WHEN OLD.moved_xid = pg_current_xact_id() THEN OLD.moved_minor ELSE 0 END;
        NEW.moved_xid := pg_current_xact_id();
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER wallet_buckets_held BEFORE UPDATE OF held_minor ON wallet_buckets
FOR EACH ROW EXECUTE FUNCTION note_held();

-- At the end of the transaction, when entries and holds are both written: what was lowered keeps its limit.
-- One that is beyond it since the limit was narrowed may only rise.
CREATE FUNCTION guard_limits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT b.wallet, b.account, b.owner, b.held_minor, b.overdraft_minor, p.posted INTO bad
    FROM wallet_buckets AS b
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.debit_minor - s.credit_minor), 0)
            * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END AS posted
        FROM accounts AS a
        LEFT JOIN balances AS s ON s.account_id = a.account_id AND s.tenant = a.tenant
        WHERE a.account_id = b.account_id
        GROUP BY a.account_id
    ) AS p
    WHERE b.account_id = NEW.account_id AND b.tenant = NEW.tenant
        AND b.moved_xid = pg_current_xact_id() AND b.moved_minor < 0
        AND p.posted - b.held_minor < -b.overdraft_minor;
    IF FOUND THEN
        RAISE EXCEPTION 'account % of % in wallet % has % posted and % held, and may be overdrawn by %',
            bad.account, bad.owner, bad.wallet, bad.posted, bad.held_minor, bad.overdraft_minor
        USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_limits_hold';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER wallet_buckets_limited AFTER INSERT OR UPDATE ON wallet_buckets
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_limits();

-- An account that was there before its wallet may be posted to right now, by somebody who does not know of
-- the wallet. So it joins while nobody writes entries: it waits for those who do at the gate that periods
-- have for it. As the owner, because the application may not take that lock at other times.
CREATE FUNCTION guard_joining() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.accounts AS a
        WHERE a.account_id = NEW.account_id AND a.xmin <> pg_current_xact_id()::xid
    ) THEN
        LOCK TABLE public.period_gate IN EXCLUSIVE MODE;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER wallet_buckets_join BEFORE INSERT ON wallet_buckets
FOR EACH ROW EXECUTE FUNCTION guard_joining();
CREATE TRIGGER wallet_buckets_stay BEFORE DELETE OR TRUNCATE ON wallet_buckets
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER journal_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_lines
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER entry_links_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_links
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
CREATE TRIGGER wallet_limits_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_limits
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE entry_reversals ENABLE ALWAYS TRIGGER entry_reversals_bounded;
ALTER TABLE entry_reversals ENABLE ALWAYS TRIGGER entry_reversals_stay;
ALTER TABLE entry_links ENABLE ALWAYS TRIGGER entry_links_complete;
ALTER TABLE entry_links ENABLE ALWAYS TRIGGER entry_links_append_only;
ALTER TABLE journal_lines ENABLE ALWAYS TRIGGER journal_lines_append_only;
ALTER TABLE wallet_limits ENABLE ALWAYS TRIGGER wallet_limits_append_only;
ALTER TABLE lines ENABLE ALWAYS TRIGGER lines_wallets;
ALTER TABLE wallet_buckets ENABLE ALWAYS TRIGGER wallet_buckets_held;
ALTER TABLE wallet_buckets ENABLE ALWAYS TRIGGER wallet_buckets_limited;
ALTER TABLE wallet_buckets ENABLE ALWAYS TRIGGER wallet_buckets_join;
ALTER TABLE wallet_buckets ENABLE ALWAYS TRIGGER wallet_buckets_stay;

GRANT INSERT, UPDATE ON journals, entry_reversals, wallets, wallet_buckets, holds TO counterfoil_app;
GRANT INSERT ON journal_lines, entry_links, wallet_limits TO counterfoil_app;
