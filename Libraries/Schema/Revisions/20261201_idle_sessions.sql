-- Archiving by age looks at no conversation that is archived. It walked past all of them every night, in the order of use, and had to ask of each.

-- Sessions that were used last before a moment and whose messages are in the table, whoever's they are, the one that began first first; behind one, if
-- it is given by what is told of it here: used_at is since when it has been used.
CREATE OR REPLACE FUNCTION chat.sessions_unused_since(moment timestamptz, behind_moment timestamptz, behind_id uuid, most integer)
RETURNS TABLE (user_id uuid, id uuid, used_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
-- Planned with what is asked for, and taken in the index's order, however few there seem to be.
SET plan_cache_mode = force_custom_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_sort = off AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'archiving', true);
    RETURN QUERY
        SELECT m.user_id, m.session_id, m.created_at FROM chat.chat_messages m
        JOIN chat.chat_sessions s ON s.user_id = m.user_id AND s.id = m.session_id
        WHERE m.sequence = 1 AND m.created_at < moment AND s.updated_at < moment
          AND (behind_id IS NULL OR (m.created_at, m.session_id) > (behind_moment, behind_id))
        ORDER BY m.created_at, m.session_id LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;
-- Each message that was added moved its session in it, and nothing else asks by it. Before the policy: who appends holds the sessions' table and then
-- wants that of the messages, and would otherwise wait for us while we wait for it.
DROP INDEX chat.chat_sessions_used;
-- The owner is held to the policies too; within that function it sees the table.
CREATE POLICY archiving ON chat.chat_messages FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'archiving');

-- Down ------------------------------------------------------------------------------------------------------------

CREATE INDEX chat_sessions_used ON chat.chat_sessions (updated_at, id);
DROP POLICY archiving ON chat.chat_messages;
CREATE OR REPLACE FUNCTION chat.sessions_unused_since(moment timestamptz, behind_moment timestamptz, behind_id uuid, most integer)
RETURNS TABLE (user_id uuid, id uuid, used_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET plan_cache_mode = force_custom_plan AS $$
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
