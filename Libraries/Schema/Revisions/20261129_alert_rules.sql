-- Rules that readings are judged by as they are recorded, and alerts that can be made again from the readings that they were made of.

-- A version of a rule judges the readings from since on and before judged_until; the one without that is the rule as it stands, and a rule
-- without one is deleted. Versions are kept: alerts name them. What follows seen_at is what the version has seen so far, so that a new reading
-- costs no look at the old ones.
CREATE TABLE vitals.alert_rules (
    user_id              uuid        NOT NULL,
    id                   uuid        NOT NULL,
    version              bigint      NOT NULL CHECK (version > 0),
    name                 text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    metric               text        NOT NULL CHECK (length(metric) BETWEEN 3 AND 16),
    component            text        CHECK (length(component) BETWEEN 3 AND 16),
    condition            text        NOT NULL CHECK (condition IN ('above', 'below')),
    threshold            numeric     NOT NULL,
    clear_at             numeric     NOT NULL,
    unit                 text        NOT NULL CHECK (length(unit) BETWEEN 1 AND 64),
    min_samples          integer     NOT NULL CHECK (min_samples BETWEEN 1 AND 100),
    min_duration_seconds integer     NOT NULL CHECK (min_duration_seconds BETWEEN 0 AND 3600),
    cooldown_seconds     integer     NOT NULL CHECK (cooldown_seconds BETWEEN 0 AND 604800),
    severity             text        NOT NULL CHECK (severity IN ('info', 'warning', 'high', 'critical')),
    enabled              boolean     NOT NULL,
    since                timestamptz NOT NULL,
    judged_until         timestamptz,
    seen_at              timestamptz,
    seen_id              uuid,
    phase                text        NOT NULL DEFAULT 'quiet' CHECK (phase IN ('quiet', 'gathering', 'firing')),
    run_started_at       timestamptz,
    run_started_id       uuid,
    run_count            integer,
    last_fired_at        timestamptz,
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id, version),
    CONSTRAINT alert_rules_hysteresis CHECK (CASE condition WHEN 'above' THEN clear_at < threshold ELSE clear_at > threshold END),
    CONSTRAINT alert_rules_run CHECK ((phase = 'gathering') = (run_started_at IS NOT NULL) AND (phase = 'gathering') = (run_started_id IS NOT NULL)
                                      AND (phase = 'gathering') = (run_count IS NOT NULL)),
    CONSTRAINT alert_rules_seen CHECK ((seen_at IS NULL) = (seen_id IS NULL))
);
CREATE UNIQUE INDEX alert_rules_standing ON vitals.alert_rules (user_id, id) WHERE judged_until IS NULL;
CREATE INDEX alert_rules_by_metric ON vitals.alert_rules (user_id, metric);
CALL heartguard.guard_rows('vitals.alert_rules');
CALL heartguard.stamp_updates('vitals.alert_rules');
GRANT SELECT, INSERT, UPDATE ON vitals.alert_rules TO heartguard_vitals;

-- Of alerts that rules make. fired_by is the reading that fired, which is vital_id too; started_… is the first of the run, previous_fired_at what the cool-down was
-- counted from, evidence_… the readings of the run in their order and the versions of them that were seen.
ALTER TABLE vitals.health_alerts
    ADD rule_id uuid,
    ADD rule_version bigint,
    ADD component text,
    ADD fired_by uuid,
    ADD started_at timestamptz,
    ADD started_id uuid,
    ADD previous_fired_at timestamptz,
    ADD evidence_ids uuid[],
    ADD evidence_versions bigint[],
    ADD cleared_at timestamptz,
    ADD cleared_id uuid,
    ADD cleared_version bigint,
    ADD withdrawn_at timestamptz,
    ADD resolved_by text CHECK (resolved_by IN ('person', 'readings')),
    ADD position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    ADD CONSTRAINT health_alerts_evidence CHECK (
        (rule_id IS NULL) = (rule_version IS NULL) AND (rule_id IS NULL) = (fired_by IS NULL) AND
        (rule_id IS NULL) = (started_at IS NULL) AND (rule_id IS NULL) = (started_id IS NULL)
        AND (rule_id IS NULL) = (evidence_ids IS NULL) AND (rule_id IS NULL) = (evidence_versions IS NULL)
        AND coalesce(cardinality(evidence_ids) = cardinality(evidence_versions), true)
        AND (cleared_at IS NULL) = (cleared_id IS NULL) AND (cleared_at IS NULL) = (cleared_version IS NULL));
-- One reading, whose id the service made, fires a version of a rule once, whoever judges it and however often.
CREATE UNIQUE INDEX health_alerts_fired_key ON vitals.health_alerts (fired_by, rule_id, rule_version) WHERE rule_id IS NOT NULL;
CREATE INDEX health_alerts_of_rule ON vitals.health_alerts (user_id, rule_id, rule_version, triggered_at) WHERE rule_id IS NOT NULL;
CREATE INDEX health_alerts_by_position ON vitals.health_alerts (user_id, position) WHERE position > 0;

-- Down ------------------------------------------------------------------------------------------------------------

ALTER TABLE vitals.health_alerts
    DROP CONSTRAINT health_alerts_evidence,
    DROP COLUMN rule_id, DROP COLUMN rule_version, DROP COLUMN component, DROP COLUMN fired_by, DROP COLUMN started_at, DROP COLUMN started_id,
    DROP COLUMN previous_fired_at, DROP COLUMN evidence_ids, DROP COLUMN evidence_versions, DROP COLUMN cleared_at, DROP COLUMN cleared_id,
    DROP COLUMN cleared_version, DROP COLUMN withdrawn_at, DROP COLUMN resolved_by, DROP COLUMN position;
DROP TABLE vitals.alert_rules;
