-- Answers that are given again: of each call with an idempotency-key, what was answered, committed with what the call changed.

DO $$
DECLARE service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['users', 'vitals', 'chat', 'vectors'] LOOP
        -- user_id is whose records the call was about; id is the SHA-256 of who called which method with which key, and request that of what was
        -- asked. A kept answer is written once and never changed, but for the next call with a key whose time is over.
        EXECUTE format(
            $table$
            CREATE TABLE %I.idempotency_keys (
                user_id    uuid        NOT NULL,
                id         bytea       NOT NULL CHECK (length(id) = 32),
                request    bytea       NOT NULL CHECK (length(request) = 32),
                answer     bytea       NOT NULL,
                expires_at timestamptz NOT NULL,
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                PRIMARY KEY (user_id, id)
            )
            $table$, service);
        EXECUTE format('CREATE INDEX idempotency_keys_expiry ON %I.idempotency_keys (expires_at)', service);
        EXECUTE format('CALL heartguard.guard_rows(%L)', service || '.idempotency_keys');
        EXECUTE format('CALL heartguard.stamp_updates(%L)', service || '.idempotency_keys');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I.idempotency_keys TO %I', service, 'heartguard_' || service);
        -- Removes answers whose time is over, whoever's they are, the oldest first. How many it were.
        EXECUTE format(
            $function$
            CREATE FUNCTION %1$I.remove_expired_answers(most integer) RETURNS bigint
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$
            DECLARE
                removed bigint;
            BEGIN
                PERFORM set_config('heartguard.task', 'answers', true);
                DELETE FROM %1$I.idempotency_keys k USING (
                    SELECT o.user_id, o.id FROM %1$I.idempotency_keys o
                    WHERE o.expires_at <= clock_timestamp() ORDER BY o.expires_at LIMIT least(most, 10000) FOR UPDATE SKIP LOCKED) AS old
                    WHERE k.user_id = old.user_id AND k.id = old.id;
                GET DIAGNOSTICS removed = ROW_COUNT;
                PERFORM set_config('heartguard.task', '', true);
                RETURN removed;
            END
            $body$
            $function$, service);
        EXECUTE format('REVOKE ALL ON FUNCTION %I.remove_expired_answers FROM PUBLIC', service);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I.remove_expired_answers TO %I', service, 'heartguard_' || service);
        -- The owner is held to the policies too; within that function it sees the table, and may take rows out of it.
        EXECUTE format(
            'CREATE POLICY expired ON %I.idempotency_keys TO heartguard_owner USING ((SELECT current_setting(''heartguard.task'', true)) = ''answers'')',
            service);
        EXECUTE format(
            'INSERT INTO heartguard.export_omissions (relation, reason) VALUES (%L, %L)', service || '.idempotency_keys',
            'answers that were given before, for a day, of changes to what is told');
    END LOOP;
END
$$;

-- Down ------------------------------------------------------------------------------------------------------------

DELETE FROM heartguard.export_omissions WHERE relation LIKE '%.idempotency_keys';
DROP FUNCTION users.remove_expired_answers, vitals.remove_expired_answers, chat.remove_expired_answers, vectors.remove_expired_answers;
DROP TABLE users.idempotency_keys, vitals.idempotency_keys, chat.idempotency_keys, vectors.idempotency_keys;
