-- Memory and retrieval at size: HNSW indexes with chosen parameters, GIN on the metadata, memories in four hash partitions,
-- statistics in materialized views, and the jobs that keep them fresh.

CREATE INDEX vector_medical_knowledge_metadata ON vectors.vector_medical_knowledge USING gin (metadata jsonb_path_ops);
CREATE INDEX vector_drug_interactions_metadata ON vectors.vector_drug_interactions USING gin (metadata jsonb_path_ops);
CREATE INDEX vector_symptoms_conditions_metadata ON vectors.vector_symptoms_conditions USING gin (metadata jsonb_path_ops);
CREATE INDEX medical_text_768_metadata ON vectors.medical_text_768 USING gin (metadata jsonb_path_ops);
CREATE INDEX medical_images_1152_metadata ON vectors.medical_images_1152 USING gin (metadata jsonb_path_ops);
CREATE INDEX documents_metadata ON vectors.documents USING gin (metadata jsonb_path_ops);
CREATE INDEX patient_memories_metadata ON chat.patient_memories USING gin (metadata jsonb_path_ops);

-- A person's memories are in one partition. The rows that are there move into it; the owner is held to the policies too, so
-- the old table is opened to it first.
ALTER TABLE vectors.vector_user_memories RENAME TO vector_user_memories_unparted;
ALTER TABLE vectors.vector_user_memories_unparted NO FORCE ROW LEVEL SECURITY;
CREATE TABLE vectors.vector_user_memories (LIKE vectors.vector_user_memories_unparted INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    PARTITION BY HASH (user_id);
DO $$
BEGIN
    FOR part IN 0..3 LOOP
        EXECUTE format('CREATE TABLE vectors.%I PARTITION OF vectors.vector_user_memories FOR VALUES WITH (MODULUS 4, REMAINDER %s)',
                       'vector_user_memories_' || part, part);
        EXECUTE format('CALL heartguard.seal_partition(%L)', 'vectors.vector_user_memories_' || part);
    END LOOP;
END
$$;
INSERT INTO vectors.vector_user_memories SELECT * FROM vectors.vector_user_memories_unparted;
DROP TABLE vectors.vector_user_memories_unparted;
ALTER TABLE vectors.vector_user_memories ADD CONSTRAINT vector_user_memories_pkey PRIMARY KEY (user_id, id);
CREATE INDEX vector_user_memories_by_position ON vectors.vector_user_memories (user_id, position, id);
CREATE INDEX vector_user_memories_metadata ON vectors.vector_user_memories USING gin (metadata jsonb_path_ops);
CALL heartguard.guard_rows('vectors.vector_user_memories');
CALL heartguard.stamp_updates('vectors.vector_user_memories');
GRANT SELECT, INSERT, UPDATE ON vectors.vector_user_memories TO heartguard_vectors;

-- m = 16 links a node and 200 candidates while building, instead of the extension's 16 and 64: a better graph, built once.
DO $$
DECLARE
    operators text := (SELECT format('%I.vector_cosine_ops', n.nspname) FROM pg_extension e
                       JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
    target text;
BEGIN
    IF operators IS NULL OR NOT EXISTS (
        SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = 'vectors.vector_user_memories'::regclass AND a.attname = 'embedding' AND t.typname = 'vector') THEN
        RETURN;
    END IF;
    FOREACH target IN ARRAY ARRAY['vector_medical_knowledge', 'vector_drug_interactions', 'vector_symptoms_conditions', 'vector_user_memories'] LOOP
        EXECUTE format('DROP INDEX IF EXISTS vectors.%I', target || '_nearest');
        EXECUTE format('CREATE INDEX %I ON vectors.%I USING hnsw (embedding %s) WITH (m = 16, ef_construction = 200)',
                       target || '_nearest', target, operators);
    END LOOP;
END
$$;

-- Statistics -----------------------------------------------------------------------------------------------------

-- Refreshing runs as the owner, who is held to the policy; within a refresh it sees the table.
CREATE POLICY statistics ON vectors.vector_user_memories FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'statistics');

-- By collection, and by table with its schema in front; no collection has a dot in its name.
CREATE MATERIALIZED VIEW vectors.mv_vector_collection_stats AS
    SELECT name AS collection, dimension, document_count, NULL::bigint AS deleted_count, position, updated_at AS last_changed_at
    FROM vectors.collections
    UNION ALL
    SELECT t.name, t.dimension, count(d.position) FILTER (WHERE d.deleted_at IS NULL),
           count(d.position) FILTER (WHERE d.deleted_at IS NOT NULL), coalesce(max(d.position), 0), max(d.updated_at)
    FROM (VALUES ('vectors.vector_medical_knowledge', 384), ('vectors.vector_drug_interactions', 384),
                 ('vectors.vector_symptoms_conditions', 384), ('vectors.vector_user_memories', 384),
                 ('vectors.medical_text_768', 768), ('vectors.medical_images_1152', 1152)) AS t (name, dimension)
    LEFT JOIN (
        SELECT 'vectors.vector_medical_knowledge' AS name, position, deleted_at, updated_at FROM vectors.vector_medical_knowledge
        UNION ALL SELECT 'vectors.vector_drug_interactions', position, deleted_at, updated_at FROM vectors.vector_drug_interactions
        UNION ALL SELECT 'vectors.vector_symptoms_conditions', position, deleted_at, updated_at FROM vectors.vector_symptoms_conditions
        UNION ALL SELECT 'vectors.vector_user_memories', position, deleted_at, updated_at FROM vectors.vector_user_memories
        UNION ALL SELECT 'vectors.medical_text_768', position, deleted_at, updated_at FROM vectors.medical_text_768
        UNION ALL SELECT 'vectors.medical_images_1152', position, deleted_at, updated_at FROM vectors.medical_images_1152
    ) AS d ON d.name = t.name
    GROUP BY t.name, t.dimension;
CREATE UNIQUE INDEX mv_vector_collection_stats_key ON vectors.mv_vector_collection_stats (collection);
GRANT SELECT ON vectors.mv_vector_collection_stats TO heartguard_vectors;

CREATE MATERIALIZED VIEW vectors.mv_user_memory_stats AS
    SELECT user_id, count(*) FILTER (WHERE deleted_at IS NULL) AS memory_count, max(position) AS position,
           coalesce(sum(length(content)), 0) AS content_characters, min(created_at) AS first_memory_at, max(updated_at) AS last_changed_at
    FROM vectors.vector_user_memories GROUP BY user_id;
CREATE UNIQUE INDEX mv_user_memory_stats_key ON vectors.mv_user_memory_stats (user_id);
-- A materialized view has no row-level security, so the role reads its person's row through a view that has the condition.
CREATE VIEW vectors.user_memory_stats WITH (security_barrier) AS
    SELECT user_id, memory_count, position, content_characters, first_memory_at, last_changed_at FROM vectors.mv_user_memory_stats
    WHERE user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid);
GRANT SELECT ON vectors.user_memory_stats TO heartguard_vectors;

CREATE FUNCTION vectors.refresh_statistics() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'statistics', true);
    REFRESH MATERIALIZED VIEW CONCURRENTLY vectors.mv_vector_collection_stats;
    REFRESH MATERIALIZED VIEW CONCURRENTLY vectors.mv_user_memory_stats;
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION vectors.refresh_statistics FROM PUBLIC;

-- Jobs -----------------------------------------------------------------------------------------------------------

-- What is done by the clock. A job's slots are its times: offset_from_midnight UTC, and every interval from there on.
CREATE TABLE heartguard.jobs (
    name       text        PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    every      interval    NOT NULL CHECK (every >= interval '1 minute' AND every <= interval '1 day'),
    phase      interval    NOT NULL DEFAULT '0' CHECK (phase >= interval '0' AND phase < interval '1 day'),
    is_enabled boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.stamp_updates('heartguard.jobs');

-- One row a slot that was run, which is what keeps a slot from being run twice. missed_slots were passed over before it:
-- nobody ran the job then, and this run makes up for all of them.
CREATE TABLE heartguard.job_runs (
    job          text        NOT NULL REFERENCES heartguard.jobs (name) ON DELETE CASCADE,
    slot         timestamptz NOT NULL,
    runner       text        NOT NULL CHECK (length(runner) BETWEEN 1 AND 64),
    missed_slots integer     NOT NULL DEFAULT 0 CHECK (missed_slots >= 0),
    outcome      text        NOT NULL CHECK (outcome IN ('done', 'failed')),
    sql_state    text,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, slot)
);
CALL heartguard.stamp_updates('heartguard.job_runs');

INSERT INTO heartguard.jobs (name, every, phase) VALUES
    ('refresh_statistics', '1 hour', '0'), ('analyze', '1 day', '3 hours'), ('device_timeseries_partitions', '1 day', '2 hours');

CREATE FUNCTION heartguard.perform_job(job text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    target regclass;
BEGIN
    CASE job
    WHEN 'refresh_statistics' THEN
        PERFORM vectors.refresh_statistics();
    WHEN 'analyze' THEN
        FOR target IN SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname IN ('users', 'vitals', 'chat', 'vectors') AND c.relkind IN ('r', 'p', 'm') LOOP
            EXECUTE format('ANALYZE %s', target);
        END LOOP;
    WHEN 'device_timeseries_partitions' THEN
        -- A year ahead; samples are kept for three years.
        PERFORM vitals.make_device_timeseries_partitions((now() AT TIME ZONE 'UTC')::date, 13);
        PERFORM vitals.retire_device_timeseries_partitions(date_trunc('month', now()) - interval '36 months');
    ELSE
        RAISE EXCEPTION 'there is no such job' USING ERRCODE = 'invalid_parameter_value';
    END CASE;
END
$$;
REVOKE ALL ON FUNCTION heartguard.perform_job FROM PUBLIC;

-- Runs every job that has a slot behind it which was not run, once however many were missed, and returns what it ran. Any
-- number of callers may call it at any time: a job is run by the one that has its advisory lock, the others pass it over.
-- A job that fails is recorded with its SQLSTATE and is not tried again before its next slot.
CREATE FUNCTION heartguard.run_due_jobs(called_by text, at timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (job text, slot timestamptz, missed_slots integer, outcome text, sql_state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    due record;
    began timestamptz;
BEGIN
    FOR due IN SELECT j.name, j.every, j.phase, j.created_at FROM heartguard.jobs j WHERE j.is_enabled ORDER BY j.name LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended('heartguard.job.' || due.name, 0));
        job := due.name;
        slot := date_bin(due.every, at, timestamptz '2026-01-01 00:00:00+00' + due.phase);
        -- Before its first slot there is nothing to make up for.
        CONTINUE WHEN slot <= due.created_at;
        CONTINUE WHEN EXISTS (SELECT FROM heartguard.job_runs r WHERE r.job = due.name AND r.slot >= run_due_jobs.slot);
        SELECT greatest(0, round(extract(epoch FROM run_due_jobs.slot - greatest(
                   max(r.slot), date_bin(due.every, due.created_at, timestamptz '2026-01-01 00:00:00+00' + due.phase)))
                   / extract(epoch FROM due.every)) - 1)
            INTO missed_slots FROM heartguard.job_runs r WHERE r.job = due.name;
        began := clock_timestamp();
        outcome := 'done';
        sql_state := NULL;
        BEGIN
            PERFORM heartguard.perform_job(due.name);
        EXCEPTION WHEN OTHERS THEN
            outcome := 'failed';
            sql_state := SQLSTATE;
        END;
        INSERT INTO heartguard.job_runs (job, slot, runner, missed_slots, outcome, sql_state, started_at)
            VALUES (due.name, run_due_jobs.slot, called_by, run_due_jobs.missed_slots, run_due_jobs.outcome, run_due_jobs.sql_state, began);
        RETURN NEXT;
    END LOOP;
    DELETE FROM heartguard.job_runs r WHERE r.slot < at - interval '90 days';
END
$$;
REVOKE ALL ON FUNCTION heartguard.run_due_jobs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heartguard.run_due_jobs TO heartguard_vectors;
GRANT SELECT ON heartguard.jobs, heartguard.job_runs TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

-- Has pg_cron call it every minute, where this database has the extension and the owner may use it; says whether it does.
-- The Vectors service calls it too: whoever comes second finds nothing to do.
CREATE FUNCTION heartguard.schedule_jobs() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') OR NOT has_schema_privilege('cron', 'USAGE') THEN
        RETURN false;
    END IF;
    PERFORM cron.schedule('heartguard-jobs', '* * * * *', $job$SELECT heartguard.run_due_jobs('pg_cron')$job$);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION heartguard.schedule_jobs FROM PUBLIC;
SELECT heartguard.schedule_jobs();

-- Down ------------------------------------------------------------------------------------------------------------

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') AND has_schema_privilege('cron', 'USAGE') THEN
        PERFORM cron.unschedule(jobid) FROM cron.job WHERE jobname = 'heartguard-jobs';
    END IF;
END
$$;
DROP FUNCTION heartguard.schedule_jobs, heartguard.run_due_jobs, heartguard.perform_job;
DROP TABLE heartguard.job_runs, heartguard.jobs;
DROP FUNCTION vectors.refresh_statistics;
DROP VIEW vectors.user_memory_stats;
DROP MATERIALIZED VIEW vectors.mv_user_memory_stats, vectors.mv_vector_collection_stats;
DROP INDEX vectors.vector_medical_knowledge_metadata, vectors.vector_drug_interactions_metadata,
    vectors.vector_symptoms_conditions_metadata, vectors.medical_text_768_metadata, vectors.medical_images_1152_metadata,
    vectors.documents_metadata, chat.patient_memories_metadata;

DROP POLICY statistics ON vectors.vector_user_memories;
ALTER TABLE vectors.vector_user_memories RENAME TO vector_user_memories_parted;
ALTER TABLE vectors.vector_user_memories_parted NO FORCE ROW LEVEL SECURITY;
CREATE TABLE vectors.vector_user_memories (LIKE vectors.vector_user_memories_parted INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO vectors.vector_user_memories SELECT * FROM vectors.vector_user_memories_parted;
DROP TABLE vectors.vector_user_memories_parted;
ALTER TABLE vectors.vector_user_memories ADD CONSTRAINT vector_user_memories_pkey PRIMARY KEY (user_id, id);
CREATE INDEX vector_user_memories_by_position ON vectors.vector_user_memories (user_id, position, id);
DO $$
DECLARE
    operators text := (SELECT format('%I.vector_cosine_ops', n.nspname) FROM pg_extension e
                       JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
    target text;
BEGIN
    IF operators IS NULL OR to_regclass('vectors.vector_medical_knowledge_nearest') IS NULL THEN
        RETURN;
    END IF;
    FOREACH target IN ARRAY ARRAY['vector_medical_knowledge', 'vector_drug_interactions', 'vector_symptoms_conditions', 'vector_user_memories'] LOOP
        EXECUTE format('DROP INDEX IF EXISTS vectors.%I', target || '_nearest');
        EXECUTE format('CREATE INDEX %I ON vectors.%I USING hnsw (embedding %s)', target || '_nearest', target, operators);
    END LOOP;
END
$$;
CALL heartguard.guard_rows('vectors.vector_user_memories');
CALL heartguard.stamp_updates('vectors.vector_user_memories');
GRANT SELECT, INSERT, UPDATE ON vectors.vector_user_memories TO heartguard_vectors;
