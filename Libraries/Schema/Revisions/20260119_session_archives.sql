-- Conversations that are kept for years: compressed, with the SHA-256 of what they were and of the archive before them.
--
-- A person's archives are a chain: each holds the checksum of the one before it, so that none can be changed or taken away
-- unseen. The role can add and read and nothing else.

CREATE TABLE chat.session_archives (
    user_id            uuid        NOT NULL,
    sequence           bigint      NOT NULL CHECK (sequence > 0),
    session_id         uuid        NOT NULL,
    title              text        NOT NULL CHECK (length(title) <= 200),
    message_count      bigint      NOT NULL CHECK (message_count >= 0),
    first_message_at   timestamptz,
    last_message_at    timestamptz,
    encoding           text        NOT NULL CHECK (encoding IN ('lz4', 'identity')),
    content            bytea       NOT NULL,
    uncompressed_bytes bigint      NOT NULL CHECK (uncompressed_bytes >= 0),
    checksum           bytea       NOT NULL CHECK (length(checksum) = 32),
    previous_checksum  bytea       CHECK (length(previous_checksum) = 32),
    reason             text        NOT NULL CHECK (reason IN ('age', 'request', 'account_closed')),
    archived_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    retain_until       date        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, sequence),
    CONSTRAINT session_archives_session_key UNIQUE (user_id, session_id),
    CONSTRAINT session_archives_chained CHECK ((sequence = 1) = (previous_checksum IS NULL))
);
CALL heartguard.guard_rows('chat.session_archives');
CALL heartguard.stamp_updates('chat.session_archives');
GRANT SELECT, INSERT ON chat.session_archives TO heartguard_chat;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE chat.session_archives;
