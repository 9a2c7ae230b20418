-- Readings that are corrected and retracted: what they said stays, and every change has a place among all of its person's.

-- How many changes there have been to what a person follows live. Who changes something takes the next numbers in the transaction that
-- does it and holds the row until the commit, so that the numbers come in the order of the commits; that some are left out does no harm.
CREATE TABLE vitals.timelines (
    user_id    uuid        PRIMARY KEY,
    position   bigint      NOT NULL CHECK (position > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.guard_rows('vitals.timelines');
CALL heartguard.stamp_updates('vitals.timelines');

-- status is FHIR's. changed_at is when the version began, if it is not the first. position is that of the last change; 0 for what was there
-- before positions were.
ALTER TABLE vitals.vitals
    ADD version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    ADD status text NOT NULL DEFAULT 'final' CHECK (status IN ('final', 'amended', 'corrected', 'entered_in_error')),
    ADD status_reason text NOT NULL DEFAULT '' CHECK (length(status_reason) <= 500),
    ADD changed_at timestamptz,
    ADD position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    ADD CONSTRAINT vitals_changed CHECK ((version > 1) = (changed_at IS NOT NULL) AND (version > 1) = (status <> 'final'));
CREATE INDEX vitals_by_position ON vitals.vitals (user_id, position) WHERE position > 0;

-- What a reading said before. Never changed.
CREATE TABLE vitals.observation_versions (
    user_id            uuid        NOT NULL,
    observation_id     uuid        NOT NULL,
    version            bigint      NOT NULL CHECK (version > 0),
    value              numeric,
    unit               text,
    components         jsonb,
    effective_at       timestamptz NOT NULL,
    utc_offset_minutes smallint    NOT NULL,
    status             text        NOT NULL,
    status_reason      text        NOT NULL,
    changed_at         timestamptz,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, observation_id, version),
    FOREIGN KEY (user_id, observation_id) REFERENCES vitals.vitals (user_id, id) ON DELETE CASCADE
);
CALL heartguard.guard_rows('vitals.observation_versions');
CALL heartguard.stamp_updates('vitals.observation_versions');

GRANT SELECT, INSERT, UPDATE ON vitals.timelines TO heartguard_vitals;
GRANT SELECT, INSERT ON vitals.observation_versions TO heartguard_vitals;
GRANT UPDATE (value, unit, components, effective_at, utc_offset_minutes, version, status, status_reason, changed_at, position)
    ON vitals.vitals TO heartguard_vitals;

-- Down ------------------------------------------------------------------------------------------------------------

REVOKE UPDATE (value, unit, components, effective_at, utc_offset_minutes, version, status, status_reason, changed_at, position)
    ON vitals.vitals FROM heartguard_vitals;
DROP TABLE vitals.observation_versions;
ALTER TABLE vitals.vitals
    DROP COLUMN version, DROP COLUMN status, DROP COLUMN status_reason, DROP COLUMN changed_at, DROP COLUMN position;
DROP TABLE vitals.timelines;
