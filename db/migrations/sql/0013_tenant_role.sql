-- The role of those who may read one tenant's rows alone. Login roles become its members by
-- `counterfoil tenants grant`, which also says of which tenant. It exists once for all databases of a server.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterfoil_tenant') THEN
        CREATE ROLE counterfoil_tenant NOLOGIN;
    END IF;
    -- The engine writes by COPY, which row-level security refuses to everybody for whom it holds.
    IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'counterfoil_app') THEN
        ALTER ROLE counterfoil_app BYPASSRLS;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the migrating role may not say who is above row-level security'
        USING ERRCODE = 'insufficient_privilege',
        HINT = 'As a superuser: CREATE ROLE counterfoil_tenant NOLOGIN; ALTER ROLE counterfoil_app BYPASSRLS;';
END
$$;

GRANT USAGE ON SCHEMA public TO counterfoil_tenant;
