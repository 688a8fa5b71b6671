-- Row-level security: a member of counterfoil_tenant sees the rows of its tenants, and no others.
-- See docs/adr/0023-row-level-security.md.

-- Which login role reads which tenant. Not a setting: a session can SET what it likes.
CREATE TABLE tenant_members (
    role_name name NOT NULL,
    tenant text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (role_name, tenant)
);

-- Puts every table and view of the schema that has a tenant under row-level security: its own rows to
-- counterfoil_tenant, all rows to the readers and the application. The owner is above it. A migration that
-- brings a table or view with a tenant ends with CALL secure_tenants(); a test and `check` look that it did.
CREATE PROCEDURE secure_tenants() LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.oid::regclass AS named, c.relkind
        FROM pg_class AS c
        INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
            AND c.relowner = 'counterfoil_owner'::regrole
            AND NOT EXISTS (
                SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'own_tenant'
            )
    LOOP
        IF one.relkind = 'v' THEN
            EXECUTE format('ALTER VIEW %s SET (security_invoker = true)', one.named);
        ELSE
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one.named);
            EXECUTE format(
                'CREATE POLICY own_tenant ON %s FOR SELECT TO counterfoil_tenant USING '
                '(tenant = ANY (ARRAY(SELECT m.tenant FROM tenant_members AS m WHERE m.role_name = current_user)))',
                one.named
            );
            EXECUTE format(
                'CREATE POLICY every_tenant ON %s FOR ALL TO counterfoil_app, counterfoil_read '
                'USING (true) WITH CHECK (true)',
                one.named
            );
        END IF;
        EXECUTE format('GRANT SELECT ON %s TO counterfoil_tenant', one.named);
    END LOOP;
END
$$;

-- A role sees its own memberships; the policies above read them as that role.
ALTER TABLE tenant_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON tenant_members FOR SELECT TO counterfoil_tenant USING (role_name = current_user);
CREATE POLICY every_tenant ON tenant_members FOR SELECT TO counterfoil_app, counterfoil_read USING (true);
GRANT SELECT ON tenant_members TO counterfoil_tenant;

-- Tables without a tenant are granted to no tenant: what waits to be published has the events of all in one
-- row. Nor are functions: some take locks on which writers wait.
REVOKE ALL ON ALL ROUTINES IN SCHEMA public FROM public;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO counterfoil_app, counterfoil_read;
ALTER DEFAULT PRIVILEGES FOR ROLE counterfoil_owner REVOKE EXECUTE ON ROUTINES FROM public;
ALTER DEFAULT PRIVILEGES FOR ROLE counterfoil_owner IN SCHEMA public
GRANT EXECUTE ON FUNCTIONS TO counterfoil_app, counterfoil_read;

CALL secure_tenants();
