-- What the application kept in SQLite: pairs of drugs, settings, and the conversations from before there were sessions.

-- Reference data. A pair is kept once, the smaller name first.
CREATE TABLE vitals.drug_interactions (
    drug_a         text        NOT NULL CHECK (drug_a = lower(drug_a) AND length(drug_a) BETWEEN 1 AND 200),
    drug_b         text        NOT NULL CHECK (drug_b = lower(drug_b) AND length(drug_b) BETWEEN 1 AND 200),
    severity       text        NOT NULL CHECK (severity IN ('minor', 'moderate', 'major', 'contraindicated')),
    mechanism      text        NOT NULL DEFAULT '' CHECK (length(mechanism) <= 4000),
    effect         text        NOT NULL DEFAULT '' CHECK (length(effect) <= 4000),
    management     text        NOT NULL DEFAULT '' CHECK (length(management) <= 4000),
    evidence_level text        CHECK (evidence_level IN ('theoretical', 'case_report', 'study', 'established')),
    source         text        NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (drug_a, drug_b),
    CONSTRAINT drug_interactions_ordered CHECK (drug_a COLLATE "C" < drug_b COLLATE "C")
);
CREATE INDEX drug_interactions_of_second ON vitals.drug_interactions (drug_b);
CALL heartguard.stamp_updates('vitals.drug_interactions');
GRANT SELECT, INSERT, UPDATE ON vitals.drug_interactions TO heartguard_vitals;

CREATE TABLE users.user_preferences (
    user_id    uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    category   text        NOT NULL CHECK (category ~ '^[a-z][a-z0-9_]{0,63}$'),
    key        text        NOT NULL CHECK (key ~ '^[a-z][a-z0-9_.]{0,127}$'),
    value      jsonb       NOT NULL CHECK (pg_column_size(value) <= 65536),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, category, key)
);
CALL heartguard.guard_rows('users.user_preferences');
CALL heartguard.stamp_updates('users.user_preferences');
GRANT SELECT, INSERT, UPDATE, DELETE ON users.user_preferences TO heartguard_users;

-- session_id is the name that the old application gave; nothing else has it.
CREATE TABLE chat.chat_history (
    user_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    session_id text        NOT NULL CHECK (length(session_id) BETWEEN 1 AND 128),
    role       text        NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content    text        NOT NULL CHECK (length(content) BETWEEN 1 AND 100000),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    said_at    timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id)
);
CREATE INDEX chat_history_of_session ON chat.chat_history (user_id, session_id, said_at, id);
CALL heartguard.guard_rows('chat.chat_history');
CALL heartguard.stamp_updates('chat.chat_history');
GRANT SELECT, INSERT ON chat.chat_history TO heartguard_chat;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE chat.chat_history;
DROP TABLE users.user_preferences;
DROP TABLE vitals.drug_interactions;
