-- The number of rows of each table, as `rows NAME COUNT`. \gexec runs what the query makes.
SELECT format('SELECT %L, %L, count(*) FROM ONLY %s', 'rows', c.oid::regclass, c.oid::regclass)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY c.oid::regclass::text COLLATE "C"
\gexec
