-- Law 9, read by who may not: what of a tenant another tenant's reader could see.

-- name: open_to_tenants
-- Tables and views with a tenant whose rows are not held apart, rights on others, readers above the policies.
WITH relations AS (
    SELECT
        c.oid, c.relname, c.relkind, c.relrowsecurity,
        coalesce('security_invoker=true' = any(c.reloptions), FALSE) AS invoker,
        exists(
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
        ) AS has_tenant,
        has_any_column_privilege('counterfoil_tenant', c.oid, 'SELECT') AS readable
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
)

SELECT format('%s has no policy that holds tenants apart', r.relname) AS offender
FROM relations AS r
LEFT JOIN pg_policy AS p ON p.polrelid = r.oid AND p.polname = 'own_tenant'
WHERE r.relkind IN ('r', 'p') AND r.has_tenant AND (
    NOT r.relrowsecurity OR pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM
    CASE r.relname WHEN 'tenant_members' THEN :own_membership::text ELSE :own_tenant::text END
)
UNION ALL
SELECT format('%s has policy %s, which lets tenants'' readers see more', r.relname, p.polname) AS offender
FROM relations AS r
INNER JOIN pg_policy AS p ON p.polrelid = r.oid
WHERE p.polpermissive AND p.polname <> 'own_tenant'
    AND (0 = any(p.polroles) OR 'counterfoil_tenant'::regrole = any(p.polroles))
UNION ALL
SELECT format('%s has no tenant of its rows, and tenants'' readers may read it', r.relname) AS offender
FROM relations AS r
WHERE r.readable AND NOT r.has_tenant
UNION ALL
SELECT format('%s reads with its owner''s rights, and tenants'' readers may read it', r.relname) AS offender
FROM relations AS r
WHERE r.readable AND (r.relkind = 'm' OR (r.relkind = 'v' AND NOT r.invoker))
UNION ALL
SELECT format('counterfoil_tenant may %s %s', w.what, r.relname) AS offender
FROM relations AS r
CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS w (what)
WHERE has_table_privilege('counterfoil_tenant', r.oid, w.what)
UNION ALL
SELECT format('%s reads tenants, and is above row-level security', m.rolname) AS offender
FROM pg_roles AS m
WHERE (m.rolbypassrls AND NOT m.rolsuper) AND pg_has_role(m.oid, 'counterfoil_tenant', 'USAGE')
UNION ALL
SELECT format('%s reads tenants, and everything by %s', m.rolname, o.rolname) AS offender
FROM pg_roles AS m
CROSS JOIN pg_roles AS o
WHERE NOT m.rolsuper AND pg_has_role(m.oid, 'counterfoil_tenant', 'USAGE')
    AND o.rolname IN ('counterfoil_owner', 'counterfoil_app', 'counterfoil_read')
    AND pg_has_role(m.oid, o.oid, 'MEMBER');
