-- Goals by the days of a place and with progress that comes of readings, and what proves of what a prediction was made.

-- derived_through is the place on the person's timeline up to which readings have become progress; absent before the first time.
ALTER TABLE vitals.user_health_goals
    ADD time_zone text NOT NULL DEFAULT 'UTC' CHECK (length(time_zone) BETWEEN 1 AND 64),
    ADD derived_through bigint;
CREATE INDEX user_health_goals_open ON vitals.user_health_goals (user_id, id DESC) WHERE status IN ('active', 'paused');
CREATE UNIQUE INDEX health_goal_progress_vital_key ON vitals.health_goal_progress (user_id, goal_id, vital_id) WHERE vital_id IS NOT NULL;
CREATE INDEX health_goal_progress_newest ON vitals.health_goal_progress (user_id, goal_id, recorded_at DESC, id DESC);
DROP INDEX vitals.health_goal_progress_of_goal;
GRANT UPDATE (value, recorded_at) ON vitals.health_goal_progress TO heartguard_vitals;

ALTER TABLE vitals.prediction_history
    ALTER features SET DEFAULT '{}',
    ADD inputs_sha256 bytea CONSTRAINT prediction_history_inputs CHECK (length(inputs_sha256) = 32),
    ADD calibrated_score numeric(6, 5) CONSTRAINT prediction_history_calibrated CHECK (calibrated_score BETWEEN 0 AND 1);
CREATE INDEX prediction_history_by_time ON vitals.prediction_history (user_id, predicted_at DESC, id DESC);
CREATE INDEX prediction_history_by_model ON vitals.prediction_history (user_id, model, predicted_at DESC, id DESC);

CREATE INDEX patient_records_by_time ON vitals.patient_records (user_id, recorded_at DESC, id DESC);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX vitals.patient_records_by_time, vitals.prediction_history_by_model, vitals.prediction_history_by_time;
ALTER TABLE vitals.prediction_history ALTER features DROP DEFAULT, DROP COLUMN inputs_sha256, DROP COLUMN calibrated_score;
REVOKE UPDATE (value, recorded_at) ON vitals.health_goal_progress FROM heartguard_vitals;
CREATE INDEX health_goal_progress_of_goal ON vitals.health_goal_progress (user_id, goal_id, recorded_at DESC);
DROP INDEX vitals.health_goal_progress_newest, vitals.health_goal_progress_vital_key, vitals.user_health_goals_open;
ALTER TABLE vitals.user_health_goals DROP COLUMN time_zone, DROP COLUMN derived_through;
