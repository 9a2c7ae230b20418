-- What pg_cron ran is told too, by whichever replica of Vectors comes first: its misses and failures stood in the record alone.

ALTER TABLE heartguard.job_runs ADD COLUMN reported_at timestamptz;
-- What was run before is no news.
UPDATE heartguard.job_runs SET reported_at = finished_at;
GRANT UPDATE (reported_at) ON heartguard.job_runs TO heartguard_vectors;

-- Down ------------------------------------------------------------------------------------------------------------

ALTER TABLE heartguard.job_runs DROP COLUMN reported_at;
