-- Whether what belongs together is together, as `NAME COUNT` with the number of rows that are wrong. \gexec runs what a query
-- makes.

-- Every foreign key, row by row: a copy of the files (point in time) is not checked by anybody else.
SELECT format(
    'SELECT %L, count(*) FROM ONLY %s c WHERE %s AND NOT EXISTS (SELECT FROM ONLY %s p WHERE %s)',
    conrelid::regclass || '.' || conname, conrelid::regclass, given, confrelid::regclass, matched)
FROM pg_constraint
CROSS JOIN LATERAL (
    SELECT string_agg(format('c.%I IS NOT NULL', child.attname), ' AND ') AS given,
        string_agg(format('p.%I = c.%I', parent.attname, child.attname), ' AND ') AS matched
    FROM unnest(conkey, confkey) AS pair (child, parent)
    JOIN pg_attribute child ON child.attrelid = conrelid AND child.attnum = pair.child
    JOIN pg_attribute parent ON parent.attrelid = confrelid AND parent.attnum = pair.parent) columns
WHERE contype = 'f'
ORDER BY 1
\gexec

SELECT 'constraints_not_validated', count(*) FROM pg_constraint WHERE NOT convalidated;
SELECT 'indexes_not_valid', count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready;

-- A sequence behind its table gives out numbers that are taken.
SELECT format(
    'SELECT %L, (SELECT coalesce(max(%I), 0) FROM %s) > (SELECT last_value FROM %s)',
    attrelid::regclass || '.' || attname || '_sequence', attname, attrelid::regclass, pg_get_serial_sequence(attrelid::regclass::text, attname))
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
WHERE attidentity <> '' AND relkind = 'r'
ORDER BY 1
\gexec

SELECT 'executions_without_workflow', count(*) FROM workflow_executions WHERE workflow_id IS NULL;
SELECT 'executions_ended_without_a_time', count(*) FROM workflow_executions
    WHERE completed_at IS NULL AND status IN ('succeeded', 'failed', 'superseded', 'cancelled');
SELECT 'executions_open_with_an_end', count(*) FROM workflow_executions
    WHERE completed_at IS NOT NULL AND status IN ('queued', 'running', 'parked');
SELECT 'executions_succeeded_without_steps', count(*) FROM workflow_executions e
    WHERE status = 'succeeded' AND NOT EXISTS (SELECT FROM execution_steps s WHERE s.execution_id = e.id);
SELECT 'effects_done_without_a_place', count(*) FROM execution_effects WHERE state = 'done' AND remote_id IS NULL AND remote_url IS NULL;
SELECT 'budgets_below_zero', count(*) FROM budget_reservations WHERE reserved < 0 OR spent < 0;
SELECT 'migrations_that_failed', count(*) FROM _sqlx_migrations WHERE NOT success;
