-- Wallets with their accounts: locked first, read then, so that nothing is missing that others have posted.

-- name: lock_wallets
-- Wallets by their names, locked in the order of these.
SELECT w.tenant, w.name, w.family, w.owner_id, w.currency, w.version, w.limits, w.opened_at, w.updated_at
FROM unnest(:tenants::text[], :names::text[]) AS k (tenant, name)
INNER JOIN wallets AS w ON w.tenant = k.tenant AND w.name = k.name
ORDER BY w.tenant, w.name
FOR UPDATE OF w;

-- name: open_wallets
-- Which of these wallets there are.
SELECT w.tenant, w.name
FROM unnest(:tenants::text[], :names::text[]) AS k (tenant, name)
INNER JOIN wallets AS w ON w.tenant = k.tenant AND w.name = k.name;

-- name: buckets
-- The accounts of these wallets, with what is posted to them: a balance is the sum of its stripes. Grants
-- that are used up are left out: a customer of many years has many.
SELECT
    b.tenant, b.wallet, b.account, b.owner, b.priority, b.expires_at, b.overdraft_minor, b.held_minor,
    (
        coalesce(sum(s.debit_minor - s.credit_minor), 0)
        * CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END
    )::bigint AS posted_minor
FROM unnest(:tenants::text[], :names::text[]) AS k (tenant, name)
INNER JOIN wallet_buckets AS b ON b.tenant = k.tenant AND b.wallet = k.name
INNER JOIN accounts AS a ON a.account_id = b.account_id
LEFT JOIN balances AS s ON s.account_id = b.account_id AND s.tenant = b.tenant
GROUP BY b.account_id, b.tenant, a.account_id
HAVING b.expires_at IS NULL OR b.held_minor <> 0 OR coalesce(sum(s.debit_minor - s.credit_minor), 0) <> 0
ORDER BY b.tenant, b.wallet, b.priority, b.expires_at, b.account, b.owner;

-- name: update_wallets!
-- Wallets as they are now.
UPDATE wallets AS w
SET version = k.version, limits = k.limits, updated_at = k.updated_at
FROM unnest(
    :tenants::text[], :names::text[], :versions::integer[], :limits::integer[], :updated_ats::timestamptz[]
) AS k (tenant, name, version, limits, updated_at)
WHERE w.tenant = k.tenant AND w.name = k.name;

-- name: keep_buckets!
-- Accounts of wallets as they are now: the limits, and what is held. What is posted follows from the lines.
INSERT INTO wallet_buckets AS b (
    tenant, wallet, account_id, account, owner, priority, expires_at, overdraft_minor, held_minor
)
SELECT
    k.tenant, k.wallet, a.account_id, k.account, k.owner, k.priority, k.expires_at, k.overdraft_minor,
    k.held_minor
FROM unnest(
    :tenants::text[], :wallets::text[], :accounts::text[], :owners::text[], :currencies::text[],
    :priorities::integer[], :expires_ats::timestamptz[], :overdrafts::bigint[], :helds::bigint[]
) AS k (tenant, wallet, account, owner, currency, priority, expires_at, overdraft_minor, held_minor)
INNER JOIN accounts AS a
    ON a.tenant = k.tenant AND a.code = k.account AND a.owner = k.owner AND a.currency = k.currency
ORDER BY k.tenant, k.wallet, k.account, k.owner
ON CONFLICT (account_id, tenant) DO UPDATE SET
    overdraft_minor = excluded.overdraft_minor, held_minor = excluded.held_minor
WHERE (b.overdraft_minor, b.held_minor) IS DISTINCT FROM (excluded.overdraft_minor, excluded.held_minor);
