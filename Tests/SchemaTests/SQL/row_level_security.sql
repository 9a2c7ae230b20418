-- What a role may do to a person's rows, for every table × command × role, by pgTAP.
--
-- Everything is read from the catalog, so a table that is new is tested too. A table is a person's if it has a user_id (and
-- users.users, whose id it is); a table that is nobody's has to be named here.

\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only true
SET client_min_messages = warning;
CREATE EXTENSION pgtap;
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW service_roles AS
    SELECT service, 'heartguard_' || service AS role FROM unnest(ARRAY['users', 'vitals', 'chat', 'vectors']) AS service;

CREATE TEMP TABLE shared_tables (name regclass);
INSERT INTO shared_tables VALUES ('users.outbox'), ('users.providers'), ('users.provider_availability'), ('vitals.drug_interactions'), ('vitals.drug_names'), ('vitals.drug_classes'),
    ('vectors.collections'), ('vectors.aliases'), ('vectors.documents'), ('vectors.medical_text_768'), ('vectors.medical_images_1152'),
    ('vectors.vector_medical_knowledge'), ('vectors.vector_drug_interactions'), ('vectors.vector_symptoms_conditions'), ('vitals.outbox'), ('chat.outbox'), ('vectors.outbox'),
    ('users.job_effects'), ('vitals.job_effects'), ('chat.job_effects'), ('vectors.job_effects'),
    ('users.sign_in_attempts'), ('users.erasures'), ('users.erasure_counts'), ('vitals.erasure_counts'), ('chat.erasure_counts'), ('vectors.erasure_counts');

CREATE TEMP VIEW tables AS
    SELECT c.oid::regclass AS name, n.nspname AS service, c.relrowsecurity, c.relforcerowsecurity,
           CASE WHEN c.oid = 'users.users'::regclass THEN 'id'
                WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped) THEN 'user_id' END AS person
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN service_roles s ON s.service = n.nspname
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition;

-- What holds of every table ----------------------------------------------------------------------------------------

SELECT ok(count(*) >= 40, 'the schemas have their tables: ' || count(*)) FROM tables;
SELECT ok(relrowsecurity AND relforcerowsecurity, name || ' has row-level security that holds for its owner too')
    FROM tables WHERE person IS NOT NULL;
SELECT ok(name IN (SELECT s.name FROM shared_tables s), name || ' is known to be nobody''s') FROM tables WHERE person IS NULL;
SELECT ok(EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid WHERE t.tgrelid = name AND f.proname = 'set_updated_at'
                  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = name AND a.attname = 'updated_at')),
          name || ' says when a row was changed') FROM tables;
SELECT ok(EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = name AND c.contype = 'p'), name || ' has a primary key') FROM tables;
-- A person's rows are found, and deleted, by the person.
SELECT ok(EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = name AND a.attnum = i.indkey[0]
                  WHERE i.indrelid = name AND a.attname = person AND i.indpred IS NULL), name || ' has an index that begins with ' || person)
    FROM tables WHERE person IS NOT NULL;
-- An index for each foreign key, so that deleting what is referred to reads no whole table.
SELECT ok(EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND
                  (SELECT array_agg(k ORDER BY k) FROM unnest((string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(c.conkey)]) AS k)
                  = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) AS k)),
          c.conrelid::regclass || '.' || c.conname || ' has an index')
    FROM pg_constraint c JOIN tables t ON t.name = c.conrelid
    WHERE c.contype = 'f' AND (c.confdeltype <> 'a' OR c.confrelid = c.conrelid);

SELECT ok(c.relrowsecurity AND c.relforcerowsecurity AND c.relacl IS NULL
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid), c.oid::regclass || ' is reached through its parent alone')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN service_roles s ON s.service = n.nspname
    WHERE c.relispartition AND c.relkind = 'r';

-- Erasing and exports find what is a person's by the user_id of a service's tables. Whatever else names a person by its columns has to be named here, and
-- docs/decisions/erasure.md and exports.md have to say what becomes of it.
CREATE TEMP TABLE named_elsewhere (relation regclass, attribute name);
INSERT INTO named_elsewhere VALUES ('heartguard.audit_log', 'user_id'), ('heartguard.audit_log', 'actor_id'), ('users.audit_log', 'actor_id'),
    ('users.care_grants', 'clinician_id'), ('users.care_grants', 'clinician_email'),
    ('vectors.mv_user_memory_stats', 'user_id'), ('vectors.user_memory_stats', 'user_id');
CREATE TEMP TABLE own_tables (name regclass);
INSERT INTO own_tables VALUES ('heartguard.schema_migrations'), ('heartguard.schema_catalog'), ('heartguard.jobs'), ('heartguard.job_runs'),
    ('heartguard.revocations'), ('heartguard.export_omissions'), ('heartguard.audit_log'), ('heartguard.audit_retention'),
    ('heartguard.audit_archives'), ('heartguard.audit_bases');
SELECT ok(EXISTS (SELECT FROM named_elsewhere e WHERE e.relation = c.oid AND e.attribute = a.attname),
          format('it is known that %s.%s names a person whose row it is not', c.oid::regclass, a.attname))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors', 'heartguard') AND c.relkind IN ('r', 'p', 'm', 'v', 'f') AND NOT c.relispartition
      AND a.attname ~ '(^|_)(user|person|patient|clinician|actor|account|owner|member)_(id|ids|email)$'
      AND NOT EXISTS (SELECT FROM tables t WHERE t.name = c.oid AND t.person = a.attname);
SELECT ok(EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = attribute), format('%s.%s is there', relation, attribute))
    FROM named_elsewhere;
SELECT ok(c.oid IN (SELECT o.name FROM own_tables o), c.oid::regclass || ' is known, which erasing and exports do not look at')
    FROM pg_class c WHERE c.relnamespace = 'heartguard'::regnamespace AND c.relkind IN ('r', 'p');

-- The roles ---------------------------------------------------------------------------------------------------------

SELECT ok(NOT (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication), role || ' has no power of its own')
    FROM (SELECT role FROM service_roles UNION ALL SELECT 'heartguard_owner') AS roles JOIN pg_roles r ON r.rolname = role;
SELECT is(count(c.oid), 0::bigint, role || ' owns nothing')
    FROM service_roles LEFT JOIN pg_class c ON pg_get_userbyid(c.relowner) = role GROUP BY role;
SELECT ok(has_schema_privilege(role, s.service, 'USAGE') = (s.service = r.service), role || ' and the schema ' || s.service)
    FROM service_roles r CROSS JOIN (SELECT service FROM service_roles) AS s;
SELECT ok(NOT has_schema_privilege(role, n.nspname, 'CREATE'), role || ' makes nothing in ' || n.nspname)
    FROM service_roles CROSS JOIN pg_namespace n WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors', 'heartguard');
SELECT ok(NOT has_table_privilege(role, name, privilege), format('%s has no right to %s %s', role, privilege, name))
    FROM service_roles, tables, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege WHERE service_roles.service = tables.service;
SELECT ok(NOT has_table_privilege(role, name, 'SELECT, INSERT, UPDATE, DELETE'), format('%s has no right to %s', role, name))
    FROM service_roles JOIN tables ON service_roles.service <> tables.service;

-- What drugs are called and which classes they are of is the operator's to say.
SELECT ok(has_table_privilege('heartguard_vitals', name, 'SELECT') AND NOT has_any_column_privilege('heartguard_vitals', name, 'INSERT, UPDATE')
          AND NOT has_table_privilege('heartguard_vitals', name, 'DELETE'), name || ' is read and not written')
    FROM unnest(ARRAY['vitals.drug_names', 'vitals.drug_classes']) AS name;

-- Table × command × role --------------------------------------------------------------------------------------------

-- Policies don't depend on what else a row has to be, so rows are made up by the types of their columns.
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS name, conname FROM pg_constraint JOIN tables ON tables.name = conrelid
             WHERE contype IN ('c', 'f', 'x') AND coninhcount = 0 ORDER BY contype = 'c' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.name, c.conname);
    END LOOP;
END
$$;

-- Nor on the rows that a row brings with it in another table.
ALTER TABLE vitals.device_timeseries DISABLE TRIGGER stale_rollups_by_insert;

CREATE FUNCTION pg_temp.insertion(target regclass, person_column text, person uuid) RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO %s (%s) VALUES (%s)', target, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
        string_agg(CASE
            WHEN a.attname = person_column THEN quote_literal(person)
            WHEN a.attname = 'starts_at' THEN 'now()' WHEN a.attname = 'ends_at' THEN 'now() + interval ''1 hour'''
            ELSE CASE format_type(a.atttypid, NULL)
                WHEN 'uuid' THEN 'gen_random_uuid()' WHEN 'text' THEN 'md5(random()::text)' WHEN 'boolean' THEN 'false'
                WHEN 'jsonb' THEN '''{}''' WHEN 'bytea' THEN 'sha256(gen_random_uuid()::text::bytea)' WHEN 'date' THEN 'current_date'
                WHEN 'time without time zone' THEN '''12:00''' WHEN 'timestamp with time zone' THEN 'now()'
                WHEN 'smallint' THEN '1' WHEN 'integer' THEN '1' WHEN 'bigint' THEN '(random() * 1000000000)::bigint + 1'
                WHEN 'numeric' THEN '0.5' WHEN 'double precision' THEN '1' WHEN 'smallint[]' THEN '''{}''' ELSE 'NULL' END
            END, ', ' ORDER BY a.attnum))
    FROM pg_attribute a
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attnotnull AND NOT a.atthasdef
$$;

-- Runs a statement as a role that works for a person and undoes it. How many rows it touched, or its SQLSTATE.
CREATE FUNCTION pg_temp.attempt(role text, person text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
BEGIN
    PERFORM set_config('heartguard.user_id', person, true);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE statement;
    GET DIAGNOSTICS touched = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ001', MESSAGE = touched::text;
EXCEPTION
    WHEN SQLSTATE 'ZZ001' THEN RETURN SQLERRM || ' rows';
    WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;

\set ada '00000000-0000-7000-8000-00000000000a'
\set bob '00000000-0000-7000-8000-00000000000b'
\set eve '00000000-0000-7000-8000-00000000000e'
SELECT set_config('test.ada', :'ada', true), set_config('test.bob', :'bob', true) \g /dev/null

-- Ada and Bob have one row in every table, and Eve none yet.
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT name, person FROM tables WHERE person IS NOT NULL LOOP
        EXECUTE pg_temp.insertion(t.name, t.person, current_setting('test.ada')::uuid);
        EXECUTE pg_temp.insertion(t.name, t.person, current_setting('test.bob')::uuid);
    END LOOP;
END
$$;

CREATE TEMP TABLE attempts AS
    SELECT t.name, t.person, r.role, command, has_schema_privilege(r.role, t.service, 'USAGE') AND has_table_privilege(r.role, t.name, command) AS allowed,
           CASE command WHEN 'SELECT' THEN format('SELECT 1 FROM %s', t.name) WHEN 'DELETE' THEN format('DELETE FROM %s', t.name)
                        WHEN 'UPDATE' THEN format('UPDATE %s SET %I = %2$I', t.name, t.person)
                        WHEN 'INSERT' THEN pg_temp.insertion(t.name, t.person, :'eve') END AS own,
           CASE command WHEN 'INSERT' THEN :'eve' ELSE :'ada' END AS actor
    FROM tables t CROSS JOIN (SELECT role FROM service_roles UNION ALL SELECT 'heartguard_owner') AS r
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS command
    WHERE t.person IS NOT NULL;

SELECT is(pg_temp.attempt(role, actor, own), '42501', format('%s may not %s %s', role, command, name)) FROM attempts WHERE NOT allowed;
SELECT is(pg_temp.attempt(role, actor, own), '1 rows', format('%s may %s in %s what is of whom it works for', role, command, name)) FROM attempts WHERE allowed;
SELECT is(pg_temp.attempt(role, '', own), CASE command WHEN 'INSERT' THEN '42501' ELSE '0 rows' END,
          format('%s may %s nothing in %s when it works for nobody', role, command, name)) FROM attempts WHERE allowed;
SELECT is(pg_temp.attempt(role, :'ada', pg_temp.insertion(name, person, :'bob')), '42501', format('%s adds nothing to %s for others', role, name))
    FROM attempts WHERE allowed AND command = 'INSERT';
SELECT is(pg_temp.attempt(role, :'ada', format('UPDATE %s SET %I = %L', name, person, :'bob')), '42501', format('%s gives no row of %s away', role, name))
    FROM attempts WHERE allowed AND command = 'UPDATE';
SELECT is(pg_temp.attempt(role, :'ada', format('SELECT 1 FROM %s WHERE %I = %L', name, person, :'bob')), '0 rows', format('%s sees nobody else in %s', role, name))
    FROM attempts WHERE allowed AND command = 'SELECT';

-- What opens a table to the owner's own functions opens it to nobody else.
SELECT set_config('heartguard.task', task, true), is(pg_temp.attempt(role, :'ada', own), '1 rows', format('%s has no use of the task %s', role, task))
    FROM attempts, unnest(ARRAY['bookings', 'holds', 'push_tokens', 'statistics', 'erasures', 'archiving', 'memory_expiry', 'exports', 'imports', 'answers', 'forgetting', 'operators']) AS task
    WHERE allowed AND command = 'SELECT' AND role <> 'heartguard_owner'
      AND name IN ('users.appointments'::regclass, 'users.push_devices'::regclass, 'vectors.vector_user_memories'::regclass, 'users.users'::regclass,
                   'chat.chat_sessions'::regclass, 'chat.chat_messages'::regclass, 'chat.session_archives'::regclass, 'users.exports'::regclass, 'users.imports'::regclass,
                   'users.idempotency_keys'::regclass, 'users.sessions'::regclass, 'users.refresh_tokens'::regclass);
SELECT set_config('heartguard.task', '', true) \g /dev/null

-- Exports: what is a person's is told, whole and to the person alone, or is left out for a reason that is on record -----

CREATE TEMP VIEW told AS
    SELECT t.name, t.person, r.role, t.service, c.relname AS relation, EXISTS (
               SELECT FROM heartguard.export_omissions o WHERE o.relation = t.service || '.' || c.relname AND o.attribute = '') AS omitted
    FROM tables t JOIN pg_class c ON c.oid = t.name JOIN service_roles r ON r.service = t.service WHERE t.person IS NOT NULL;
SELECT is(pg_temp.attempt(role, :'ada', format('SELECT 1 FROM heartguard.export_rows(%L, %L, NULL, 10, 1000)', service, relation)),
          CASE WHEN omitted THEN '0 rows' ELSE '1 rows' END, name || ' is told, the rows of one person, or left out') FROM told;
SELECT is(pg_temp.attempt(role, :'ada', format('SELECT 1 FROM heartguard.exported_tables(%L) WHERE relation = %L', service, relation)), '1 rows',
          name || ' is among those that an export describes') FROM told;
SELECT is(pg_temp.attempt(role, '', format('SELECT 1 FROM heartguard.export_rows(%L, %L, NULL, 10, 1000)', service, relation)), '0 rows',
          name || ' is told to nobody when nobody is worked for') FROM told;
SELECT is(pg_temp.attempt(role, :'ada', format('SELECT 1 FROM (SELECT place FROM heartguard.export_rows(%L, %L, NULL, 10, 1000)) AS row
    CROSS JOIN LATERAL heartguard.export_rows(%1$L, %2$L, row.place::jsonb, 10, 1000)', service, relation)), '0 rows',
          'nothing of ' || name || ' is told behind its last row') FROM told;
SELECT ok(EXISTS (SELECT FROM heartguard.export_omissions o
                  WHERE o.relation = t.service || '.' || t.relation AND o.attribute IN ('', a.attname)),
          format('%s.%s sounds like a secret and is left out', t.name, a.attname))
    FROM told t JOIN pg_attribute a ON a.attrelid = t.name
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ 'password|token|secret|private|credential';
SELECT ok(EXISTS (SELECT FROM told t WHERE t.service || '.' || t.relation = o.relation
                  AND (o.attribute = '' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.name AND a.attname = o.attribute AND NOT a.attisdropped))),
          format('what is left out is there: %s %s', o.relation, o.attribute)) FROM heartguard.export_omissions o;
SELECT ok(format('%s.%s', t.service, t.relation) = 'users.users' OR (
              SELECT a.attname FROM pg_constraint p JOIN pg_attribute a ON a.attrelid = t.name AND a.attnum = p.conkey[1]
              WHERE p.conrelid = t.name AND p.contype = 'p') = 'user_id', 'the key of ' || t.name || ' begins with the person, so pages of it are ranges')
    FROM told t;

-- The plan: the identity is evaluated once a statement, in an InitPlan, and no filter calls a function for every row.
CREATE FUNCTION pg_temp.plan_of(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RESET ROLE;
    RETURN plan;
END
$$;
SELECT ok(plan ~ 'InitPlan' AND plan !~ '(Filter|Cond): [^\n]*current_setting', format('%s reads the identity once for a %s of %s', role, command, name))
    FROM (SELECT *, pg_temp.plan_of(role, own) AS plan FROM attempts WHERE allowed AND command IN ('SELECT', 'UPDATE', 'DELETE') AND role <> 'heartguard_owner') AS planned;

-- Erasing -----------------------------------------------------------------------------------------------------------

-- Ada's account is closed, Bob's is not. A service removes what is Ada's from every table that it has, and nothing else.
SELECT gen_random_uuid() AS erasure \gset
INSERT INTO users.erasures (id, requested_by) VALUES (:'erasure', 'user');
UPDATE users.users SET erasure_id = :'erasure' WHERE id = :'ada';

CREATE FUNCTION pg_temp.erase(service text, person text, erasure text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
    total bigint := 0;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', 'heartguard_' || service);
    PERFORM set_config('heartguard.user_id', person, true);
    LOOP
        EXECUTE format('SELECT coalesce(removed, 0) FROM %I.erase_rows(%L, 1)', service, erasure) INTO removed;
        EXIT WHEN removed = 0;
        total := total + removed;
    END LOOP;
    RESET ROLE;
    RETURN total;
END
$$;
CREATE FUNCTION pg_temp.rows_of(target regclass, person_column text, person text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE %I = %L', target, person_column, person) INTO n;
    RETURN n;
END
$$;

SELECT is(has_function_privilege(r.role, format('%I.erase_rows(uuid, integer)', s.service), 'EXECUTE'), s.service = r.service,
          format('%s and the erasing of %s', r.role, s.service)) FROM service_roles r CROSS JOIN service_roles s;
SELECT is(pg_temp.attempt(role, :'bob', format('SELECT * FROM %I.erase_rows(%L, 1)', service, :'erasure')), '42501',
          role || ' erases nobody whose account stands') FROM service_roles;
SELECT is(pg_temp.erase(service, :'ada', :'erasure'),
          (SELECT count(*) FROM tables t WHERE t.service = s.service AND person = 'user_id' AND name <> 'users.audit_log'::regclass),
          service || ' erases a row of each of its tables') FROM service_roles s;
SELECT is(pg_temp.erase(service, :'ada', :'erasure'), 0::bigint, service || ' has nothing left to erase') FROM service_roles;
SELECT is(pg_temp.rows_of(name, person, :'ada'), CASE WHEN name IN ('users.audit_log'::regclass, 'users.users'::regclass) THEN 1 ELSE 0 END::bigint,
          name || ' after the erasure') FROM tables WHERE person IS NOT NULL;
SELECT is(pg_temp.rows_of(name, person, :'bob'), 1::bigint, name || ' still has what is somebody else''s') FROM tables WHERE person IS NOT NULL;
SELECT is(removed, 1::bigint, 'what was removed from ' || relation || ' is counted')
    FROM (SELECT relation, removed FROM users.erasure_counts UNION ALL SELECT relation, removed FROM vitals.erasure_counts
          UNION ALL SELECT relation, removed FROM chat.erasure_counts UNION ALL SELECT relation, removed FROM vectors.erasure_counts) AS counts;

SELECT * FROM finish();
ROLLBACK;
