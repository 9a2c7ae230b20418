-- Conversations that nobody has used for long move into archives.

-- A message may be in an archive and not in the table; what was thought of it, and whether it holds, stays all the same.
ALTER TABLE chat.feedback DROP CONSTRAINT IF EXISTS feedback_user_id_message_id_fkey;
ALTER TABLE chat.content_verifications DROP CONSTRAINT IF EXISTS content_verifications_user_id_message_id_fkey;

-- Removes from the table what a session's archive holds. How many messages it was. A service's role may delete messages in no other way.
CREATE FUNCTION chat.remove_archived_messages(session uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    person uuid := nullif(current_setting('heartguard.user_id', true), '')::uuid;
    removed bigint;
BEGIN
    DELETE FROM chat.chat_messages m USING chat.session_archives a
        WHERE m.user_id = person AND m.session_id = session AND a.user_id = person AND a.session_id = session
          AND m.sequence <= a.message_count;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

-- Sessions that were used last before a moment and are not archived, whoever's they are, the one that waits longest first; behind one, if it is
-- given: what archiving by age has to know of other people's rows.
CREATE FUNCTION chat.sessions_unused_since(moment timestamptz, behind_moment timestamptz, behind_id uuid, most integer)
RETURNS TABLE (user_id uuid, id uuid, used_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'archiving', true);
    RETURN QUERY
        SELECT s.user_id, s.id, s.updated_at FROM chat.chat_sessions s
        WHERE s.updated_at < moment AND s.message_count > 0
          AND (behind_id IS NULL OR (s.updated_at, s.id) > (behind_moment, behind_id))
          AND NOT EXISTS (SELECT FROM chat.session_archives a WHERE a.user_id = s.user_id AND a.session_id = s.id)
        ORDER BY s.updated_at, s.id LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION chat.remove_archived_messages, chat.sessions_unused_since FROM PUBLIC;
GRANT EXECUTE ON FUNCTION chat.remove_archived_messages, chat.sessions_unused_since TO heartguard_chat;
-- The owner is held to the policies too; within that function it sees the tables.
CREATE POLICY archiving ON chat.chat_sessions FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'archiving');
CREATE POLICY archiving ON chat.session_archives FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'archiving');
CREATE INDEX chat_sessions_used ON chat.chat_sessions (updated_at, id);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX chat.chat_sessions_used;
DROP POLICY archiving ON chat.session_archives;
DROP POLICY archiving ON chat.chat_sessions;
DROP FUNCTION chat.sessions_unused_since, chat.remove_archived_messages;
ALTER TABLE chat.content_verifications ADD FOREIGN KEY (user_id, message_id) REFERENCES chat.chat_messages (user_id, id) ON DELETE CASCADE;
ALTER TABLE chat.feedback ADD FOREIGN KEY (user_id, message_id) REFERENCES chat.chat_messages (user_id, id) ON DELETE CASCADE;
