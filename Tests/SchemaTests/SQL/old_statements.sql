-- What code of a revision may send, made from the catalog of that revision: each role's inserts into each of its tables with every
-- column that there is, as they are and ON CONFLICT of every unique key, and its selects, updates and deletes of all of them.
--
-- Run at one revision with `phase=record`, when each is tried and one row a table is kept, and at the next with `phase=repeat`, when
-- each is tried again and what comes out otherwise is printed.

\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only true
SET client_min_messages = warning;
SELECT :'phase' = 'record' AS records \gset

\if :records
BEGIN;
DROP SCHEMA IF EXISTS old CASCADE;
CREATE SCHEMA old;

-- What a value has to be is the constraints' affair, which are compared by the catalog; here rows are made up by type.
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS name, conname FROM pg_constraint JOIN pg_class t ON t.oid = conrelid
             WHERE t.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('users', 'vitals', 'chat', 'vectors'))
               AND contype IN ('c', 'f', 'x') AND coninhcount = 0 ORDER BY contype = 'c' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname);
    END LOOP;
END
$$;

CREATE FUNCTION old.made_up(attribute text, type text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN attribute = 'user_id' THEN 'current_setting(''heartguard.user_id'')::uuid'
        WHEN attribute = 'starts_at' THEN 'now()' WHEN attribute = 'ends_at' THEN 'now() + interval ''1 hour'''
        ELSE CASE type
            WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'text' THEN 'md5(random()::text)' WHEN 'boolean' THEN 'false'
            WHEN 'jsonb' THEN '''{}''' WHEN 'bytea' THEN 'sha256(gen_random_uuid()::text::bytea)' WHEN 'date' THEN 'current_date'
            WHEN 'time without time zone' THEN '''12:00''' WHEN 'timestamp with time zone' THEN 'clock_timestamp()'
            WHEN 'smallint' THEN '1' WHEN 'integer' THEN '1' WHEN 'bigint' THEN '(random() * 1000000000)::bigint + 1'
            WHEN 'numeric' THEN '0.5' WHEN 'double precision' THEN '1' WHEN 'text[]' THEN '''{}''' WHEN 'smallint[]' THEN '''{}''' ELSE 'NULL' END
        END
$$;

-- Runs a statement as a role that works for a person. How many rows it touched, or its SQLSTATE. Undone unless it is to be kept.
CREATE FUNCTION old.attempt(role text, statement text, keeps boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
    -- A person is registered once, and has one timeline and one part of an import.
    person text := CASE WHEN keeps OR statement !~ '^INSERT INTO (users\.users|vitals\.timelines|vitals\.import_parts) ' THEN '00000000-0000-7000-8000-00000000000a'
                        ELSE '00000000-0000-7000-8000-00000000000b' END;
BEGIN
    PERFORM set_config('heartguard.user_id', person, true), set_config('role', role, true);
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    PERFORM set_config('role', 'none', true);
    IF NOT keeps THEN RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = touched::text; END IF;
    RETURN touched || ' rows';
EXCEPTION
    WHEN SQLSTATE 'ZZ001' THEN RETURN SQLERRM || ' rows';
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

CREATE TABLE old.statements (id integer GENERATED ALWAYS AS IDENTITY, role text, statement text, outcome text);

CREATE TEMP TABLE columns AS
    SELECT c.oid, c.oid::regclass AS name, 'heartguard_' || n.nspname AS role, a.attnum, a.attname, a.attgenerated = '' AND a.attidentity <> 'a' AS takes_values,
           -- The person of users.users is its id.
           old.made_up(CASE WHEN c.oid::regclass::text = 'users.users' AND a.attname = 'id' THEN 'user_id' ELSE a.attname END, format_type(a.atttypid, NULL)) AS value
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors') AND c.relkind IN ('r', 'p') AND NOT c.relispartition;

CREATE TEMP TABLE inserts AS
    SELECT oid, role, format('INSERT INTO %s (%s) VALUES (%s)', name, string_agg(quote_ident(attname), ', ' ORDER BY attnum), string_agg(value, ', ' ORDER BY attnum)) AS statement
    FROM columns WHERE takes_values AND has_column_privilege(role, oid, attnum, 'INSERT') GROUP BY oid, name, role;

-- One row a table stays, where the role may write one.
INSERT INTO old.statements (role, statement, outcome)
    SELECT role, statement, old.attempt(role, statement, oid::regclass::text NOT IN ('users.users', 'vitals.timelines', 'vitals.import_parts') OR NOT EXISTS (SELECT FROM users.users))
    FROM inserts;
INSERT INTO old.statements (role, statement)
    SELECT i.role, format('%s ON CONFLICT (%s)%s DO NOTHING', i.statement,
                          (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, false), ', ' ORDER BY k) FROM generate_series(1, x.indnkeyatts) AS k),
                          ' WHERE ' || pg_get_expr(x.indpred, x.indrelid))
    FROM inserts i JOIN pg_index x ON x.indrelid = i.oid AND x.indisunique
    UNION ALL
    SELECT role, format('SELECT %s FROM %s', string_agg(quote_ident(attname), ', ' ORDER BY attnum), name)
    FROM columns WHERE has_column_privilege(role, oid, attnum, 'SELECT') GROUP BY oid, name, role
    UNION ALL
    SELECT role, format('UPDATE %s SET %s', name, string_agg(format('%I = %1$I', attname), ', ' ORDER BY attnum))
    FROM columns WHERE takes_values AND has_column_privilege(role, oid, attnum, 'UPDATE') GROUP BY oid, name, role
    UNION ALL
    SELECT DISTINCT role, format('DELETE FROM %s', name) FROM columns WHERE has_table_privilege(role, oid, 'DELETE');

UPDATE old.statements SET outcome = old.attempt(role, statement, false) WHERE outcome IS NULL;
COMMIT;
SELECT count(*) || ' statements' FROM old.statements;
SELECT format('%s: %s: %s', role, outcome, statement) FROM old.statements WHERE outcome NOT LIKE '% rows' ORDER BY id;
\else
SELECT format('%s: %s, then %s: %s', role, outcome, now, statement)
    FROM (SELECT id, role, statement, outcome, old.attempt(role, statement, false) AS now FROM old.statements) AS tried
    WHERE now IS DISTINCT FROM outcome
      -- A revision may bring rows of its own, which are nobody's; then there are more of them.
      AND NOT (statement ~ '^(SELECT .* FROM|UPDATE|DELETE FROM) (vitals\.drug_(interactions|names)|vectors\.(collections|aliases)|users\.providers)\M' AND outcome LIKE '% rows' AND now LIKE '% rows'
               AND split_part(now, ' ', 1)::bigint > split_part(outcome, ' ', 1)::bigint)
    ORDER BY id;
\endif
