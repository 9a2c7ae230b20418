-- Who is an operator besides the account that the settings name: an address that they named before leaves one behind.

-- The owner is held to the policies too; within the function it sees the table.
CREATE POLICY operators ON users.users FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'operators');

-- The accounts alone, a hundred at most. All accounts are read; Users asks once, when it starts.
CREATE FUNCTION users.other_operators(address text) RETURNS TABLE (user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'operators', true);
    RETURN QUERY SELECT u.id FROM users.users u WHERE u.role = 'operator' AND u.email <> address ORDER BY u.created_at LIMIT 100;
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION users.other_operators FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.other_operators TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION users.other_operators;
DROP POLICY operators ON users.users;
