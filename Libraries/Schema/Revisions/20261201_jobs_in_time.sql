-- A job of the database that takes longer than it is given is recorded as failed, and none is run before its time.

-- Runs one job that has a slot behind it which was not run, once however many were missed, and returns what it ran; whoever calls it calls again until
-- there is none. Any number of callers may call it at any time: a job is run by the one that has its advisory lock, the others pass it over.
-- A job that fails is recorded with its SQLSTATE and is not tried again before its next slot; so is one that takes all the time that its caller's
-- statement_timeout gives it, or it would be tried again each minute, and those behind it never.
CREATE OR REPLACE FUNCTION heartguard.run_due_jobs(called_by text, at timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (job text, slot timestamptz, missed_slots integer, outcome text, sql_state text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    due record;
    began timestamptz;
    allowed interval;
BEGIN
    -- A slot that is still to come would be taken for run when it does.
    IF at IS NULL OR at > clock_timestamp() THEN
        RAISE EXCEPTION 'no job is due before its time' USING ERRCODE = 'invalid_parameter_value';
    END IF;
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
        EXCEPTION
            -- OTHERS does not mean it. Whoever calls off a job that has time left leaves it due.
            WHEN query_canceled THEN
                SELECT s.setting::bigint * interval '1 millisecond' INTO STRICT allowed FROM pg_settings s WHERE s.name = 'statement_timeout';
                IF allowed = interval '0' OR clock_timestamp() - statement_timestamp() < allowed - interval '1 second' THEN
                    RAISE;
                END IF;
                outcome := 'failed';
                sql_state := SQLSTATE;
            WHEN OTHERS THEN
                outcome := 'failed';
                sql_state := SQLSTATE;
        END;
        INSERT INTO heartguard.job_runs (job, slot, runner, missed_slots, outcome, sql_state, started_at)
            VALUES (due.name, run_due_jobs.slot, called_by, run_due_jobs.missed_slots, run_due_jobs.outcome, run_due_jobs.sql_state, began);
        RETURN NEXT;
        EXIT;
    END LOOP;
    DELETE FROM heartguard.job_runs r WHERE r.slot < at - interval '90 days';
END
$$;

-- Down ------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION heartguard.run_due_jobs(called_by text, at timestamptz DEFAULT clock_timestamp())
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
        EXIT;
    END LOOP;
    DELETE FROM heartguard.job_runs r WHERE r.slot < at - interval '90 days';
END
$$;
