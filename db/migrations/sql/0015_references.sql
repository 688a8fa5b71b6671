-- External references of entries: a bank's statement line, a ticket, an invoice, by the caller's own names.

CREATE TABLE entry_references (
    tenant text NOT NULL,
    entry_id bigint NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (entry_id, name, tenant)
);
CREATE INDEX entry_references_value ON entry_references (value, tenant, name);

-- An entry gets its references with its lines, and none afterwards.
CREATE FUNCTION guard_entry_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT n.tenant, n.entry_id INTO bad
    FROM new_references AS n
    LEFT JOIN entries AS e ON e.entry_id = n.entry_id AND e.tenant = n.tenant
    WHERE e.xid IS DISTINCT FROM pg_current_xact_id()
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of % takes its references from the transaction that wrote it',
            bad.entry_id, bad.tenant
        USING ERRCODE = 'check_violation', CONSTRAINT = 'references_with_their_entry';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_references_with_entry AFTER INSERT ON entry_references
REFERENCING NEW TABLE AS new_references FOR EACH STATEMENT EXECUTE FUNCTION guard_entry_references();
CREATE TRIGGER entry_references_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry_references
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite();
ALTER TABLE entry_references ENABLE ALWAYS TRIGGER entry_references_with_entry;
ALTER TABLE entry_references ENABLE ALWAYS TRIGGER entry_references_append_only;

GRANT INSERT ON entry_references TO counterfoil_app;

CALL secure_tenants();
