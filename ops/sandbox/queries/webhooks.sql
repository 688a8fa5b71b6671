-- name: put_endpoint!
-- Where webhooks go, and with which manners.
INSERT INTO endpoints (
    id, url, secret, copies, delay_ms, newest_first_within_ms, before_answer, retry_ms
)
VALUES (:id, :url, :secret, :copies, :delay_ms, :newest_first_within_ms, :before_answer, :retry_ms)
ON CONFLICT (id) DO UPDATE SET
    secret = excluded.secret,
    copies = excluded.copies,
    delay_ms = excluded.delay_ms,
    newest_first_within_ms = excluded.newest_first_within_ms,
    before_answer = excluded.before_answer,
    retry_ms = excluded.retry_ms;

-- name: endpoints
-- Every endpoint.
SELECT
    id,
    url,
    secret,
    copies,
    delay_ms,
    newest_first_within_ms,
    before_answer,
    retry_ms
FROM endpoints
ORDER BY id;

-- name: progress
-- How far an endpoint's deliveries have come.
SELECT
    endpoint_id,
    count(*) FILTER (WHERE delivered_ms IS NOT NULL) AS delivered,
    count(*) FILTER (WHERE delivered_ms IS NULL) AS outstanding,
    sum(attempts) AS attempts
FROM deliveries
GROUP BY endpoint_id;

-- name: drop_endpoint!
-- No more webhooks there, nor what was still to come.
DELETE FROM endpoints
WHERE id = :id;

-- name: add_events*!
-- What is told.
INSERT INTO events (id, type, subject, created_at, body)
VALUES (:id, :type, :subject, :created_at, :body);

-- name: add_deliveries*!
-- To whom it is told, and when.
INSERT INTO deliveries (event_id, endpoint_id, due_ms)
VALUES (:event_id, :endpoint_id, :due_ms);

-- name: events
-- What was told, oldest first, beginning after one.
SELECT
    position,
    id,
    body
FROM events
WHERE
    position > :after
    AND (:since IS NULL OR created_at >= :since)
    AND (:until IS NULL OR created_at < :until)
ORDER BY position
LIMIT :row_limit;

-- name: due_deliveries
-- What an endpoint is to get by now: in the order of events, or the other way round where it wants that.
SELECT
    dels.id,
    dels.endpoint_id,
    dels.attempts,
    evts.id AS event_id,
    evts.subject,
    evts.body
FROM deliveries AS dels
INNER JOIN events AS evts ON dels.event_id = evts.id
INNER JOIN endpoints AS ends ON dels.endpoint_id = ends.id
WHERE dels.endpoint_id = :endpoint_id AND dels.delivered_ms IS NULL AND dels.due_ms <= :now_ms
ORDER BY
    CASE WHEN ends.newest_first_within_ms > 0 THEN -evts.position ELSE evts.position END,
    dels.id
LIMIT :row_limit;

-- name: next_due_ms^
-- When something will be due that is not yet.
SELECT min(due_ms) AS due_ms
FROM deliveries
WHERE delivered_ms IS NULL AND due_ms > :now_ms;

-- name: attempted!
-- What became of an attempt.
UPDATE deliveries SET
    attempts = attempts + 1,
    last_outcome = :outcome,
    due_ms = :due_ms,
    delivered_ms = :delivered_ms
WHERE id = :id;
