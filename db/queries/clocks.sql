-- name: test_clocks
-- Tenants that live by a test clock.
SELECT c.tenant, c.now_at FROM clocks AS c ORDER BY c.tenant;

-- name: clock_of$
-- What a tenant's test clock says; nothing when it lives by the system's.
SELECT c.now_at FROM clocks AS c WHERE c.tenant = :tenant;

-- name: has_live_payments$
-- Whether a tenant already has payments.
SELECT exists(SELECT FROM payments AS p WHERE p.tenant = :tenant);

-- name: set_clock!
-- Sets a tenant's test clock; it never goes back.
INSERT INTO clocks AS c (tenant, now_at) VALUES (:tenant, :now_at)
ON CONFLICT (tenant) DO UPDATE SET now_at = greatest(c.now_at, excluded.now_at);

-- name: note_clock!
-- Who moved it.
INSERT INTO audit_log (tenant, actor, action, object_type, object_id, detail)
VALUES (:tenant, :actor, 'clock.advanced', 'clock', :tenant, :detail);
