-- What was missing: consents, calendars, the devices that notifications go to, checked answers and predictions.

-- What a person agreed to, as it stands, with an epoch that grows each time it is given or withdrawn.
CREATE TABLE users.user_consents (
    user_id          uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    kind             text        NOT NULL CHECK (kind IN ('health_data', 'ai_analysis', 'research', 'care_sharing', 'marketing')),
    granted          boolean     NOT NULL,
    document_version text        NOT NULL CHECK (length(document_version) BETWEEN 1 AND 64),
    granted_at       timestamptz NOT NULL,
    withdrawn_at     timestamptz,
    epoch            bigint      NOT NULL DEFAULT 1 CHECK (epoch > 0),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, kind),
    CONSTRAINT user_consents_granted_or_withdrawn CHECK (granted = (withdrawn_at IS NULL))
);
CALL heartguard.guard_rows('users.user_consents');
CALL heartguard.stamp_updates('users.user_consents');

-- recurrence_rule is an RFC 5545 RRULE. medication_id is an id of vitals.medications.
CREATE TABLE users.calendar_events (
    user_id          uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id               uuid        NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('appointment', 'medication', 'measurement', 'exercise', 'reminder', 'other')),
    title            text        NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    description      text        CHECK (length(description) <= 4000),
    location         text        CHECK (length(location) BETWEEN 1 AND 500),
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    is_all_day       boolean     NOT NULL DEFAULT false,
    time_zone        text        NOT NULL DEFAULT 'UTC',
    recurrence_rule  text        CHECK (length(recurrence_rule) BETWEEN 1 AND 500),
    reminder_minutes integer     CHECK (reminder_minutes BETWEEN 0 AND 40320),
    status           text        NOT NULL DEFAULT 'confirmed' CHECK (status IN ('tentative', 'confirmed', 'cancelled', 'done')),
    appointment_id   uuid,
    medication_id    uuid,
    external_source  text        CHECK (length(external_source) BETWEEN 1 AND 64),
    external_id      text        CHECK (length(external_id) BETWEEN 1 AND 256),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, appointment_id) REFERENCES users.appointments (user_id, id) ON DELETE CASCADE,
    CONSTRAINT calendar_events_external_key UNIQUE (user_id, external_source, external_id),
    CONSTRAINT calendar_events_external CHECK ((external_source IS NULL) = (external_id IS NULL)),
    CONSTRAINT calendar_events_duration CHECK (ends_at >= starts_at)
);
CREATE INDEX calendar_events_of_appointment ON users.calendar_events (user_id, appointment_id) WHERE appointment_id IS NOT NULL;
CALL heartguard.guard_rows('users.calendar_events');
CALL heartguard.stamp_updates('users.calendar_events');

CREATE TABLE users.push_devices (
    user_id       uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id            uuid        NOT NULL,
    platform      text        NOT NULL CHECK (platform IN ('ios', 'android', 'web')),
    push_token    text        NOT NULL CHECK (length(push_token) BETWEEN 1 AND 4096),
    device_name   text        CHECK (length(device_name) BETWEEN 1 AND 200),
    app_version   text        CHECK (length(app_version) BETWEEN 1 AND 64),
    locale        text        CHECK (length(locale) BETWEEN 2 AND 35),
    is_active     boolean     NOT NULL DEFAULT true,
    failure_count integer     NOT NULL DEFAULT 0 CHECK (failure_count >= 0),
    last_seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
-- Tokens may be longer than a key of an index.
CREATE UNIQUE INDEX push_devices_token_key ON users.push_devices (user_id, md5(push_token));
CALL heartguard.guard_rows('users.push_devices');
CALL heartguard.stamp_updates('users.push_devices');

-- Whether what the assistant said holds, and by what.
CREATE TABLE chat.content_verifications (
    user_id        uuid          NOT NULL,
    id             uuid          NOT NULL,
    message_id     uuid,
    content_sha256 bytea         NOT NULL CHECK (length(content_sha256) = 32),
    claim          text          NOT NULL CHECK (length(claim) BETWEEN 1 AND 10000),
    verdict        text          NOT NULL CHECK (verdict IN ('supported', 'contradicted', 'unsupported', 'unclear')),
    confidence     numeric(4, 3) NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    sources        jsonb         NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(sources) = 'array'),
    explanation    text          CHECK (length(explanation) <= 10000),
    verifier       text          NOT NULL CHECK (length(verifier) BETWEEN 1 AND 200),
    verified_at    timestamptz   NOT NULL DEFAULT clock_timestamp(),
    created_at     timestamptz   NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz   NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, message_id) REFERENCES chat.chat_messages (user_id, id) ON DELETE CASCADE
);
CREATE INDEX content_verifications_of_message ON chat.content_verifications (user_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX content_verifications_of_content ON chat.content_verifications (user_id, content_sha256);
CALL heartguard.guard_rows('chat.content_verifications');
CALL heartguard.stamp_updates('chat.content_verifications');

-- A prediction is never changed: a better one is another row.
CREATE TABLE vitals.prediction_history (
    user_id         uuid          NOT NULL,
    id              uuid          NOT NULL,
    prediction_type text          NOT NULL CHECK (prediction_type IN ('heart_risk', 'arrhythmia', 'hypertension', 'diabetes', 'readmission', 'other')),
    model           text          NOT NULL CHECK (length(model) BETWEEN 1 AND 200),
    model_version   text          NOT NULL CHECK (length(model_version) BETWEEN 1 AND 64),
    features        jsonb         NOT NULL CHECK (jsonb_typeof(features) = 'object'),
    risk_score      numeric(6, 5) NOT NULL CHECK (risk_score BETWEEN 0 AND 1),
    risk_level      text          NOT NULL CHECK (risk_level IN ('low', 'moderate', 'high', 'very_high')),
    confidence      numeric(4, 3) CHECK (confidence BETWEEN 0 AND 1),
    explanation     jsonb         NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(explanation) = 'object'),
    recommendations text[]        NOT NULL DEFAULT '{}',
    predicted_at    timestamptz   NOT NULL DEFAULT clock_timestamp(),
    created_at      timestamptz   NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz   NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CALL heartguard.guard_rows('vitals.prediction_history');
CALL heartguard.stamp_updates('vitals.prediction_history');

GRANT SELECT, INSERT, UPDATE ON users.user_consents, users.calendar_events, users.push_devices TO heartguard_users;
GRANT DELETE ON users.calendar_events, users.push_devices TO heartguard_users;
GRANT SELECT, INSERT ON chat.content_verifications TO heartguard_chat;
GRANT SELECT, INSERT ON vitals.prediction_history TO heartguard_vitals;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE vitals.prediction_history, chat.content_verifications, users.push_devices, users.calendar_events, users.user_consents;
