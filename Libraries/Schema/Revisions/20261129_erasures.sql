-- Accounts that are erased: what was removed is counted by the transaction that removed it, and the receipt stays when all else is gone.

-- The id is random and stands in the account for as long as there is one; afterwards nothing says whose erasure it was.
CREATE TABLE users.erasures (
    id           uuid        PRIMARY KEY,
    requested_by text        NOT NULL CHECK (requested_by IN ('user', 'operator')),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    -- A JSON Web Signature of what was removed where; it names nobody.
    receipt      text        CHECK (length(receipt) <= 16384),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT erasures_finished CHECK ((finished_at IS NULL) = (receipt IS NULL))
);
CALL heartguard.stamp_updates('users.erasures');
GRANT SELECT, INSERT, UPDATE ON users.erasures TO heartguard_users;

-- Set when the account is closed, and never unset.
ALTER TABLE users.users ADD erasure_id uuid CONSTRAINT users_erasure_key UNIQUE REFERENCES users.erasures (id);

-- Removes at most so many rows of the person whom the transaction works for, from one table of a service's schema, adds them to the count of
-- the erasure, and says from which table; from none if none has any. What has a user_id is a person's, so a new table is emptied too without
-- anybody thinking of it; the audit log is kept. A table comes after those that refer to it, so no cascade removes rows uncounted.
-- A service's role may delete little by itself; here it may delete all, of a person whose account Users has closed for this erasure.
CREATE FUNCTION heartguard.erase_rows(service name, erasure uuid, most integer, OUT relation text, OUT removed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    person uuid := nullif(current_setting('heartguard.user_id', true), '')::uuid;
    target regclass;
    key text;
    newest_first text;
BEGIN
    IF most IS NULL OR most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'most has to be from 1 to 10000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM users.users u WHERE u.id = person AND u.erasure_id IS DISTINCT FROM erasure) THEN
        RAISE EXCEPTION 'the account is not closed for this erasure' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- One that comes second would wait for the same rows, find them gone, and take that for the end.
    PERFORM pg_advisory_xact_lock(hashtextextended(format('%s.erase_rows %s', service, person), 0));
    FOR target, key, newest_first IN
        WITH RECURSIVE personal AS (
            SELECT c.oid,
                   (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) FROM unnest(p.conkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS key,
                   (SELECT string_agg(quote_ident(a.attname) || ' DESC', ', ' ORDER BY k.place) FROM unnest(p.conkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS newest_first
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
            WHERE n.nspname = service AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'audit_log'
              AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped)
        ), height AS (
            SELECT p.oid, 0 AS height FROM personal p
            UNION
            SELECT k.confrelid, h.height + 1 FROM height h JOIN pg_constraint k ON k.conrelid = h.oid AND k.contype = 'f'
            WHERE k.confrelid <> k.conrelid AND k.confrelid IN (SELECT p.oid FROM personal p)
        )
        SELECT p.oid::regclass, p.key, p.newest_first FROM personal p JOIN height h USING (oid)
        GROUP BY p.oid, p.key, p.newest_first ORDER BY max(h.height), p.oid::regclass::text
    LOOP
        -- The newest first: what refers to another row of its table refers to an older one.
        EXECUTE format('DELETE FROM %1$s WHERE user_id = $1 AND (%2$s) IN (SELECT %2$s FROM %1$s WHERE user_id = $1 ORDER BY %3$s LIMIT $2)',
                       target, key, newest_first) USING person, most;
        GET DIAGNOSTICS removed = ROW_COUNT;
        IF removed > 0 THEN
            relation := (SELECT c.relname FROM pg_class c WHERE c.oid = target);
            EXECUTE format('INSERT INTO %I.erasure_counts AS known (erasure_id, relation, removed) VALUES ($1, $2, $3)
                            ON CONFLICT (erasure_id, relation) DO UPDATE SET removed = known.removed + excluded.removed', service)
                USING erasure, relation, removed;
            RETURN;
        END IF;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION heartguard.erase_rows FROM PUBLIC;

DO $$
DECLARE service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['users', 'vitals', 'chat', 'vectors'] LOOP
        EXECUTE format(
            $table$
            CREATE TABLE %I.erasure_counts (
                erasure_id uuid        NOT NULL,
                relation   text        NOT NULL CHECK (length(relation) BETWEEN 1 AND 63),
                removed    bigint      NOT NULL CHECK (removed > 0),
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                PRIMARY KEY (erasure_id, relation)
            )
            $table$, service);
        EXECUTE format('CALL heartguard.stamp_updates(%L)', service || '.erasure_counts');
        EXECUTE format('GRANT SELECT ON %I.erasure_counts TO %I', service, 'heartguard_' || service);
        EXECUTE format(
            $function$
            CREATE FUNCTION %1$I.erase_rows(erasure uuid, most integer, OUT relation text, OUT removed bigint)
            LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
            AS 'SELECT relation, removed FROM heartguard.erase_rows(''%1$s'', erasure, most)'
            $function$, service);
        EXECUTE format('REVOKE ALL ON FUNCTION %I.erase_rows FROM PUBLIC', service);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I.erase_rows TO %I', service, 'heartguard_' || service);
    END LOOP;
END
$$;

-- Removes the account of the person whom the transaction works for, when it is closed for this erasure. Whether there was one.
CREATE FUNCTION users.remove_account(erasure uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    DELETE FROM users.users u
        WHERE u.id = nullif(current_setting('heartguard.user_id', true), '')::uuid AND u.erasure_id = erasure;
    RETURN FOUND;
END
$$;

-- Erasures that were asked for before a moment and have not come to their end, the oldest first: what taking them up again has to know of
-- other people's rows.
CREATE FUNCTION users.unfinished_erasures(requested_before timestamptz, most integer) RETURNS TABLE (erasure_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'erasures', true);
    RETURN QUERY
        SELECT e.id, u.id FROM users.erasures e JOIN users.users u ON u.erasure_id = e.id
        WHERE e.finished_at IS NULL AND e.requested_at < requested_before ORDER BY e.requested_at LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION users.remove_account, users.unfinished_erasures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.remove_account, users.unfinished_erasures TO heartguard_users;
-- The owner is held to the policies too; within that function it sees the table.
CREATE POLICY erasures ON users.users FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'erasures');
CREATE INDEX erasures_unfinished ON users.erasures (requested_at) WHERE finished_at IS NULL;

-- Down ------------------------------------------------------------------------------------------------------------

DROP POLICY erasures ON users.users;
DROP FUNCTION users.unfinished_erasures, users.remove_account, users.erase_rows, vitals.erase_rows, chat.erase_rows, vectors.erase_rows,
    heartguard.erase_rows;
DROP TABLE users.erasure_counts, vitals.erasure_counts, chat.erasure_counts, vectors.erasure_counts;
ALTER TABLE users.users DROP COLUMN erasure_id;
DROP TABLE users.erasures;
