-- The laws that data can show. Each statement gives one row, a sentence, for everything that breaks its law;
-- ops/checks/rules.py says which law that is. All run within one snapshot.

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
    (SELECT coalesce(sum(cardinality(o.payloads)), 0)::bigint FROM outbox AS o) AS events;

-- name: unbalanced_entries
-- Entries whose debits and credits of a currency differ.
SELECT
    format(
        'entry %s of %s is off by %s minor units of %s',
        l.entry_id, l.tenant, sum(l.amount_minor * l.direction), l.currency
    ) AS offender
FROM lines AS l
GROUP BY l.tenant, l.entry_id, l.currency
HAVING sum(l.amount_minor * l.direction) <> 0;

-- name: incomplete_entries
-- Entries with another number of lines than their header says; lines without an entry.
SELECT
    CASE
        WHEN e.entry_id IS NULL THEN format('%s lines of entry %s of %s have no entry', l.legs, l.entry_id, l.tenant)
        ELSE format('entry %s of %s has %s lines, its header says %s', e.entry_id, e.tenant, coalesce(l.legs, 0), e.legs)
    END AS offender
FROM entries AS e
FULL JOIN (SELECT i.tenant, i.entry_id, count(*) AS legs FROM lines AS i GROUP BY i.tenant, i.entry_id) AS l
    ON l.tenant = e.tenant AND l.entry_id = e.entry_id
WHERE e.legs IS DISTINCT FROM l.legs;

-- name: misplaced_lines
-- Lines in an account of another tenant or currency, or in none.
SELECT
    format(
        'line %s of entry %s of %s is in %s, its account %s is %s',
        l.line, l.entry_id, l.tenant, l.currency, l.account_id, coalesce(a.currency || ' of ' || a.tenant, 'missing')
    ) AS offender
FROM lines AS l
LEFT JOIN accounts AS a ON a.account_id = l.account_id
WHERE a.tenant IS DISTINCT FROM l.tenant OR a.currency IS DISTINCT FROM l.currency;

-- name: wrong_balances
-- Balances that are not the sum of their lines; balances without lines and lines without a balance.
WITH summed AS (
    SELECT
        l.tenant, l.account_id,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0) AS debit,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1), 0) AS credit,
        count(*) AS lines
    FROM lines AS l
    GROUP BY l.tenant, l.account_id
),

kept AS (
    SELECT
        b.tenant, b.account_id,
        sum(b.debit_minor) AS debit, sum(b.credit_minor) AS credit, sum(b.lines) AS lines
    FROM balances AS b
    GROUP BY b.tenant, b.account_id
)

SELECT
    format(
        'balance of %s of %s in %s of %s (account %s): debit %s, credit %s, %s lines; its lines say %s, %s, %s',
        coalesce(a.code, 'a missing account'), coalesce(a.owner, 'nobody'), coalesce(a.currency, 'no currency'),
        coalesce(k.tenant, s.tenant), coalesce(k.account_id, s.account_id),
        coalesce(k.debit, 0), coalesce(k.credit, 0), coalesce(k.lines, 0),
        coalesce(s.debit, 0), coalesce(s.credit, 0), coalesce(s.lines, 0)
    ) AS offender
FROM kept AS k
FULL JOIN summed AS s ON s.tenant = k.tenant AND s.account_id = k.account_id
LEFT JOIN accounts AS a ON a.account_id = coalesce(k.account_id, s.account_id)
WHERE (k.debit, k.credit, k.lines) IS DISTINCT FROM (s.debit, s.credit, s.lines);

-- name: repeated_events
-- Events of ours that are in the outbox more than once, or have no id. The id stands in the first bytes of every event.
WITH ids AS (
    SELECT o.batch_id, o.topic, substring(encode(substring(p.payload FROM 1 FOR 80), 'escape') FROM '"id":"([^"]+)"') AS id
    FROM outbox AS o
    CROSS JOIN unnest(o.payloads) AS p (payload)
    WHERE o.topic = ANY(:topics::text [])
)

SELECT
    format(
        'event %s is %s times in the outbox, in batches %s to %s, %s',
        coalesce(i.id, 'without an id'), count(*), min(i.batch_id), max(i.batch_id), min(i.topic)
    ) AS offender
FROM ids AS i
GROUP BY i.id
HAVING count(*) > 1 OR i.id IS NULL;

-- name: effects_without_cause
-- Entries, transitions and provider calls whose message is not in the inbox as applied.
WITH effects AS (
    SELECT e.tenant, e.source, e.event_id, format('entry %s', e.entry_id) AS effect FROM entries AS e
    UNION ALL
    SELECT t.tenant, t.source, t.event_id, format('transition %s of payment %s', t.version, t.payment_id)
    FROM transitions AS t
    UNION ALL
    SELECT c.tenant, c.source, c.event_id, format('provider call %s', c.call_id) FROM provider_calls AS c
)

SELECT
    format(
        '%s of %s follows from event %s of %s, which is %s', e.effect, e.tenant, e.event_id, e.source,
        coalesce(i.outcome, 'not in the inbox')
    ) AS offender
FROM effects AS e
LEFT JOIN inbox AS i ON i.tenant = e.tenant AND i.source = e.source AND i.event_id = e.event_id
WHERE i.outcome IS DISTINCT FROM 'applied';

-- name: conflicts_without_first
-- Second bodies under an id that was never used, or that are no other body.
SELECT
    format(
        'the conflicting event %s of %s of %s at %s/%s/%s has %s', c.event_id, c.source, c.tenant, c.topic, c.partition,
        c."offset", CASE WHEN i.event_id IS NULL THEN 'no first event' ELSE 'the same body as the first event' END
    ) AS offender
FROM inbox_conflicts AS c
LEFT JOIN inbox AS i ON i.tenant = c.tenant AND i.source = c.source AND i.event_id = c.event_id
WHERE i.event_id IS NULL OR i.body = c.body;

-- name: transitions_told_otherwise
-- Transitions without their payment event from the same message; payment events without their transition.
WITH told AS (
    SELECT
        e.event ->> 'tenant' AS tenant, (e.event #>> '{data,payment_id}')::uuid AS payment_id,
        (e.event #>> '{data,version}')::integer AS version, e.event #>> '{data,state}' AS state,
        array_agg(e.event ->> 'causation') AS causes, min(o.batch_id) AS batch_id
    FROM outbox AS o
    CROSS JOIN unnest(o.payloads) AS p (payload)
    CROSS JOIN LATERAL (SELECT convert_from(p.payload, 'UTF8')::json AS event) AS e
    WHERE o.topic = 'payment.events' AND e.event ->> 'type' <> :repeated
    GROUP BY 1, 2, 3, 4
)

SELECT
    CASE
        WHEN t.payment_id IS NULL THEN format(
            'batch %s publishes that payment %s of %s became %s at version %s, which it did not',
            e.batch_id, e.payment_id, e.tenant, e.state, e.version
        )
        ELSE format(
            'payment %s of %s became %s at version %s by event %s, which is not in the outbox',
            t.payment_id, t.tenant, t.to_state, t.version, t.event_id
        )
    END AS offender
FROM transitions AS t
FULL JOIN told AS e
    ON e.tenant = t.tenant AND e.payment_id = t.payment_id AND e.version = t.version AND e.state = t.to_state
WHERE t.payment_id IS NULL OR e.payment_id IS NULL OR t.event_id <> ALL(e.causes);

-- name: entries_told_otherwise
-- Entries that are not in the outbox line by line as they are in the ledger; published entries that do not exist.
WITH told AS (
    SELECT
        e.event ->> 'tenant' AS tenant, (e.event #>> '{data,entry_id}')::bigint AS entry_id, o.batch_id,
        (e.event #> '{data,lines}')::jsonb AS lines
    FROM outbox AS o
    CROSS JOIN unnest(o.payloads) AS p (payload)
    CROSS JOIN LATERAL (SELECT convert_from(p.payload, 'UTF8')::json AS event) AS e
    WHERE o.topic = 'ledger.entries'
),

kept AS (
    SELECT
        l.tenant, l.entry_id,
        jsonb_agg(
            jsonb_build_object(
                'account', a.code, 'owner', a.owner, 'amount_minor', l.amount_minor, 'currency', l.currency,
                'direction', CASE l.direction WHEN 1 THEN 'debit' ELSE 'credit' END
            ) ORDER BY l.line
        ) AS lines
    FROM lines AS l
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    GROUP BY l.tenant, l.entry_id
)

SELECT
    CASE
        WHEN t.entry_id IS NULL THEN format('entry %s of %s is not in the outbox', e.entry_id, e.tenant)
        WHEN e.entry_id IS NULL THEN format('batch %s publishes entry %s of %s, which does not exist', t.batch_id, t.entry_id, t.tenant)
        ELSE format('entry %s of %s has other lines than batch %s publishes', e.entry_id, e.tenant, t.batch_id)
    END AS offender
FROM entries AS e
LEFT JOIN kept AS k ON k.tenant = e.tenant AND k.entry_id = e.entry_id
FULL JOIN told AS t ON t.tenant = e.tenant AND t.entry_id = e.entry_id
WHERE k.lines IS DISTINCT FROM t.lines OR e.entry_id IS NULL;

-- name: passed_over_events
-- The relay has counted another number of events than the outbox holds up to its cursor: a batch was passed over.
SELECT
    format('the relay published %s events up to batch %s, the outbox holds %s', c.published, c.batch_id, o.events)
        AS offender
FROM relay_cursor AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(cardinality(b.payloads)), 0) AS events FROM outbox AS b WHERE b.batch_id <= c.batch_id
) AS o
WHERE c.relay = 'outbox' AND o.events <> c.published;

-- name: unpublished_batches
-- What the relay has still to publish.
SELECT format('batch %s waits with %s events for %s', o.batch_id, cardinality(o.payloads), o.topic) AS offender
FROM outbox AS o
WHERE o.batch_id > (SELECT c.batch_id FROM relay_cursor AS c WHERE c.relay = 'outbox');

-- name: forbidden_transitions
-- Transitions that the table does not have. A payment's first state comes from none, written as ''.
SELECT
    format(
        'payment %s of %s, version %s: %s from %s to %s is not in the table',
        t.payment_id, t.tenant, t.version, t.event, coalesce(t.from_state, 'nothing'), t.to_state
    ) AS offender
FROM transitions AS t
LEFT JOIN unnest(:from_states::text [], :events::text [], :to_states::text []) AS k (from_state, event, to_state)
    ON k.from_state = coalesce(t.from_state, '') AND k.event = t.event AND k.to_state = t.to_state
WHERE k.event IS NULL;

-- name: broken_histories
-- Payments whose transitions have a gap, do not follow from each other, or do not lead to where the payment stands.
WITH steps AS (
    SELECT
        t.tenant, t.payment_id, t.version, t.from_state, t.to_state,
        row_number() OVER one AS place,
        lag(t.to_state) OVER one AS before,
        lead(t.version) OVER one IS NULL AS is_last
    FROM transitions AS t
    WINDOW one AS (PARTITION BY t.tenant, t.payment_id ORDER BY t.version)
)

SELECT
    format(
        'payment %s of %s: transition %s is number %s and comes from %s after %s', s.payment_id, s.tenant, s.version,
        s.place, coalesce(s.from_state, 'nothing'), coalesce(s.before, 'nothing')
    ) AS offender
FROM steps AS s
WHERE s.version <> s.place OR s.from_state IS DISTINCT FROM s.before
UNION ALL
SELECT
    format(
        'payment %s of %s is %s at version %s; its transitions end in %s at version %s',
        coalesce(p.payment_id, s.payment_id), coalesce(p.tenant, s.tenant), coalesce(p.state, 'missing'),
        coalesce(p.version, 0), coalesce(s.to_state, 'nothing'), coalesce(s.version, 0)
    ) AS offender
FROM payments AS p
FULL JOIN (SELECT * FROM steps AS l WHERE l.is_last) AS s ON s.tenant = p.tenant AND s.payment_id = p.payment_id
WHERE (p.state, p.version) IS DISTINCT FROM (s.to_state, s.version);

-- name: unanswered_refusals
-- Refused messages with no rejection, or more than one, in the outbox; rejections of messages that were not refused.
WITH refused AS (
    SELECT r.tenant, r.source, r.event_id, count(*) AS times
    FROM (
        SELECT i.tenant, i.source, i.event_id FROM inbox AS i WHERE i.outcome = 'rejected'
        UNION ALL
        SELECT c.tenant, c.source, c.event_id FROM inbox_conflicts AS c
    ) AS r
    GROUP BY r.tenant, r.source, r.event_id
),

told AS (
    SELECT
        e.event ->> 'tenant' AS tenant, e.event #>> '{data,event_source}' AS source,
        e.event #>> '{data,event_id}' AS event_id, count(*) AS times
    FROM outbox AS o
    CROSS JOIN unnest(o.payloads) AS p (payload)
    CROSS JOIN LATERAL (SELECT convert_from(p.payload, 'UTF8')::json AS event) AS e
    WHERE o.topic = 'rejections'
    GROUP BY 1, 2, 3
)

SELECT
    format(
        'event %s of %s of %s was refused %s times and answered %s times', coalesce(r.event_id, t.event_id),
        coalesce(r.source, t.source), coalesce(r.tenant, t.tenant), coalesce(r.times, 0), coalesce(t.times, 0)
    ) AS offender
FROM refused AS r
FULL JOIN told AS t ON t.tenant = r.tenant AND t.source = r.source AND t.event_id = r.event_id
WHERE r.times IS DISTINCT FROM t.times;

-- name: careless_calls
-- Provider calls without evidence, without a payment that waits for them, or that nobody takes care of.
SELECT format('call %s of %s is answered, but no answer is kept', c.call_id, c.tenant) AS offender
FROM provider_calls AS c
WHERE c.status = 'answered' AND (
    c.answered_at IS NULL
    OR NOT EXISTS (SELECT FROM provider_answers AS a WHERE a.tenant = c.tenant AND a.call_id = c.call_id)
)
UNION ALL
SELECT format('call %s of %s is with %s since its lease ended at %s', c.call_id, c.tenant, c.claimed_by, c.lease_until)
FROM provider_calls AS c
WHERE c.status = 'in_flight' AND c.lease_until < now() - :lease_grace_s * interval '1 second'
UNION ALL
SELECT format('call %s is used %s times, by tenants %s', c.call_id, count(*), string_agg(c.tenant, ', '))
FROM provider_calls AS c
GROUP BY c.call_id
HAVING count(*) > 1
UNION ALL
SELECT format('call %s of %s is open, but its payment %s waits for %s', c.call_id, c.tenant, c.payment_id, p.call_id)
FROM provider_calls AS c
LEFT JOIN payments AS p ON p.tenant = c.tenant AND p.payment_id = c.payment_id
WHERE c.status <> 'answered' AND p.call_id IS DISTINCT FROM c.call_id
UNION ALL
SELECT format('payment %s of %s waits for call %s, which is not there', p.payment_id, p.tenant, p.call_id)
FROM payments AS p
LEFT JOIN provider_calls AS c ON c.tenant = p.tenant AND c.call_id = p.call_id AND c.payment_id = p.payment_id
WHERE p.call_id IS NOT NULL AND c.call_id IS NULL;

-- name: open_payment_calls
-- Payments that wait for their provider.
SELECT format('payment %s of %s waits for its call %s', p.payment_id, p.tenant, p.call_id) AS offender
FROM payments AS p
WHERE p.call_id IS NOT NULL;

-- name: overdrawn_payments
-- Payments that break captured <= authorized <= amount, or whose captured amount and fee are not what was posted.
WITH posted AS (
    SELECT
        e.tenant, e.object_id, l.currency,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = 1), 0) AS captured,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.direction = -1 AND a.code = :fee_account), 0) AS fee
    FROM entries AS e
    INNER JOIN lines AS l ON l.tenant = e.tenant AND l.entry_id = e.entry_id
    INNER JOIN accounts AS a ON a.account_id = l.account_id
    WHERE e.object_type = 'payment' AND e.rule = ANY(:rules::text [])
    GROUP BY e.tenant, e.object_id, l.currency
)

SELECT
    format(
        'payment %s of %s: amount %s, authorized %s, captured %s, fee %s; posted %s and fee %s (minor units of %s)',
        coalesce(p.payment_id::text, e.object_id), coalesce(p.tenant, e.tenant), coalesce(p.amount_minor, 0),
        coalesce(p.authorized_minor, 0), coalesce(p.captured_minor, 0), coalesce(p.fee_minor, 0),
        coalesce(e.captured, 0), coalesce(e.fee, 0), coalesce(p.currency, e.currency)
    ) AS offender
FROM payments AS p
FULL JOIN posted AS e ON e.tenant = p.tenant AND e.object_id = p.payment_id::text AND e.currency = p.currency
WHERE coalesce(p.captured_minor, 0) <> coalesce(e.captured, 0) OR coalesce(p.fee_minor, 0) <> coalesce(e.fee, 0)
    OR p.captured_minor > p.authorized_minor OR p.authorized_minor > p.amount_minor;

-- name: missing_guards
-- Triggers that are not there, or not enabled for every session, replicas' included.
SELECT
    format(
        'trigger %s on %s is %s', k.guard, k.guarded,
        CASE t.tgenabled
            WHEN 'D' THEN 'disabled' WHEN 'O' THEN 'off in replica sessions' WHEN 'R' THEN 'on in replica sessions only'
            ELSE 'missing'
        END
    ) AS offender
FROM unnest(:tables::text [], :triggers::text []) AS k (guarded, guard)
LEFT JOIN pg_trigger AS t ON t.tgrelid = to_regclass(k.guarded) AND t.tgname = k.guard
WHERE t.tgenabled IS DISTINCT FROM 'A';

-- name: rewritten_guards
-- Guards' functions that do not read as the migrations wrote them.
SELECT format('function %s is %s', k.guard, CASE WHEN p.prosrc IS NULL THEN 'missing' ELSE 'rewritten' END) AS offender
FROM unnest(:names::text [], :bodies::text []) AS k (guard, body)
LEFT JOIN pg_proc AS p ON p.proname = k.guard AND p.pronamespace = 'public'::regnamespace
WHERE p.prosrc IS DISTINCT FROM k.body;

-- name: excessive_rights
-- Rights by which the application or the readers could rewrite history: `columns` are those the application may update.
WITH history AS (
    SELECT k.history, to_regclass(k.history) AS oid, string_to_array(k.columns, ' ') AS columns
    FROM unnest(:tables::text [], :columns::text []) AS k (history, columns)
)

SELECT format('%s may %s %s', r.rolname, w.what, h.history) AS offender
FROM history AS h
CROSS JOIN pg_roles AS r
CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS w (what)
WHERE r.rolname = ANY(:roles::text []) AND has_table_privilege(r.oid, h.oid, w.what)
UNION ALL
SELECT format('%s may UPDATE %s of %s', r.rolname, c.attname, h.history)
FROM history AS h
INNER JOIN pg_attribute AS c ON c.attrelid = h.oid AND c.attnum > 0 AND NOT c.attisdropped
CROSS JOIN pg_roles AS r
WHERE r.rolname = ANY(:roles::text []) AND c.attname <> ALL(h.columns)
    AND has_column_privilege(r.oid, h.oid, c.attnum, 'UPDATE') AND NOT has_table_privilege(r.oid, h.oid, 'UPDATE')
UNION ALL
SELECT format('%s is missing', h.history) FROM history AS h WHERE h.oid IS NULL
UNION ALL
SELECT format('%s is owned by %s, not by %s', h.history, t.relowner::regrole, :owner::text)
FROM history AS h
INNER JOIN pg_class AS t ON t.oid = h.oid
WHERE t.relowner::regrole::text <> :owner::text
UNION ALL
SELECT format('%s is a superuser, or may act as %s', r.rolname, :owner)
FROM pg_roles AS r
WHERE r.rolname = ANY(:roles::text []) AND (r.rolsuper OR pg_has_role(r.oid, :owner::text, 'MEMBER'))
UNION ALL
SELECT format('%s may log in', r.rolname) FROM pg_roles AS r WHERE r.rolname = :owner::text AND r.rolcanlogin;

-- name: strange_money
-- Currencies that ISO 4217 does not list, amounts beyond the limit of one message, columns that hold no whole number.
SELECT format('account %s (%s of %s) is in %s', a.account_id, a.code, a.tenant, a.currency) AS offender
FROM accounts AS a
WHERE a.currency <> ALL(:currencies::text [])
UNION ALL
SELECT format('payment %s of %s is in %s', p.payment_id, p.tenant, p.currency)
FROM payments AS p
WHERE p.currency <> ALL(:currencies::text [])
UNION ALL
SELECT format('line %s of entry %s of %s is %s minor units', l.line, l.entry_id, l.tenant, l.amount_minor)
FROM lines AS l
WHERE l.amount_minor NOT BETWEEN 1 AND :most_minor
UNION ALL
SELECT format('payment %s of %s is over %s minor units', p.payment_id, p.tenant, p.amount_minor)
FROM payments AS p
WHERE p.amount_minor NOT BETWEEN 1 AND :most_minor
UNION ALL
SELECT format('column %s.%s is %s', c.table_name, c.column_name, c.data_type)
FROM information_schema.columns AS c
WHERE c.table_schema = 'public' AND c.column_name LIKE '%\_minor' AND c.data_type NOT IN ('bigint', 'jsonb');

-- name: uncounted_messages
-- Topics whose five counts do not add up to what came in.
WITH decided AS (
    SELECT
        i.topic,
        count(*) FILTER (WHERE i.outcome = 'applied') AS applied,
        count(*) FILTER (WHERE i.outcome = 'duplicate') AS duplicate,
        count(*) FILTER (WHERE i.outcome = 'rejected') AS rejected,
        count(*) FILTER (WHERE i.outcome = 'parked') AS parked,
        count(*) FILTER (WHERE i.outcome = 'dead') AS dead
    FROM inbox AS i
    GROUP BY i.topic
),

taken AS (
    SELECT t.topic, sum(t.received) AS received, sum(t.duplicate) AS duplicate FROM intake AS t GROUP BY t.topic
),

conflicts AS (SELECT c.topic, count(*) AS rejected FROM inbox_conflicts AS c GROUP BY c.topic),

unreadable AS (SELECT d.topic, count(*) AS dead FROM dead_letters AS d WHERE d.event_id IS NULL GROUP BY d.topic),

counts AS (
    SELECT
        coalesce(t.received, 0) AS received,
        coalesce(d.applied, 0) AS applied,
        coalesce(d.duplicate, 0) + coalesce(t.duplicate, 0) AS duplicate,
        coalesce(d.rejected, 0) + coalesce(c.rejected, 0) AS rejected,
        coalesce(d.parked, 0) AS parked,
        coalesce(d.dead, 0) + coalesce(u.dead, 0) AS dead,
        topic
    FROM taken AS t
    FULL JOIN decided AS d USING (topic)
    FULL JOIN conflicts AS c USING (topic)
    FULL JOIN unreadable AS u USING (topic)
)

SELECT
    format(
        '%s: %s received, but %s applied + %s duplicate + %s rejected + %s parked + %s dead',
        n.topic, n.received, n.applied, n.duplicate, n.rejected, n.parked, n.dead
    ) AS offender
FROM counts AS n
WHERE n.received <> n.applied + n.duplicate + n.rejected + n.parked + n.dead;

-- name: lost_messages
-- Messages said to be parked that no queue holds, or the other way round; dead ones without an open dead letter.
SELECT
    CASE
        WHEN i.event_id IS NULL THEN format(
            'event %s of %s of %s waits in the queue of %s, but the inbox has it as decided', p.event_id, p.source, p.tenant, p.key
        )
        ELSE format('event %s of %s of %s is parked, but in no queue', i.event_id, i.source, i.tenant)
    END AS offender
FROM (SELECT * FROM inbox AS a WHERE a.outcome = 'parked') AS i
FULL JOIN parked AS p ON p.tenant = i.tenant AND p.source = i.source AND p.event_id = i.event_id
WHERE i.event_id IS NULL OR p.event_id IS NULL
UNION ALL
SELECT format('event %s of %s of %s is dead, but has no dead letter to replay', i.event_id, i.source, i.tenant)
FROM inbox AS i
WHERE i.outcome = 'dead' AND NOT EXISTS (
    SELECT FROM dead_letters AS d
    WHERE d.tenant = i.tenant AND d.source = i.source AND d.event_id = i.event_id AND d.replayed_at IS NULL
);

-- name: waiting_messages
-- Messages that still wait.
SELECT format('event %s of %s of %s waits: %s', p.event_id, p.source, p.tenant, p.detail) AS offender
FROM parked AS p;
