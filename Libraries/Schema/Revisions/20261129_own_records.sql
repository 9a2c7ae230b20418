-- What people keep of their own is changed by whoever has read it last, and a device's messages go to whoever registered it last.

ALTER TABLE users.emergency_contacts ADD version bigint NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE users.insurance_info ADD version bigint NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE users.user_preferences ADD version bigint NOT NULL DEFAULT 1 CHECK (version > 0);

CREATE INDEX push_devices_by_token ON users.push_devices (md5(push_token));

-- Takes a token from everybody but the person whom the transaction works for. Who wants the same token at the same time comes behind.
CREATE FUNCTION users.take_push_token(token text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    person uuid := nullif(current_setting('heartguard.user_id', true), '')::uuid;
    taken bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('users.push_devices ' || token, 0));
    PERFORM set_config('heartguard.task', 'push_tokens', true);
    DELETE FROM users.push_devices d WHERE md5(d.push_token) = md5(token) AND d.push_token = token AND d.user_id <> person;
    GET DIAGNOSTICS taken = ROW_COUNT;
    PERFORM set_config('heartguard.task', '', true);
    RETURN taken;
END
$$;
REVOKE ALL ON FUNCTION users.take_push_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.take_push_token TO heartguard_users;
-- The owner is held to the policies too; within that function it sees the table, and may take rows out of it.
CREATE POLICY push_tokens ON users.push_devices FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'push_tokens');
CREATE POLICY push_tokens_end ON users.push_devices FOR DELETE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'push_tokens');

-- Down ------------------------------------------------------------------------------------------------------------

DROP POLICY push_tokens ON users.push_devices;
DROP POLICY push_tokens_end ON users.push_devices;
DROP FUNCTION users.take_push_token;
DROP INDEX users.push_devices_by_token;
ALTER TABLE users.user_preferences DROP COLUMN version;
ALTER TABLE users.insurance_info DROP COLUMN version;
ALTER TABLE users.emergency_contacts DROP COLUMN version;
