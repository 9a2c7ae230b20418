-- Memories that take each other's place, opinions that are sent again, and messages that come piece by piece.

-- superseded_at is what makes a memory history; superseded_by becomes null when the other is forgotten. Code of before sets only the latter.
ALTER TABLE chat.patient_memories
    ADD client_id     text CHECK (length(client_id) BETWEEN 1 AND 128),
    ADD superseded_at timestamptz,
    ADD CONSTRAINT patient_memories_client_id_key UNIQUE (user_id, client_id);

ALTER TABLE chat.feedback
    ADD client_id text CHECK (length(client_id) BETWEEN 1 AND 128),
    ADD CONSTRAINT feedback_client_id_key UNIQUE (user_id, client_id);
CREATE INDEX feedback_of_session ON chat.feedback (user_id, session_id, id) WHERE session_id IS NOT NULL;

-- length is the number of bytes that its pieces have: who adds one counts on under the row's lock.
CREATE TABLE chat.message_drafts (
    user_id    uuid        NOT NULL,
    session_id uuid        NOT NULL,
    client_id  text        NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    role       text        NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    length     bigint      NOT NULL DEFAULT 0 CHECK (length BETWEEN 0 AND 400000),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, session_id, client_id),
    FOREIGN KEY (user_id, session_id) REFERENCES chat.chat_sessions (user_id, id) ON DELETE CASCADE
);
CALL heartguard.guard_rows('chat.message_drafts');
CALL heartguard.stamp_updates('chat.message_drafts');

CREATE TABLE chat.message_draft_pieces (
    user_id     uuid        NOT NULL,
    session_id  uuid        NOT NULL,
    client_id   text        NOT NULL,
    byte_offset bigint      NOT NULL CHECK (byte_offset >= 0),
    content     text        NOT NULL CHECK (length(content) BETWEEN 1 AND 100000),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, session_id, client_id, byte_offset),
    FOREIGN KEY (user_id, session_id, client_id) REFERENCES chat.message_drafts (user_id, session_id, client_id) ON DELETE CASCADE
);
CALL heartguard.guard_rows('chat.message_draft_pieces');
CALL heartguard.stamp_updates('chat.message_draft_pieces');

GRANT SELECT, INSERT, UPDATE, DELETE ON chat.message_drafts TO heartguard_chat;
GRANT SELECT, INSERT ON chat.message_draft_pieces TO heartguard_chat;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE chat.message_draft_pieces, chat.message_drafts;
DROP INDEX chat.feedback_of_session;
ALTER TABLE chat.feedback DROP COLUMN client_id;
ALTER TABLE chat.patient_memories DROP COLUMN superseded_at, DROP COLUMN client_id;
