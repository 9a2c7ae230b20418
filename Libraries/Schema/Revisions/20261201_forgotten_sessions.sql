-- A session goes with the last of its refresh tokens; one that was over stayed for as long as its account.

-- Signing in forgets what is over of the account.
GRANT DELETE ON users.sessions TO heartguard_users;

-- The owner is held to the policies too; within the function it sees the tables.
CREATE POLICY forgetting ON users.refresh_tokens TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'forgetting');
CREATE POLICY forgetting ON users.sessions TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'forgetting');

-- Forgets at most so many refresh tokens that expired before a moment, whoever's they are, and the sessions that have none left. How many tokens
-- there were. Tokens and sessions are looked up by their keys, however many there are.
CREATE FUNCTION users.forget_refresh_tokens(expired_before timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    forgotten bigint;
    people uuid[];
    sessions uuid[];
BEGIN
    IF expired_before IS NULL OR expired_before > now() OR most IS NULL OR most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'good tokens are kept, and most has to be from 1 to 10000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Of two at once, each would leave a session whose other tokens the other forgets.
    PERFORM pg_advisory_xact_lock(hashtextextended('users.forget_refresh_tokens', 0));
    PERFORM set_config('heartguard.task', 'forgetting', true);
    WITH expired AS (
        DELETE FROM users.refresh_tokens t WHERE (t.user_id, t.digest) IN (
            SELECT e.user_id, e.digest FROM users.refresh_tokens e WHERE e.expires_at < expired_before
            ORDER BY e.expires_at LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING t.user_id, t.session_id
    )
    SELECT count(*), array_agg(e.user_id), array_agg(e.session_id) INTO forgotten, people, sessions FROM expired e;
    DELETE FROM users.sessions s WHERE (s.user_id, s.id) IN (SELECT e.person, e.session FROM unnest(people, sessions) AS e (person, session))
        AND NOT EXISTS (SELECT FROM users.refresh_tokens t WHERE t.user_id = s.user_id AND t.session_id = s.id);
    PERFORM set_config('heartguard.task', '', true);
    RETURN forgotten;
END
$$;
REVOKE ALL ON FUNCTION users.forget_refresh_tokens FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.forget_refresh_tokens TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION users.forget_refresh_tokens;
DROP POLICY forgetting ON users.sessions;
DROP POLICY forgetting ON users.refresh_tokens;
REVOKE DELETE ON users.sessions FROM heartguard_users;
