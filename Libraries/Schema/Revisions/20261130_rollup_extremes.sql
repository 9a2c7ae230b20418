-- When within an hour a series was least and when greatest, so that a plot of a long time is made of hours and not of samples.

-- Not known of days, of what was rolled up before, and of what code of before has rolled up since: whoever adds samples takes them away with
-- whatever code, and that code does not fill them in. Who reads rolls such an hour up once more.
ALTER TABLE vitals.device_rollups ADD least_at timestamptz, ADD greatest_at timestamptz;
DROP INDEX vitals.device_rollups_stale;
CREATE INDEX device_rollups_stale ON vitals.device_rollups (user_id, device_id, metric_type, hours, starts_at)
    WHERE is_stale OR (hours = 1 AND least_at IS NULL AND sample_count > 0);

CREATE OR REPLACE FUNCTION vitals.stale_device_rollups() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO vitals.device_rollups AS known (user_id, device_id, metric_type, hours, starts_at)
    SELECT DISTINCT c.user_id, c.device_id, c.metric_type, w.hours,
           date_bin(make_interval(hours => w.hours), c."timestamp", timestamptz '1970-01-01 00:00:00+00')
    FROM changed c CROSS JOIN (VALUES (1::smallint), (24::smallint)) AS w (hours)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (user_id, device_id, metric_type, hours, starts_at) DO UPDATE SET is_stale = true, least_at = NULL, greatest_at = NULL;
    RETURN NULL;
END
$$;

-- Down ------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION vitals.stale_device_rollups() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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
DROP INDEX vitals.device_rollups_stale;
ALTER TABLE vitals.device_rollups DROP COLUMN least_at, DROP COLUMN greatest_at;
CREATE INDEX device_rollups_stale ON vitals.device_rollups (user_id, device_id, metric_type, hours, starts_at) WHERE is_stale;
