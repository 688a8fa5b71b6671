-- What the demo watches and reports. Amounts are minor units.

-- name: standing^
-- How far everything has come, in one look.
SELECT
    (
        SELECT coalesce(sum(i.received), 0)::bigint FROM intake AS i WHERE i.topic = any(:topics::text[])
    ) AS taken_in,
    (
        SELECT count(*) FROM inbox AS m WHERE m.topic = any(:topics::text[]) AND m.outcome = 'applied'
    ) AS applied,
    (SELECT count(*) FROM parked) AS parked,
    (SELECT count(*) FROM provider_calls AS c WHERE c.status <> 'answered') AS calls_open,
    (SELECT count(*) FROM provider_calls AS c WHERE c.status = 'unknown') AS calls_unknown,
    (
        SELECT count(*)
        FROM timers AS t
        LEFT JOIN clocks AS c ON c.tenant = t.tenant
        WHERE t.published_at IS NULL AND t.due_at <= coalesce(c.now_at, now())
    ) AS timers_due,
    (SELECT coalesce(sum(o.events), 0) FROM outbox_batches AS o WHERE o.batch_id > r.batch_id) AS unpublished,
    r.published
FROM relay_cursor AS r
WHERE r.relay = 'outbox';

-- name: taken_in_up_to
-- The next offset of each partition.
SELECT i.topic, i.partition, i.next_offset FROM intake AS i;

-- name: is_used$
-- Whether any message was ever taken in.
SELECT count(*) > 0 FROM intake;

-- name: outcomes
-- What came in, and what became of it, wherever that is kept.
SELECT k.topic, k.outcome, sum(k.messages)::bigint AS messages
FROM (
    SELECT i.topic, 'received' AS outcome, i.received AS messages FROM intake AS i
    UNION ALL
    SELECT i.topic, 'redelivered', i.redelivered FROM intake AS i
    UNION ALL
    SELECT i.topic, 'duplicate', i.duplicate FROM intake AS i
    UNION ALL
    SELECT m.topic, m.outcome, count(*) FROM inbox AS m GROUP BY m.topic, m.outcome
    UNION ALL
    SELECT m.topic, 'rejected', count(*) FROM inbox_conflicts AS m GROUP BY m.topic
    UNION ALL
    SELECT d.topic, 'dead', count(*) FROM dead_letters AS d WHERE d.event_id IS NULL GROUP BY d.topic
) AS k
GROUP BY k.topic, k.outcome;

-- name: reasons
-- Why messages were rejected or set aside.
SELECT m.outcome, m.reason, count(*) AS messages
FROM (
    SELECT i.outcome, i.reason FROM inbox AS i WHERE i.outcome = 'rejected'
    UNION ALL
    SELECT 'rejected', 'event_id_reused' FROM inbox_conflicts
    UNION ALL
    SELECT 'dead', d.reason FROM dead_letters AS d
) AS m
GROUP BY m.outcome, m.reason
ORDER BY count(*) DESC, m.reason;

-- name: payment_states
-- How many payments stand where.
SELECT p.state, count(*) AS payments FROM payments AS p GROUP BY p.state;

-- name: entry_rules
-- How many entries were posted by which rule.
SELECT e.rule, count(*) AS entries FROM entries AS e GROUP BY e.rule ORDER BY e.rule;

-- name: published_topics
-- How many events were committed for which topic.
SELECT o.topic, sum(o.events)::bigint AS events FROM outbox_batches AS o GROUP BY o.topic ORDER BY o.topic;

-- name: provider_calls
-- What the provider was asked, how often, and how many outcomes were unknown for a while.
SELECT
    c.operation, count(*) AS calls, sum(c.tries)::bigint AS tries, count(c.unknown_since) AS were_unknown
FROM provider_calls AS c
GROUP BY c.operation
ORDER BY c.operation;

-- name: owed_by_provider
-- What our books say a provider owes us, all tenants together: what it took, less what went back and what
-- it charges for disputes.
SELECT a.currency, sum(b.debit_minor - b.credit_minor)::bigint AS balance_minor
FROM accounts AS a
INNER JOIN balances AS b ON b.tenant = a.tenant AND b.account_id = a.account_id
WHERE a.code IN ('processor_receivable', 'debit_receivable') AND a.owner = :provider
GROUP BY a.currency;

-- name: refund_states
-- How many refunds stand where.
SELECT r.state, count(*) AS refunds FROM refunds AS r GROUP BY r.state;

-- name: dispute_states
-- How many disputes stand where.
SELECT d.state, count(*) AS disputes FROM disputes AS d GROUP BY d.state;

-- name: disputes_known
-- Every dispute as we know it, for a comparison with its provider.
SELECT d.dispute_reference, d.order_id, d.currency, d.reported_status, d.withdrawn_minor, d.fee_minor
FROM disputes AS d
ORDER BY d.dispute_reference;

-- name: paid_orders
-- Payments of a day that something may follow, in the order of their ids. The amount is what was captured, or
-- held where nothing is captured yet.
SELECT
    p.tenant, p.order_id, p.payment_id, p.merchant_id, p.customer_id, p.currency, p.state, p.method,
    p.fee_minor,
    CASE p.state WHEN 'authorized' THEN p.authorized_minor ELSE p.captured_minor END AS amount_minor
FROM payments AS p
WHERE p.state IN ('succeeded', 'captured', 'authorized') AND starts_with(p.order_id, :orders)
ORDER BY p.order_id, p.tenant;

-- name: webhooks_kept^
-- What providers told us: bodies kept, and how many of them could not be read.
SELECT count(*) AS kept, count(w.unreadable) AS unreadable FROM webhooks AS w;

-- name: money_of_payments
-- Captured and given back, by currency. In flight is what refunds under way, or awaiting approval, reserve.
SELECT
    p.currency,
    sum(p.captured_minor)::bigint AS captured_minor,
    sum(p.refunded_minor)::bigint AS refunded_minor,
    sum(p.refunding_minor)::bigint AS in_flight_minor,
    sum(p.fee_minor)::bigint AS fees_minor
FROM payments AS p
GROUP BY p.currency;

-- name: money_of_disputes
-- Withdrawn and not decided yet, and lost for good, by currency; and what providers charged for all of them.
SELECT
    d.currency,
    coalesce(sum(d.withdrawn_minor) FILTER (WHERE d.standing = 'open'), 0)::bigint AS disputed_minor,
    coalesce(sum(d.withdrawn_minor) FILTER (WHERE d.standing = 'lost'), 0)::bigint AS lost_minor,
    sum(d.fee_minor)::bigint AS dispute_fees_minor
FROM disputes AS d
GROUP BY d.currency;

-- name: fees_returned
-- Platform fees that went back with refunds, by currency.
SELECT r.currency, sum(r.fee_returned_minor)::bigint AS fees_returned_minor
FROM refunds AS r
WHERE r.state IN ('submitted', 'pending', 'succeeded')
GROUP BY r.currency;

-- name: committed_events
-- Every committed event, batch by batch, one a line.
SELECT o.topic, o.payloads FROM outbox_batches AS o;

-- name: payments_by_content
-- Payments without the times at which something was done, each with its history.
SELECT
    p.tenant, p.order_id, p.merchant_id, p.customer_id, p.state, p.version, p.currency, p.amount_minor,
    p.authorized_minor, p.captured_minor, p.fee_minor, p.fee_version, p.capture_method, p.method,
    p.method_last4, p.provider_reference, p.certain, p.attempts, p.calls, p.reason, p.metadata,
    (
        SELECT array_agg(concat_ws(' ', t.event, t.to_state, t.reason, t.event_id) ORDER BY t.version)
        FROM transitions AS t
        WHERE t.tenant = p.tenant AND t.object_id = p.payment_id
    ) AS history
FROM payments AS p
ORDER BY p.tenant, p.order_id;

-- name: entries_by_content
-- Entries without their numbers and times, their lines by account.
SELECT
    j.tenant, j.object_id, j.rule, j.source, j.event_id,
    array_agg(concat_ws(' ', j.side, j.account, j.owner, j.amount_minor, j.currency) ORDER BY j.line) AS lines
FROM journal AS j
GROUP BY j.tenant, j.entry_id, j.object_id, j.rule, j.source, j.event_id
ORDER BY j.tenant, j.object_id, j.event_id;
