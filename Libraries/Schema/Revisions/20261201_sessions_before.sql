-- Forgets the sessions whose tokens were forgotten before. Apart from the policies that it goes by: making those locks out whoever signs in, and of sessions
-- there may be millions.

SELECT set_config('heartguard.task', 'forgetting', true);
DELETE FROM users.sessions s
    WHERE s.updated_at < now() - interval '30 days'
      AND NOT EXISTS (SELECT FROM users.refresh_tokens t WHERE t.user_id = s.user_id AND t.session_id = s.id);
SELECT set_config('heartguard.task', '', true);

-- Down ------------------------------------------------------------------------------------------------------------

SELECT 'what is over stays forgotten';
