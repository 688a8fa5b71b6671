-- Roles: the owner has no login; the application reads, inserts, and updates only state; readers read.
-- Login roles of these names may exist already (they are created with their passwords outside of migrations).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterfoil_owner') THEN
        CREATE ROLE counterfoil_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterfoil_app') THEN
        CREATE ROLE counterfoil_app NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterfoil_read') THEN
        CREATE ROLE counterfoil_read NOLOGIN;
    END IF;
END
$$;

GRANT counterfoil_owner TO CURRENT_USER;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO counterfoil_owner;
GRANT USAGE ON SCHEMA public TO counterfoil_app, counterfoil_read;

-- Every table made by the owner can be read by both; everything more is granted table by table.
ALTER DEFAULT PRIVILEGES FOR ROLE counterfoil_owner IN SCHEMA public
GRANT SELECT ON TABLES TO counterfoil_app, counterfoil_read;
