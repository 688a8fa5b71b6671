-- Wallets for people, beside wallets.sql, whose queries lock: how they stand, and what holds reserve.

-- name: wallets
-- Wallets by name, with their tenants' time, which a test clock may set.
SELECT
    w.tenant, w.name, w.family, w.owner_id, w.currency, w.version, w.limits, w.opened_at, w.updated_at,
    coalesce(c.now_at, now()) AS now_at
FROM wallets AS w
LEFT JOIN clocks AS c ON c.tenant = w.tenant
WHERE (:tenant::text IS NULL OR w.tenant = :tenant) AND (:name::text IS NULL OR w.name = :name)
    AND (:owner::text IS NULL OR w.owner_id = :owner)
ORDER BY w.tenant, w.name
LIMIT :most;

-- name: count_wallets$
-- How many there are of these.
SELECT count(*) FROM wallets AS w
WHERE (:tenant::text IS NULL OR w.tenant = :tenant) AND (:owner::text IS NULL OR w.owner_id = :owner);

-- name: open_holds
-- Holds that still reserve something, those that end soonest first.
SELECT
    h.hold_id, h.object_id, h.state, h.currency, h.amount_minor, h.posted_minor, h.parts, h.placed_by,
    h.expires_at, h.placed_at
FROM holds AS h
WHERE h.wallet = :wallet AND h.tenant = :tenant AND h.state IN ('placed', 'partly_posted')
ORDER BY h.expires_at, h.hold_id;

-- name: limits_of_wallet
-- The versions of its limits, newest first.
SELECT l.version, l.account, l.overdraft_minor, l.set_by, l.note, l.set_at
FROM wallet_limits AS l
WHERE l.wallet = :wallet AND l.tenant = :tenant
ORDER BY l.version DESC;
