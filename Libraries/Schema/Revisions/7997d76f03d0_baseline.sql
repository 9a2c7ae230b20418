-- The core of every context: one schema and one role per service, row-level security from the first day.
--
-- The roles exist already (the cluster's bootstrap makes them); heartguard_owner runs this and owns everything,
-- a service's role owns nothing and sees its own schema alone. FORCE subjects the owner to the policies too.
-- A policy reads the identity inside a scalar sub-select, so that it is evaluated once per statement (an InitPlan).
-- Keys of personal data begin with user_id: it is the column that the data would be distributed by.

GRANT USAGE ON SCHEMA heartguard TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;
GRANT SELECT ON heartguard.schema_migrations TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

CREATE FUNCTION heartguard.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

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

ALTER TABLE users.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users.users FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users.users
    USING (id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
-- Signing in begins with an address and no identity: exactly the row of that address can be read.
CREATE POLICY log_in ON users.users FOR SELECT
    USING (email = (SELECT nullif(current_setting('heartguard.login_email', true), '')));

ALTER TABLE users.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE users.sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users.sessions
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));

ALTER TABLE users.refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE users.refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users.refresh_tokens
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));

CREATE TRIGGER set_updated_at BEFORE UPDATE ON users.users FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON users.sessions FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON users.refresh_tokens FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();

GRANT SELECT, INSERT, UPDATE ON users.users, users.sessions, users.refresh_tokens TO heartguard_users;
GRANT DELETE ON users.refresh_tokens TO heartguard_users;

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

-- A device's signal. The sequence is part of the key, so that two samples of one instant are both kept.
CREATE TABLE vitals.device_timeseries (
    user_id     uuid             NOT NULL,
    device_id   uuid             NOT NULL,
    metric_type text             NOT NULL CHECK (metric_type ~ '^[a-z][a-z0-9_]{0,63}$'),
    "timestamp" timestamptz      NOT NULL,
    sequence    bigint           NOT NULL CHECK (sequence >= 0),
    value       double precision NOT NULL,
    PRIMARY KEY (user_id, device_id, metric_type, "timestamp", sequence),
    FOREIGN KEY (user_id, device_id) REFERENCES vitals.user_devices (user_id, id)
) PARTITION BY RANGE ("timestamp");
CREATE TABLE vitals.device_timeseries_default PARTITION OF vitals.device_timeseries DEFAULT;
ALTER TABLE vitals.device_timeseries_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE vitals.device_timeseries_default FORCE ROW LEVEL SECURITY;

-- One partition a month; what falls outside is kept in the default partition. A partition has no policy and no
-- grant of its own: it is reached through its parent alone.
DO $$
DECLARE
    month date;
BEGIN
    FOR month IN SELECT generate_series(date '2026-01-01', date '2027-12-01', interval '1 month')::date LOOP
        EXECUTE format('CREATE TABLE vitals.%I PARTITION OF vitals.device_timeseries FOR VALUES FROM (%L) TO (%L)',
                       'device_timeseries_' || to_char(month, 'YYYY_MM'),
                       month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('ALTER TABLE vitals.%I ENABLE ROW LEVEL SECURITY', 'device_timeseries_' || to_char(month, 'YYYY_MM'));
        EXECUTE format('ALTER TABLE vitals.%I FORCE ROW LEVEL SECURITY', 'device_timeseries_' || to_char(month, 'YYYY_MM'));
    END LOOP;
END
$$;

ALTER TABLE vitals.user_devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE vitals.user_devices FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON vitals.user_devices
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
ALTER TABLE vitals.vitals ENABLE ROW LEVEL SECURITY;
ALTER TABLE vitals.vitals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON vitals.vitals
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
ALTER TABLE vitals.device_timeseries ENABLE ROW LEVEL SECURITY;
ALTER TABLE vitals.device_timeseries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON vitals.device_timeseries
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vitals.user_devices FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON vitals.vitals FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();

GRANT SELECT, INSERT, UPDATE ON vitals.user_devices TO heartguard_vitals;
GRANT SELECT, INSERT ON vitals.vitals, vitals.device_timeseries TO heartguard_vitals;

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
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT chat_sessions_client_id_key UNIQUE (user_id, client_id)
);
CREATE INDEX chat_sessions_recent ON chat.chat_sessions (user_id, updated_at DESC, id DESC);

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

ALTER TABLE chat.chat_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.chat_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON chat.chat_sessions
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
ALTER TABLE chat.chat_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat.chat_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON chat.chat_messages
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));

CREATE TRIGGER set_updated_at BEFORE UPDATE ON chat.chat_sessions FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON chat.chat_messages FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();

GRANT SELECT, INSERT, UPDATE ON chat.chat_sessions TO heartguard_chat;
GRANT SELECT, INSERT ON chat.chat_messages TO heartguard_chat;
