-- name: offset_ms^
-- How far the provider's clock is ahead of the real one.
SELECT offset_ms FROM books;

-- name: books_id^
-- What tells these books from any others.
SELECT id FROM books;

-- name: begin_books!
-- The books' identity, once.
INSERT INTO books (id)
SELECT :id
WHERE NOT EXISTS (SELECT 1 FROM books);

-- name: set_offset_ms!
-- Move the provider's clock.
UPDATE books SET offset_ms = :offset_ms;

-- name: add_happenings*!
-- What time will bring. A day ends once.
INSERT INTO happenings (due_at, what, authorization_id, object_id, becomes, code)
VALUES (:due_at, :what, :authorization_id, :object_id, :becomes, :code)
ON CONFLICT DO NOTHING;

-- name: next_happening^
-- What comes to pass first.
SELECT
    position,
    due_at,
    what,
    authorization_id,
    object_id,
    becomes,
    code
FROM happenings
ORDER BY due_at, position
LIMIT 1;

-- name: strike_happening!
-- It has come to pass.
DELETE FROM happenings
WHERE position = :position;
