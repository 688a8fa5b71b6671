-- Before the laws: how to read whole tables, and how much there is to read.

-- name: plan_for_scans!
-- For this transaction: these statements read whole tables, whatever the connection was set up for.
SELECT
    set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),
    set_config('enable_mergejoin', 'on', true), set_config('work_mem', '64MB', true);

-- name: sizes^
-- How much there is to check.
SELECT
    (SELECT count(*) FROM entries) AS entries,
    (SELECT count(*) FROM lines) AS lines,
    (SELECT count(*) FROM accounts) AS accounts,
    (SELECT count(*) FROM payments) AS payments,
    (SELECT count(*) FROM transitions) AS transitions,
    (SELECT count(*) FROM provider_calls) AS calls,
    (SELECT coalesce(sum(i.received), 0)::bigint FROM intake AS i) AS messages,
    (SELECT coalesce(sum(o.events), 0)::bigint FROM outbox_batches AS o) AS events;
