-- Series of devices: what each is called and counted by, corrections of samples, and rollups that are never stale to a reader.

-- A correction has a higher revision than what it corrects, so that the order in which the two come makes no difference.
ALTER TABLE vitals.device_timeseries ADD revision integer NOT NULL DEFAULT 0 CONSTRAINT device_timeseries_revision CHECK (revision >= 0);
GRANT UPDATE (value, revision) ON vitals.device_timeseries TO heartguard_vitals;

-- What a device measures, made by its first samples. code and unit are LOINC's and UCUM's; a channel has neither. Who appends holds the row
-- until the commit.
CREATE TABLE vitals.device_series (
    user_id       uuid        NOT NULL,
    device_id     uuid        NOT NULL,
    metric_type   text        NOT NULL,
    code          text        CHECK (length(code) BETWEEN 3 AND 16),
    unit          text        CHECK (length(unit) BETWEEN 1 AND 64),
    last_sequence bigint      NOT NULL CHECK (last_sequence >= 0),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, device_id, metric_type),
    FOREIGN KEY (user_id, device_id) REFERENCES vitals.user_devices (user_id, id),
    CONSTRAINT device_series_coded CHECK ((code IS NULL) = (unit IS NULL))
);
CALL heartguard.stamp_updates('vitals.device_series');

-- What the samples of an hour or a day of UTC were, for every one that has samples. A row that is stale says nothing but that there are some:
-- whoever adds or corrects samples makes the rows of their hours and days stale in the same transaction, and holds them until it commits.
-- That their device is there, the samples' own key sees to.
-- total is exact and does not depend on the order of the samples, so that totals of hours add up to those of days.
CREATE TABLE vitals.device_rollups (
    user_id      uuid             NOT NULL,
    device_id    uuid             NOT NULL,
    metric_type  text             NOT NULL,
    hours        smallint         NOT NULL CHECK (hours IN (1, 24)),
    starts_at    timestamptz      NOT NULL,
    is_stale     boolean          NOT NULL DEFAULT true,
    sample_count bigint           NOT NULL DEFAULT 0 CHECK (sample_count >= 0),
    total        numeric,
    least        double precision,
    greatest     double precision,
    last_at      timestamptz,
    created_at   timestamptz      NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz      NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, device_id, metric_type, hours, starts_at)
);
CREATE INDEX device_rollups_stale ON vitals.device_rollups (user_id, device_id, metric_type, hours, starts_at) WHERE is_stale;
-- For the end of their keeping.
CREATE INDEX device_rollups_by_time ON vitals.device_rollups (starts_at);
CALL heartguard.stamp_updates('vitals.device_rollups');

-- Runs with the rights of whoever adds the samples, whatever program that is. Rows are held in one order by all.
CREATE FUNCTION vitals.stale_device_rollups() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO vitals.device_rollups AS known (user_id, device_id, metric_type, hours, starts_at)
    SELECT DISTINCT c.user_id, c.device_id, c.metric_type, w.hours,
           date_bin(make_interval(hours => w.hours), c."timestamp", timestamptz '1970-01-01 00:00:00+00')
    FROM changed c CROSS JOIN (VALUES (1::smallint), (24::smallint)) AS w (hours)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (user_id, device_id, metric_type, hours, starts_at) DO UPDATE SET is_stale = true;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION vitals.stale_device_rollups FROM PUBLIC;
CREATE TRIGGER stale_rollups_by_insert AFTER INSERT ON vitals.device_timeseries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION vitals.stale_device_rollups();
CREATE TRIGGER stale_rollups_by_update AFTER UPDATE ON vitals.device_timeseries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION vitals.stale_device_rollups();

-- What is there already. The policies hide the rows from their owner.
ALTER TABLE vitals.device_timeseries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE vitals.user_devices NO FORCE ROW LEVEL SECURITY;
INSERT INTO vitals.device_series (user_id, device_id, metric_type, last_sequence)
SELECT t.user_id, t.device_id, t.metric_type, max(t.sequence)
FROM vitals.device_timeseries t JOIN vitals.user_devices d ON d.user_id = t.user_id AND d.id = t.device_id
GROUP BY t.user_id, t.device_id, t.metric_type;
INSERT INTO vitals.device_rollups (user_id, device_id, metric_type, hours, starts_at)
SELECT DISTINCT t.user_id, t.device_id, t.metric_type, w.hours,
       date_bin(make_interval(hours => w.hours), t."timestamp", timestamptz '1970-01-01 00:00:00+00')
FROM vitals.device_timeseries t JOIN vitals.device_series s USING (user_id, device_id, metric_type)
CROSS JOIN (VALUES (1::smallint), (24::smallint)) AS w (hours);
ALTER TABLE vitals.user_devices FORCE ROW LEVEL SECURITY;
ALTER TABLE vitals.device_timeseries FORCE ROW LEVEL SECURITY;

CALL heartguard.guard_rows('vitals.device_series');
CALL heartguard.guard_rows('vitals.device_rollups');
GRANT SELECT, INSERT, UPDATE ON vitals.device_series, vitals.device_rollups TO heartguard_vitals;

-- How long samples are kept: as many months as the database's setting heartguard.samples_kept_months says, and at least two.
CREATE FUNCTION vitals.samples_kept() RETURNS interval LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT make_interval(months => greatest(2, coalesce(nullif(current_setting('heartguard.samples_kept_months', true), '')::integer, 36)))
$$;
REVOKE ALL ON FUNCTION vitals.samples_kept FROM PUBLIC;

-- The owner is held to the policies too; while it retires samples it sees what is old, and no more.
CREATE POLICY retirement ON vitals.device_timeseries TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'retirement');
CREATE POLICY retirement ON vitals.device_rollups TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'retirement');

-- Drops the partitions of months that ended before an instant, removes what the default partition and the rollups hold of the time before the
-- end of the last whole month before it, and returns how many partitions it dropped. Refuses one of the last thirty days.
CREATE OR REPLACE FUNCTION vitals.retire_device_timeseries_partitions(ended_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    partition regclass;
    retired integer := 0;
    oldest timestamptz := date_trunc('month', ended_before, 'UTC');
BEGIN
    IF ended_before IS NULL OR ended_before > now() - interval '30 days' THEN
        RAISE EXCEPTION 'samples are kept for thirty days at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR partition IN
        SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'vitals.device_timeseries'::regclass AND c.relname ~ '^device_timeseries_\d{4}_\d{2}$'
          AND (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= ended_before
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', partition);
        retired := retired + 1;
    END LOOP;
    PERFORM set_config('heartguard.task', 'retirement', true);
    DELETE FROM vitals.device_timeseries WHERE "timestamp" < oldest;
    DELETE FROM vitals.device_rollups WHERE starts_at < oldest;
    PERFORM set_config('heartguard.task', '', true);
    RETURN retired;
END
$$;

CREATE OR REPLACE FUNCTION heartguard.perform_job(job text) RETURNS void
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
        -- A year ahead.
        PERFORM vitals.make_device_timeseries_partitions((now() AT TIME ZONE 'UTC')::date, 13);
        PERFORM vitals.retire_device_timeseries_partitions(date_trunc('month', now(), 'UTC') - vitals.samples_kept());
    ELSE
        RAISE EXCEPTION 'there is no such job' USING ERRCODE = 'invalid_parameter_value';
    END CASE;
END
$$;

-- Down ------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION heartguard.perform_job(job text) RETURNS void
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
CREATE OR REPLACE FUNCTION vitals.retire_device_timeseries_partitions(ended_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    partition regclass;
    retired integer := 0;
BEGIN
    IF ended_before IS NULL OR ended_before > now() - interval '30 days' THEN
        RAISE EXCEPTION 'samples are kept for thirty days at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR partition IN
        SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'vitals.device_timeseries'::regclass AND c.relname ~ '^device_timeseries_\d{4}_\d{2}$'
          AND (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= ended_before
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', partition);
        retired := retired + 1;
    END LOOP;
    RETURN retired;
END
$$;
DROP POLICY retirement ON vitals.device_timeseries;
DROP FUNCTION vitals.samples_kept;
DROP TRIGGER stale_rollups_by_insert ON vitals.device_timeseries;
DROP TRIGGER stale_rollups_by_update ON vitals.device_timeseries;
DROP TABLE vitals.device_rollups, vitals.device_series;
DROP FUNCTION vitals.stale_device_rollups;
REVOKE UPDATE (value, revision) ON vitals.device_timeseries FROM heartguard_vitals;
ALTER TABLE vitals.device_timeseries DROP COLUMN revision;
