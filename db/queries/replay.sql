-- Dead letters on their way back. One transaction for each: lock, move, mark, note in the audit log.

-- name: open_dead_letters
-- The ids of dead letters that were not replayed, oldest first.
SELECT d.dead_letter_id
FROM dead_letters AS d
WHERE d.replayed_at IS NULL AND (:reason::text IS NULL OR d.reason = :reason)
ORDER BY d.dead_letter_id;

-- name: lock_dead_letter^
-- A dead letter, and what became of its message; nobody else replays it meanwhile.
SELECT d.*, i.outcome, i.key
FROM dead_letters AS d
LEFT JOIN inbox AS i ON i.tenant = d.tenant AND i.source = d.source AND i.event_id = d.event_id
WHERE d.dead_letter_id = :dead_letter_id
FOR UPDATE OF d;

-- name: revive!
-- A dead message is parked again.
UPDATE inbox
SET outcome = 'parked', detail = :detail
WHERE tenant = :tenant AND source = :source AND event_id = :event_id AND outcome = 'dead';

-- name: park_again!
-- To the end of its key's queue, due now.
INSERT INTO parked (tenant, topic, key, source, event_id, reason, detail, tries, parked_at, due_at)
VALUES (:tenant, :topic, :key, :source, :event_id, :reason, :detail, 0, clock_timestamp(), clock_timestamp());

-- name: mark_replayed!
-- This dead letter, and all others of the same message, need nobody any more.
UPDATE dead_letters
SET replayed_at = clock_timestamp()
WHERE replayed_at IS NULL AND (
    dead_letter_id = :dead_letter_id
    OR (tenant = :tenant::text AND source = :source::text AND event_id = :event_id::text)
);

-- name: note!
-- Who did it.
INSERT INTO audit_log (tenant, actor, action, object_type, object_id, detail)
VALUES (:tenant, :actor, :action, :object_type, :object_id, :detail);
