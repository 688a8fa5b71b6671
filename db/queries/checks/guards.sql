-- Laws 8 and 9: what the database itself must refuse.
-- Each statement gives one row, a sentence, for everything that breaks its law; see ops/checks/rules.py.

-- name: missing_guards
-- Triggers that are not there, not enabled for every session, replicas' included, or other than the
-- migrations wrote them: `kinds` are pg_trigger.tgtype, `columns` to how many a trigger is limited.
-- And on the same tables, rules, and triggers that are not `known`.
WITH written AS (
    SELECT k.*, to_regclass(k.guarded) AS oid
    FROM unnest(
        :tables::text[], :triggers::text[], :functions::text[], :kinds::smallint[], :columns::integer[]
    ) AS k (guarded, guard, function, kind, columns)
)

SELECT
    format(
        'trigger %s on %s is %s', k.guard, k.guarded,
        CASE t.tgenabled
            WHEN 'A' THEN 'not as the migrations wrote it: ' || pg_get_triggerdef(t.oid)
            WHEN 'D' THEN 'disabled'
            WHEN 'O' THEN 'off in replica sessions'
            WHEN 'R' THEN 'on in replica sessions only'
            ELSE 'missing'
        END
    ) AS offender
FROM written AS k
LEFT JOIN pg_trigger AS t ON t.tgrelid = k.oid AND t.tgname = k.guard
WHERE t.tgenabled IS DISTINCT FROM 'A' OR t.tgqual IS NOT NULL
    OR (t.tgfoid, t.tgtype, coalesce(array_length(t.tgattr, 1), 0))
    IS DISTINCT FROM (to_regproc('public.' || k.function)::oid, k.kind, k.columns)
UNION ALL
SELECT format('trigger %s on %s is not of the migrations', t.tgname, t.tgrelid::regclass)
FROM pg_trigger AS t
WHERE NOT t.tgisinternal AND t.tgrelid IN (SELECT k.oid FROM written AS k)
    AND t.tgname <> all(:known::text[])
UNION ALL
SELECT format('rule %s on %s is not of the migrations', r.rulename, r.ev_class::regclass)
FROM pg_rewrite AS r
WHERE r.ev_class IN (SELECT k.oid FROM written AS k);

-- name: rewritten_guards
-- Guards' functions that do not read as the migrations wrote them.
SELECT
    format('function %s is %s', k.guard, CASE WHEN p.prosrc IS NULL THEN 'missing' ELSE 'rewritten' END)
        AS offender
FROM unnest(:names::text[], :bodies::text[]) AS k (guard, body)
LEFT JOIN pg_proc AS p ON p.proname = k.guard AND p.pronamespace = 'public'::regnamespace
WHERE p.prosrc IS DISTINCT FROM k.body;

-- name: excessive_rights
-- Rights by which the application or the readers could rewrite history.
-- `columns` are those that the application may update all the same.
WITH history AS (
    SELECT k.history, to_regclass(k.history) AS oid, string_to_array(k.columns, ' ') AS columns
    FROM unnest(:tables::text[], :columns::text[]) AS k (history, columns)
)

SELECT format('%s may %s %s', r.rolname, w.what, h.history) AS offender
FROM history AS h
CROSS JOIN pg_roles AS r
CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS w (what)
WHERE r.rolname = any(:roles::text[]) AND has_table_privilege(r.oid, h.oid, w.what)
UNION ALL
SELECT format('%s may UPDATE %s of %s', r.rolname, c.attname, h.history)
FROM history AS h
INNER JOIN pg_attribute AS c ON c.attrelid = h.oid AND c.attnum > 0 AND NOT c.attisdropped
CROSS JOIN pg_roles AS r
WHERE r.rolname = any(:roles::text[]) AND c.attname <> all(h.columns)
    AND has_column_privilege(r.oid, h.oid, c.attnum, 'UPDATE')
    AND NOT has_table_privilege(r.oid, h.oid, 'UPDATE')
UNION ALL
SELECT format('%s is missing', h.history) FROM history AS h WHERE h.oid IS NULL
UNION ALL
SELECT format('%s is owned by %s, not by %s', h.history, t.relowner::regrole, :owner::text)
FROM history AS h
INNER JOIN pg_class AS t ON t.oid = h.oid
WHERE t.relowner::regrole::text <> :owner::text
UNION ALL
SELECT format('%s is a superuser, or may act as %s', r.rolname, :owner::text)
FROM pg_roles AS r
WHERE r.rolname = any(:roles::text[]) AND (r.rolsuper OR pg_has_role(r.oid, :owner::text, 'MEMBER'))
UNION ALL
SELECT format('%s may log in', r.rolname) FROM pg_roles AS r WHERE r.rolname = :owner::text AND r.rolcanlogin;
