-- The core of every context: one schema and one role per service, row-level security from the first day.
--
-- The roles exist already (the cluster's bootstrap makes them); heartguard_owner runs this and owns everything,
-- a service's role owns nothing and sees its own schema alone. Keys of personal data begin with user_id: it is the column
-- that the data would be distributed by. An id of another context is a plain column without a foreign key.

GRANT USAGE ON SCHEMA heartguard TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;
GRANT SELECT ON heartguard.schema_migrations TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

CREATE FUNCTION heartguard.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

-- Every table calls this: each change of a row says when.
CREATE PROCEDURE heartguard.stamp_updates(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at()', target);
END
$$;

-- Every table with a person's rows calls this: they are the person's alone. FORCE subjects the owner to the policy too.
-- The policy reads the identity inside a scalar sub-select, so that it is evaluated once per statement (an InitPlan).
CREATE PROCEDURE heartguard.guard_rows(target regclass, person name DEFAULT 'user_id') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (%I = (SELECT nullif(current_setting(''heartguard.user_id'', true), '''')::uuid))',
        target, person);
END
$$;

-- A partition is reached through its parent alone: it has no policy and no grant of its own.
CREATE PROCEDURE heartguard.seal_partition(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
END
$$;

REVOKE ALL ON PROCEDURE heartguard.stamp_updates, heartguard.guard_rows, heartguard.seal_partition FROM PUBLIC;

-- Users -----------------------------------------------------------------------------------------------------------

CREATE SCHEMA users;
GRANT USAGE ON SCHEMA users TO heartguard_users;

CREATE TABLE users.users (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL CONSTRAINT users_email_key UNIQUE
                              CONSTRAINT users_email_normalised CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    name          text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    password_hash text        NOT NULL,
    phone         text        CHECK (length(phone) <= 32),
    avatar_url    text        CHECK (length(avatar_url) <= 2048),
    birth_date    date,
    sex           text        CHECK (sex IN ('female', 'male', 'other', 'unknown')),
    time_zone     text        NOT NULL DEFAULT 'UTC',
    role          text        NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'operator')),
    version       bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.guard_rows('users.users', 'id');
CALL heartguard.stamp_updates('users.users');
-- Signing in begins with an address and no identity: exactly the row of that address can be read.
CREATE POLICY log_in ON users.users FOR SELECT
    USING (email = (SELECT nullif(current_setting('heartguard.login_email', true), '')));

-- A signed-in session; its access tokens carry its id, its refresh tokens belong to it.
CREATE TABLE users.sessions (
    user_id    uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id         uuid        NOT NULL,
    ended_at   timestamptz,
    end_reason text        CHECK (end_reason IN ('log_out', 'refresh_reuse')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CALL heartguard.guard_rows('users.sessions');
CALL heartguard.stamp_updates('users.sessions');

-- Good for one use each. Only the SHA-256 of a token is kept.
CREATE TABLE users.refresh_tokens (
    user_id    uuid        NOT NULL,
    digest     bytea       NOT NULL CHECK (length(digest) = 32),
    session_id uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, digest),
    FOREIGN KEY (user_id, session_id) REFERENCES users.sessions (user_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_of_session ON users.refresh_tokens (user_id, session_id);
CALL heartguard.guard_rows('users.refresh_tokens');
CALL heartguard.stamp_updates('users.refresh_tokens');

CREATE TABLE users.emergency_contacts (
    user_id      uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id           uuid        NOT NULL,
    name         text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    relationship text        NOT NULL CHECK (relationship IN ('spouse', 'partner', 'parent', 'child', 'sibling', 'relative',
                                                              'friend', 'guardian', 'caregiver', 'physician', 'other')),
    phone        text        NOT NULL CHECK (length(phone) BETWEEN 3 AND 32),
    email        text        CHECK (length(email) BETWEEN 3 AND 254),
    is_primary   boolean     NOT NULL DEFAULT false,
    notify       boolean     NOT NULL DEFAULT true,
    notes        text        CHECK (length(notes) <= 2000),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX emergency_contacts_primary_key ON users.emergency_contacts (user_id) WHERE is_primary;
CALL heartguard.guard_rows('users.emergency_contacts');
CALL heartguard.stamp_updates('users.emergency_contacts');

CREATE TABLE users.notifications (
    user_id      uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id           uuid        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('health_alert', 'appointment_reminder', 'medication_reminder',
                                                      'goal', 'message', 'security', 'system')),
    channel      text        NOT NULL CHECK (channel IN ('push', 'email', 'sms', 'in_app')),
    priority     text        NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'critical')),
    title        text        NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    body         text        NOT NULL DEFAULT '' CHECK (length(body) <= 4000),
    payload      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
    status       text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'delivered', 'failed', 'cancelled')),
    -- A second notification for the same reason is refused.
    dedupe_key   text        CHECK (length(dedupe_key) BETWEEN 1 AND 200),
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error   text        CHECK (length(last_error) <= 1000),
    scheduled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at      timestamptz,
    read_at      timestamptz,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT notifications_dedupe_key UNIQUE (user_id, dedupe_key),
    CONSTRAINT notifications_sent_at CHECK (status NOT IN ('sent', 'delivered') OR sent_at IS NOT NULL)
);
CALL heartguard.guard_rows('users.notifications');
CALL heartguard.stamp_updates('users.notifications');

-- What other contexts have to learn, written in the transaction that it tells of. It names ids and holds nothing personal,
-- so the dispatcher reads all of it.
CREATE TABLE users.outbox (
    id           uuid        PRIMARY KEY,
    topic        text        NOT NULL CHECK (topic ~ '^[a-z][a-z0-9_.]{0,63}$'),
    aggregate_id uuid        NOT NULL,
    payload      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error   text        CHECK (length(last_error) <= 1000),
    available_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.stamp_updates('users.outbox');

-- Who did what to a person's data. Each row holds the hash of the one before it, so that none can be changed or taken
-- away unseen; the role can add and read and nothing else.
CREATE TABLE users.audit_log (
    user_id       uuid        NOT NULL,
    sequence      bigint      NOT NULL CHECK (sequence > 0),
    actor_id      uuid,
    actor_kind    text        NOT NULL CHECK (actor_kind IN ('user', 'operator', 'service', 'system')),
    action        text        NOT NULL CHECK (action ~ '^[a-z][a-z0-9_.]{0,63}$'),
    resource      text        NOT NULL CHECK (length(resource) BETWEEN 1 AND 200),
    resource_id   text        CHECK (length(resource_id) BETWEEN 1 AND 200),
    outcome       text        NOT NULL CHECK (outcome IN ('allowed', 'denied', 'failed')),
    request_id    text        CHECK (length(request_id) <= 128),
    details       jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    previous_hash bytea       NOT NULL CHECK (length(previous_hash) = 32),
    hash          bytea       NOT NULL CHECK (length(hash) = 32),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, sequence)
);
CALL heartguard.guard_rows('users.audit_log');
CALL heartguard.stamp_updates('users.audit_log');

GRANT SELECT, INSERT, UPDATE ON users.users, users.sessions, users.refresh_tokens, users.notifications, users.outbox TO heartguard_users;
GRANT SELECT, INSERT, UPDATE, DELETE ON users.emergency_contacts TO heartguard_users;
GRANT DELETE ON users.refresh_tokens, users.outbox TO heartguard_users;
GRANT SELECT, INSERT ON users.audit_log TO heartguard_users;

-- Vitals ----------------------------------------------------------------------------------------------------------

CREATE SCHEMA vitals;
GRANT USAGE ON SCHEMA vitals TO heartguard_vitals;

CREATE TABLE vitals.user_devices (
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    device_type   text        NOT NULL CHECK (device_type IN ('watch', 'glucose_monitor', 'blood_pressure_monitor',
                                                              'pulse_oximeter', 'ecg', 'scale', 'phone', 'other')),
    platform      text        NOT NULL CHECK (length(platform) BETWEEN 1 AND 64),
    name          text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    serial_number text        NOT NULL CHECK (length(serial_number) BETWEEN 1 AND 128),
    push_token    text,
    is_active     boolean     NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT user_devices_serial_number_key UNIQUE (user_id, serial_number)
);
CALL heartguard.guard_rows('vitals.user_devices');
CALL heartguard.stamp_updates('vitals.user_devices');

-- One reading. metric is its LOINC code; a compound reading has components and no value.
CREATE TABLE vitals.vitals (
    user_id            uuid        NOT NULL,
    id                 uuid        NOT NULL,
    metric             text        NOT NULL CHECK (length(metric) BETWEEN 3 AND 16),
    value              numeric,
    unit               text        CHECK (length(unit) BETWEEN 1 AND 64),
    components         jsonb       CHECK (jsonb_typeof(components) = 'array'),
    effective_at       timestamptz NOT NULL,
    utc_offset_minutes smallint    NOT NULL CHECK (utc_offset_minutes BETWEEN -720 AND 840),
    source             text        NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    device_id          uuid,
    sequence           bigint      NOT NULL CHECK (sequence >= 0),
    recorded_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, device_id) REFERENCES vitals.user_devices (user_id, id),
    CONSTRAINT vitals_value_or_components CHECK (
        (value IS NOT NULL AND unit IS NOT NULL AND components IS NULL)
        OR (value IS NULL AND unit IS NULL AND components IS NOT NULL))
);
-- What makes a replay add nothing.
CREATE UNIQUE INDEX vitals_device_sequence_key ON vitals.vitals (user_id, device_id, sequence) WHERE device_id IS NOT NULL;
CREATE UNIQUE INDEX vitals_source_sequence_key ON vitals.vitals (user_id, source, sequence) WHERE device_id IS NULL;
CREATE INDEX vitals_newest ON vitals.vitals (user_id, metric, effective_at DESC, id DESC);
CALL heartguard.guard_rows('vitals.vitals');
CALL heartguard.stamp_updates('vitals.vitals');

-- A device's signal. The sequence is part of the key, so that two samples of one instant are both kept.
CREATE TABLE vitals.device_timeseries (
    user_id     uuid             NOT NULL,
    device_id   uuid             NOT NULL,
    metric_type text             NOT NULL CHECK (metric_type ~ '^[a-z][a-z0-9_]{0,63}$'),
    "timestamp" timestamptz      NOT NULL,
    sequence    bigint           NOT NULL CHECK (sequence >= 0),
    value       double precision NOT NULL,
    updated_at  timestamptz      NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, device_id, metric_type, "timestamp", sequence),
    FOREIGN KEY (user_id, device_id) REFERENCES vitals.user_devices (user_id, id)
) PARTITION BY RANGE ("timestamp");
CALL heartguard.guard_rows('vitals.device_timeseries');
CALL heartguard.stamp_updates('vitals.device_timeseries');
CREATE TABLE vitals.device_timeseries_default PARTITION OF vitals.device_timeseries DEFAULT;
CALL heartguard.seal_partition('vitals.device_timeseries_default');

-- Makes the partition of each month from first_month on, unless it is there, and returns how many it made. What the default
-- partition holds of a month moves into it. The caller needs no right to the tables.
CREATE FUNCTION vitals.make_device_timeseries_partitions(first_month date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    month date;
    partition text;
    opens timestamptz;
    closes timestamptz;
    moves boolean;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'months has to be from 1 to 120' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR month IN SELECT (date_trunc('month', first_month::timestamp) + make_interval(months => n))::date
                 FROM generate_series(0, months - 1) AS n LOOP
        partition := 'device_timeseries_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass(format('vitals.%I', partition)) IS NOT NULL;
        opens := month::timestamp AT TIME ZONE 'UTC';
        closes := (month + interval '1 month') AT TIME ZONE 'UTC';
        -- The owner is held to the policies too, so the default partition is opened to it while its lock is held. Rows that
        -- move wait in a table of their own: attaching a full partition would check their devices under the policies.
        LOCK TABLE vitals.device_timeseries_default IN ACCESS EXCLUSIVE MODE;
        ALTER TABLE vitals.device_timeseries_default NO FORCE ROW LEVEL SECURITY;
        moves := EXISTS (SELECT FROM vitals.device_timeseries_default WHERE "timestamp" >= opens AND "timestamp" < closes);
        IF moves THEN
            CREATE TABLE vitals.device_timeseries_moving (LIKE vitals.device_timeseries INCLUDING DEFAULTS);
            WITH moved AS (
                DELETE FROM vitals.device_timeseries_default WHERE "timestamp" >= opens AND "timestamp" < closes RETURNING *
            ) INSERT INTO vitals.device_timeseries_moving SELECT * FROM moved;
        END IF;
        ALTER TABLE vitals.device_timeseries_default FORCE ROW LEVEL SECURITY;
        EXECUTE format('CREATE TABLE vitals.%I PARTITION OF vitals.device_timeseries FOR VALUES FROM (%L) TO (%L)',
                       partition, opens, closes);
        IF moves THEN
            EXECUTE format('INSERT INTO vitals.%I SELECT * FROM vitals.device_timeseries_moving', partition);
            DROP TABLE vitals.device_timeseries_moving;
        END IF;
        EXECUTE format('CALL heartguard.seal_partition(%L)', 'vitals.' || quote_ident(partition));
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the partitions of months that ended before an instant, and returns how many. Refuses one of the last thirty days.
CREATE FUNCTION vitals.retire_device_timeseries_partitions(ended_before timestamptz) RETURNS integer
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
REVOKE ALL ON FUNCTION vitals.make_device_timeseries_partitions, vitals.retire_device_timeseries_partitions FROM PUBLIC;

-- What falls outside of these is kept in the default partition.
SELECT vitals.make_device_timeseries_partitions(date '2026-01-01', 24);

-- value and unit are what the alert was raised for, if it was for a reading.
CREATE TABLE vitals.health_alerts (
    user_id         uuid        NOT NULL,
    id              uuid        NOT NULL,
    type            text        NOT NULL CHECK (type IN ('threshold', 'trend', 'arrhythmia', 'missed_medication', 'device',
                                                         'prediction', 'emergency')),
    severity        text        NOT NULL CHECK (severity IN ('info', 'warning', 'high', 'critical')),
    title           text        NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    message         text        NOT NULL DEFAULT '' CHECK (length(message) <= 4000),
    metric          text        CHECK (length(metric) BETWEEN 3 AND 16),
    value           numeric,
    unit            text        CHECK (length(unit) BETWEEN 1 AND 64),
    threshold       numeric,
    vital_id        uuid,
    triggered_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_at timestamptz,
    resolved        boolean     NOT NULL DEFAULT false,
    resolved_at     timestamptz,
    resolution      text        CHECK (length(resolution) <= 2000),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, vital_id) REFERENCES vitals.vitals (user_id, id) ON DELETE SET NULL (vital_id),
    CONSTRAINT health_alerts_resolved CHECK (resolved = (resolved_at IS NOT NULL))
);
CREATE INDEX health_alerts_of_vital ON vitals.health_alerts (user_id, vital_id) WHERE vital_id IS NOT NULL;
CALL heartguard.guard_rows('vitals.health_alerts');
CALL heartguard.stamp_updates('vitals.health_alerts');

CREATE TABLE vitals.medications (
    user_id           uuid        NOT NULL,
    id                uuid        NOT NULL,
    name              text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    rxnorm_code       text        CHECK (rxnorm_code ~ '^[0-9]{1,8}$'),
    dosage            text        NOT NULL CHECK (length(dosage) BETWEEN 1 AND 200),
    form              text        CHECK (form IN ('tablet', 'capsule', 'liquid', 'injection', 'inhaler', 'patch', 'drops', 'cream', 'other')),
    route             text        CHECK (length(route) BETWEEN 1 AND 64),
    -- When it is taken: {"times": ["08:00", "20:00"], "days": [1, 2, 3, 4, 5, 6, 7]}.
    schedule          jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(schedule) = 'object'),
    instructions      text        CHECK (length(instructions) <= 2000),
    reason            text        CHECK (length(reason) <= 500),
    prescriber        text        CHECK (length(prescriber) BETWEEN 1 AND 200),
    pharmacy          text        CHECK (length(pharmacy) BETWEEN 1 AND 200),
    starts_on         date        NOT NULL DEFAULT current_date,
    ends_on           date,
    refills_remaining integer     CHECK (refills_remaining >= 0),
    side_effects      text        CHECK (length(side_effects) <= 2000),
    is_active         boolean     NOT NULL DEFAULT true,
    reminders_enabled boolean     NOT NULL DEFAULT true,
    version           bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT medications_period CHECK (ends_on >= starts_on)
);
CALL heartguard.guard_rows('vitals.medications');
CALL heartguard.stamp_updates('vitals.medications');

CREATE TABLE vitals.user_health_goals (
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    goal_type     text        NOT NULL CHECK (goal_type IN ('weight', 'blood_pressure', 'heart_rate', 'glucose', 'cholesterol',
                                                            'steps', 'exercise', 'sleep', 'medication', 'smoking', 'other')),
    title         text        NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description   text        CHECK (length(description) <= 2000),
    metric        text        CHECK (length(metric) BETWEEN 3 AND 16),
    unit          text        NOT NULL CHECK (length(unit) BETWEEN 1 AND 64),
    start_value   numeric,
    target_value  numeric     NOT NULL,
    current_value numeric,
    direction     text        NOT NULL DEFAULT 'increase' CHECK (direction IN ('increase', 'decrease', 'maintain')),
    status        text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'completed', 'abandoned')),
    starts_on     date        NOT NULL DEFAULT current_date,
    target_date   date,
    completed_at  timestamptz,
    version       bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT user_health_goals_completed CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT user_health_goals_period CHECK (target_date >= starts_on)
);
CALL heartguard.guard_rows('vitals.user_health_goals');
CALL heartguard.stamp_updates('vitals.user_health_goals');

CREATE TABLE vitals.health_goal_milestones (
    user_id      uuid        NOT NULL,
    id           uuid        NOT NULL,
    goal_id      uuid        NOT NULL,
    position     integer     NOT NULL CHECK (position > 0),
    title        text        NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    target_value numeric     NOT NULL,
    target_date  date,
    reached_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, goal_id) REFERENCES vitals.user_health_goals (user_id, id) ON DELETE CASCADE,
    CONSTRAINT health_goal_milestones_position_key UNIQUE (user_id, goal_id, position)
);
CALL heartguard.guard_rows('vitals.health_goal_milestones');
CALL heartguard.stamp_updates('vitals.health_goal_milestones');

CREATE TABLE vitals.health_goal_progress (
    user_id     uuid        NOT NULL,
    id          uuid        NOT NULL,
    goal_id     uuid        NOT NULL,
    value       numeric     NOT NULL,
    note        text        CHECK (length(note) <= 2000),
    source      text        NOT NULL DEFAULT 'manual' CHECK (source IN ('manual', 'device', 'vitals', 'import')),
    vital_id    uuid,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, goal_id) REFERENCES vitals.user_health_goals (user_id, id) ON DELETE CASCADE
);
CREATE INDEX health_goal_progress_of_goal ON vitals.health_goal_progress (user_id, goal_id, recorded_at DESC);
CALL heartguard.guard_rows('vitals.health_goal_progress');
CALL heartguard.stamp_updates('vitals.health_goal_progress');

-- Conditions, allergies, procedures and the like, and the documents that tell of them.
CREATE TABLE vitals.patient_records (
    user_id         uuid        NOT NULL,
    id              uuid        NOT NULL,
    record_type     text        NOT NULL CHECK (record_type IN ('condition', 'allergy', 'procedure', 'immunization', 'lab_report',
                                                                'imaging', 'family_history', 'document', 'other')),
    title           text        NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    code_system     text        CHECK (code_system IN ('snomed', 'icd10', 'loinc', 'rxnorm', 'cvx', 'other')),
    code            text        CHECK (length(code) BETWEEN 1 AND 64),
    content         jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(content) = 'object'),
    clinical_status text        NOT NULL DEFAULT 'active' CHECK (clinical_status IN ('active', 'inactive', 'resolved', 'entered_in_error')),
    severity        text        CHECK (severity IN ('mild', 'moderate', 'severe')),
    source          text        NOT NULL DEFAULT 'patient' CHECK (source IN ('patient', 'provider', 'import', 'device')),
    provider_id     uuid,
    document_uri    text        CHECK (length(document_uri) <= 2048),
    document_sha256 bytea       CHECK (length(document_sha256) = 32),
    onset_on        date,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    version         bigint      NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT patient_records_code CHECK ((code IS NULL) = (code_system IS NULL))
);
CREATE INDEX patient_records_by_type ON vitals.patient_records (user_id, record_type, recorded_at DESC);
CREATE INDEX patient_records_content ON vitals.patient_records USING gin (content jsonb_path_ops);
CALL heartguard.guard_rows('vitals.patient_records');
CALL heartguard.stamp_updates('vitals.patient_records');

GRANT SELECT, INSERT, UPDATE ON vitals.user_devices, vitals.health_alerts, vitals.medications, vitals.user_health_goals,
    vitals.health_goal_milestones, vitals.patient_records TO heartguard_vitals;
GRANT DELETE ON vitals.medications, vitals.user_health_goals, vitals.health_goal_milestones, vitals.health_goal_progress,
    vitals.patient_records TO heartguard_vitals;
GRANT SELECT, INSERT ON vitals.vitals, vitals.device_timeseries, vitals.health_goal_progress TO heartguard_vitals;

-- Chat ------------------------------------------------------------------------------------------------------------

CREATE SCHEMA chat;
GRANT USAGE ON SCHEMA chat TO heartguard_chat;

-- message_count is also the sequence of the last message: who appends locks this row and counts on.
CREATE TABLE chat.chat_sessions (
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    title         text        NOT NULL CHECK (length(title) <= 200),
    client_id     text        CHECK (length(client_id) BETWEEN 1 AND 128),
    message_count bigint      NOT NULL DEFAULT 0 CHECK (message_count >= 0),
    archived_at   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT chat_sessions_client_id_key UNIQUE (user_id, client_id)
);
CALL heartguard.guard_rows('chat.chat_sessions');
CALL heartguard.stamp_updates('chat.chat_sessions');

CREATE TABLE chat.chat_messages (
    user_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    session_id uuid        NOT NULL,
    sequence   bigint      NOT NULL CHECK (sequence > 0),
    role       text        NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content    text        NOT NULL CHECK (length(content) BETWEEN 1 AND 100000),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    client_id  text        NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, session_id) REFERENCES chat.chat_sessions (user_id, id) ON DELETE CASCADE,
    CONSTRAINT chat_messages_sequence_key UNIQUE (user_id, session_id, sequence),
    CONSTRAINT chat_messages_client_id_key UNIQUE (user_id, session_id, client_id)
);
CALL heartguard.guard_rows('chat.chat_messages');
CALL heartguard.stamp_updates('chat.chat_messages');

-- What the assistant keeps about a person from one conversation to the next, searched by word.
CREATE TABLE chat.patient_memories (
    user_id           uuid        NOT NULL,
    id                uuid        NOT NULL,
    content           text        NOT NULL CHECK (length(content) BETWEEN 1 AND 10000),
    category          text        NOT NULL CHECK (category IN ('medical_history', 'medication', 'allergy', 'symptom', 'lifestyle',
                                                               'preference', 'goal', 'family', 'other')),
    importance        numeric(4, 3) NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    metadata          jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    search            tsvector    NOT NULL GENERATED ALWAYS AS (to_tsvector('english', content)) STORED,
    source_session_id uuid,
    source_message_id uuid,
    access_count      bigint      NOT NULL DEFAULT 0 CHECK (access_count >= 0),
    last_accessed_at  timestamptz,
    superseded_by     uuid,
    expires_at        timestamptz,
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, superseded_by) REFERENCES chat.patient_memories (user_id, id) ON DELETE SET NULL (superseded_by)
);
CREATE INDEX patient_memories_search ON chat.patient_memories USING gin (search);
CREATE INDEX patient_memories_by_importance ON chat.patient_memories (user_id, category, importance DESC);
CREATE INDEX patient_memories_superseded ON chat.patient_memories (user_id, superseded_by) WHERE superseded_by IS NOT NULL;
CALL heartguard.guard_rows('chat.patient_memories');
CALL heartguard.stamp_updates('chat.patient_memories');

CREATE TABLE chat.feedback (
    user_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    session_id uuid,
    message_id uuid,
    kind       text        NOT NULL CHECK (kind IN ('thumbs', 'rating', 'correction', 'report')),
    rating     smallint    CHECK (rating BETWEEN -1 AND 5),
    comment    text        CHECK (length(comment) <= 4000),
    correction text        CHECK (length(correction) <= 10000),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, message_id) REFERENCES chat.chat_messages (user_id, id) ON DELETE CASCADE
);
CREATE INDEX feedback_of_message ON chat.feedback (user_id, message_id) WHERE message_id IS NOT NULL;
CALL heartguard.guard_rows('chat.feedback');
CALL heartguard.stamp_updates('chat.feedback');

GRANT SELECT, INSERT, UPDATE ON chat.chat_sessions, chat.patient_memories, chat.feedback TO heartguard_chat;
GRANT SELECT, INSERT ON chat.chat_messages TO heartguard_chat;
GRANT DELETE ON chat.patient_memories, chat.feedback TO heartguard_chat;

-- Down ------------------------------------------------------------------------------------------------------------

DROP SCHEMA chat CASCADE;
DROP SCHEMA vitals CASCADE;
DROP SCHEMA users CASCADE;
DROP PROCEDURE heartguard.stamp_updates, heartguard.guard_rows, heartguard.seal_partition;
DROP FUNCTION heartguard.set_updated_at;
