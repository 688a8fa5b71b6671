-- Which roles read which tenants. Run as the administrator.

-- name: role_of^
-- What a role may do that a tenant's reader must not. No row: there is no such role.
SELECT
    r.rolsuper OR r.rolbypassrls OR r.rolcreaterole AS powerful,
    pg_has_role(r.oid, 'counterfoil_tenant', 'MEMBER') AS is_member,
    array(
        SELECT o.rolname::text
        FROM pg_roles AS o
        WHERE o.rolname NOT IN (r.rolname, 'counterfoil_tenant') AND pg_has_role(r.oid, o.oid, 'MEMBER')
        ORDER BY o.rolname
    ) AS others
FROM pg_roles AS r
WHERE r.rolname = :role_name;

-- name: create_role_statement$
-- The statement that makes a login role; it has no password yet, so nobody can log in with one.
SELECT format('CREATE ROLE %I LOGIN', :role_name::text);

-- name: grant_role_statement$
-- The statement that makes a role a reader of tenants.
SELECT format('GRANT counterfoil_tenant TO %I', :role_name::text);

-- name: revoke_role_statement$
-- The statement that ends that.
SELECT format('REVOKE counterfoil_tenant FROM %I', :role_name::text);

-- name: add_member!
-- A role may read a tenant.
INSERT INTO tenant_members (role_name, tenant, granted_by) VALUES (:role_name, :tenant, :actor)
ON CONFLICT DO NOTHING;

-- name: remove_member!
-- A role may read a tenant no longer.
DELETE FROM tenant_members AS m WHERE m.role_name = :role_name AND m.tenant = :tenant;

-- name: tenants_of
-- The tenants that a role may read.
SELECT m.tenant FROM tenant_members AS m WHERE m.role_name = :role_name ORDER BY m.tenant;

-- name: members
-- Who may read which tenant.
SELECT m.role_name::text AS role_name, m.tenant, m.granted_by, m.granted_at, r.oid IS NOT NULL AS exists
FROM tenant_members AS m
LEFT JOIN pg_roles AS r ON r.rolname = m.role_name
ORDER BY m.tenant, m.role_name;

-- name: note!
-- What was done, for the audit log.
INSERT INTO audit_log (tenant, actor, action, object_type, object_id, detail)
VALUES (:tenant, :actor, :action, 'role', :role_name, :detail);
