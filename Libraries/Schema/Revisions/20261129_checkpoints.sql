-- What agents remember between their steps (LangGraph's checkpoints): threads, their checkpoints, and what tasks have written.
--
-- The bytes of a thread lie in streams, each a row of segments that only grows: stream 0 holds what checkpoints say of themselves and small
-- values, each other the versions of one large value, of which the next mostly repeats the one before. A checkpoint, a value and a write say
-- which ranges of which stream they are made of (Services/Chat/Checkpoints), so what repeats is kept once. A row says how many bytes its
-- segment has unpacked and the first 16 bytes of their SHA-256.

CREATE TABLE chat.checkpoint_threads (
    user_id    uuid        NOT NULL,
    -- What the other tables call it: the name may be long.
    number     bigint      NOT NULL CHECK (number > 0),
    thread_id  text        NOT NULL CHECK (length(thread_id) BETWEEN 1 AND 255),
    -- Raised whenever ranges of its streams are freed: what was made of an older one may be gone.
    epoch      bigint      NOT NULL DEFAULT 0,
    used_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When its history was deleted by age; NULL again when it is used.
    pruned_at  timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, number),
    CONSTRAINT checkpoint_threads_thread_key UNIQUE (user_id, thread_id)
);
CREATE INDEX checkpoint_threads_unpruned ON chat.checkpoint_threads (used_at) WHERE pruned_at IS NULL;
CREATE INDEX checkpoint_threads_used ON chat.checkpoint_threads (used_at);
CALL heartguard.guard_rows('chat.checkpoint_threads');
CALL heartguard.stamp_updates('chat.checkpoint_threads');

CREATE TABLE chat.checkpoint_segments (
    user_id    uuid        NOT NULL,
    thread     bigint      NOT NULL,
    stream     integer     NOT NULL CHECK (stream >= 0),
    position   bigint      NOT NULL CHECK (position >= 0),
    byte_count integer     NOT NULL CHECK (byte_count BETWEEN 1 AND 65536),
    digest     bytea       NOT NULL CHECK (length(digest) = 16),
    -- An LZ4 block, or the bytes themselves if it would not be smaller.
    content    bytea       NOT NULL CHECK (length(content) <= byte_count),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, thread, stream, position),
    FOREIGN KEY (user_id, thread) REFERENCES chat.checkpoint_threads (user_id, number) ON DELETE CASCADE
);
-- LZ4 has been over it.
ALTER TABLE chat.checkpoint_segments ALTER content SET STORAGE EXTERNAL;
CALL heartguard.guard_rows('chat.checkpoint_segments');
CALL heartguard.stamp_updates('chat.checkpoint_segments');

CREATE TABLE chat.checkpoints (
    user_id    uuid        NOT NULL,
    thread     bigint      NOT NULL,
    namespace  text        NOT NULL CHECK (length(namespace) <= 1024),
    id         uuid        NOT NULL,
    parent_id  uuid,
    -- Where stream 0 says what it is.
    position   bigint      NOT NULL CHECK (position >= 0),
    byte_count integer     NOT NULL CHECK (byte_count > 0),
    metadata   jsonb       NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, thread, namespace, id),
    FOREIGN KEY (user_id, thread) REFERENCES chat.checkpoint_threads (user_id, number) ON DELETE CASCADE
);
CREATE INDEX checkpoints_of_run ON chat.checkpoints (user_id, (metadata ->> 'run_id')) WHERE metadata ? 'run_id';
CALL heartguard.guard_rows('chat.checkpoints');
CALL heartguard.stamp_updates('chat.checkpoints');

-- No foreign key to the checkpoint: a task's writes may be kept before it is.
CREATE TABLE chat.checkpoint_writes (
    user_id       uuid        NOT NULL,
    thread        bigint      NOT NULL,
    namespace     text        NOT NULL CHECK (length(namespace) <= 1024),
    checkpoint_id uuid        NOT NULL,
    task_id       text        NOT NULL CHECK (length(task_id) BETWEEN 1 AND 128),
    task_path     text        NOT NULL CHECK (length(task_path) <= 1024),
    -- All that the task wrote: by index, the channel and what the value is made of.
    content       bytea       NOT NULL,
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, thread, namespace, checkpoint_id, task_id),
    FOREIGN KEY (user_id, thread) REFERENCES chat.checkpoint_threads (user_id, number) ON DELETE CASCADE
);
ALTER TABLE chat.checkpoint_writes ALTER content SET STORAGE EXTERNAL;
CALL heartguard.guard_rows('chat.checkpoint_writes');
CALL heartguard.stamp_updates('chat.checkpoint_writes');

GRANT SELECT, INSERT, UPDATE, DELETE ON chat.checkpoint_threads, chat.checkpoint_segments, chat.checkpoints, chat.checkpoint_writes
    TO heartguard_chat;

-- Threads that nobody has used since, whoever's they are, the one that waits longest first: what deleting by age has to know of other people's rows.
CREATE FUNCTION chat.checkpoint_threads_unused_since(moment timestamptz, unpruned_only boolean, most integer)
RETURNS TABLE (user_id uuid, thread_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'retention', true);
    RETURN QUERY
        SELECT t.user_id, t.thread_id FROM chat.checkpoint_threads t
        WHERE t.used_at < moment AND (t.pruned_at IS NULL OR NOT unpruned_only)
        ORDER BY t.used_at LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION chat.checkpoint_threads_unused_since FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chat.checkpoint_threads_unused_since TO heartguard_chat;
-- The owner is held to the policies too; within that function it sees the table.
CREATE POLICY retention ON chat.checkpoint_threads FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'retention');

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION chat.checkpoint_threads_unused_since;
DROP TABLE chat.checkpoint_writes, chat.checkpoints, chat.checkpoint_segments, chat.checkpoint_threads;
