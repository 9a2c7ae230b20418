-- Exports of a person's records: what every service tells of its tables, and the files that are made of it.

-- What is no part of an export, and why; the attribute is '' for a whole table. Whatever else has a user_id is told, without anybody thinking
-- of it, so a column that holds a secret has to be added here by the revision that makes it.
CREATE TABLE heartguard.export_omissions (
    relation  text NOT NULL CHECK (relation ~ '^[a-z_]+\.[a-z0-9_]+$'),
    attribute text NOT NULL DEFAULT '',
    reason    text NOT NULL CHECK (length(reason) BETWEEN 10 AND 200),
    PRIMARY KEY (relation, attribute)
);
INSERT INTO heartguard.export_omissions (relation, attribute, reason) VALUES
    ('users.users', 'password_hash', 'a secret: what the password is checked with'),
    ('users.refresh_tokens', '', 'secrets: what the tokens of signed-in devices are checked with'),
    ('users.push_devices', 'push_token', 'a secret: whoever has it sends messages to the device'),
    ('users.exports', '', 'the exports themselves'),
    ('users.export_chunks', '', 'the exports themselves'),
    ('vitals.device_rollups', '', 'made of the samples, which are told'),
    ('vitals.user_devices', 'push_token', 'a secret: whoever has it sends messages to the device'),
    ('chat.session_archives', 'content', 'packed: its messages are told one by one, as chat.archived_messages'),
    ('chat.checkpoint_segments', '', 'the working memory of agents, in the bytes of the library that wrote it'),
    ('chat.checkpoint_writes', '', 'the working memory of agents, in the bytes of the library that wrote it');
GRANT SELECT ON heartguard.export_omissions TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

-- The tables of a service that hold people's rows, in the order of their names: the columns that are told, with their types, and those that are not,
-- with the reason.
CREATE FUNCTION heartguard.exported_tables(service text) RETURNS TABLE (relation text, description json)
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT c.relname::text, json_build_object(
        'table', service || '.' || c.relname,
        'columns', (SELECT json_object_agg(a.attname, CASE a.atttypid WHEN 'bytea'::regtype THEN 'bytea, in base64' ELSE format_type(a.atttypid, NULL) END
                                           ORDER BY a.attnum)
                    FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                      AND NOT EXISTS (SELECT FROM heartguard.export_omissions o
                                      WHERE o.relation = service || '.' || c.relname AND o.attribute IN ('', a.attname))),
        'left_out', coalesce((SELECT json_object_agg(left_out.name, left_out.reason ORDER BY left_out.name) FROM (
            SELECT CASE o.attribute WHEN '' THEN '*' ELSE o.attribute END AS name, o.reason FROM heartguard.export_omissions o
            WHERE o.relation = service || '.' || c.relname
            UNION ALL
            SELECT a.attname, 'made of the other columns' FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> '') AS left_out), '{}'::json))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = service AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND (service || '.' || c.relname = 'users.users'
           OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped))
    ORDER BY c.relname
$$;

-- At most so many rows of a table of the person whom the transaction works for, behind the one whose key `after` is, in the order of the primary
-- key; fewer, but one at least, if they would take more than most_bytes. With each, its own key, for the call that follows. Runs with the caller's
-- rights, so under the policies that hold for the caller. Every key of a person's rows begins with the person: each page is a range of an index.
CREATE FUNCTION heartguard.export_rows(service text, target text, after jsonb, most integer, most_bytes integer)
RETURNS TABLE (record text, place text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
    person uuid := nullif(current_setting('heartguard.user_id', true), '')::uuid;
    source oid := to_regclass(format('%I.%I', service, target));
    owner name := CASE format('%s.%s', service, target) WHEN 'users.users' THEN 'id' ELSE 'user_id' END;
    fields text;
    key text;
    key_values text;
    key_object text;
    bytes bigint := 0;
BEGIN
    IF most IS NULL OR most NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'most has to be from 1 to 10000' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT string_agg(CASE a.atttypid WHEN 'bytea'::regtype THEN format('translate(encode(t.%1$I, ''base64''), E''\n'', '''') AS %1$I', a.attname)
                                      ELSE format('t.%I', a.attname) END, ', ' ORDER BY a.attnum)
        INTO fields FROM pg_attribute a
        WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          AND NOT EXISTS (SELECT FROM heartguard.export_omissions o WHERE o.relation = service || '.' || target AND o.attribute IN ('', a.attname));
    IF fields IS NULL THEN
        RETURN;
    END IF;
    SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY k.place),
           string_agg(format('%L::%s', after ->> a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.place),
           string_agg(format('%L, t.%I::text', a.attname, a.attname), ', ' ORDER BY k.place)
        INTO key, key_values, key_object
        FROM pg_constraint p CROSS JOIN unnest(p.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = source AND a.attnum = k.number
        WHERE p.conrelid = source AND p.contype = 'p' AND a.attname <> owner;
    FOR record, place IN EXECUTE format(
        'SELECT (SELECT row_to_json(x)::text FROM (SELECT %s) AS x), jsonb_build_object(%s)::text FROM %s AS t WHERE t.%I = $1 %s %s LIMIT $2',
        fields, coalesce(key_object, ''), source::regclass, owner,
        CASE WHEN after IS NULL THEN '' WHEN key IS NULL THEN 'AND false' ELSE format('AND (%s) > (%s)', key, key_values) END,
        'ORDER BY ' || concat_ws(', ', format('t.%I', owner), key))
        USING person, most
    LOOP
        bytes := bytes + octet_length(record);
        EXIT WHEN bytes > most_bytes AND bytes > octet_length(record);
        RETURN NEXT;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION heartguard.exported_tables, heartguard.export_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heartguard.exported_tables, heartguard.export_rows
    TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

-- An export that has finished has its digest, and a client id stands for one.
CREATE TABLE users.exports (
    user_id      uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id           uuid        NOT NULL,
    client_id    text        NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    format       text        NOT NULL CHECK (format IN ('json_lines', 'fhir_r4')),
    state        text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'failed')),
    failure      text        CHECK (length(failure) <= 500),
    sha256       bytea       CHECK (length(sha256) = 32),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT exports_client_id_key UNIQUE (user_id, client_id),
    CONSTRAINT exports_finished CHECK ((state = 'finished') = (sha256 IS NOT NULL) AND (state = 'running') = (finished_at IS NULL)
                                       AND (state = 'failed') = (failure IS NOT NULL))
);
CREATE UNIQUE INDEX exports_running ON users.exports (user_id) WHERE state = 'running';
CREATE INDEX exports_unfinished ON users.exports (requested_at) WHERE state = 'running';
CREATE INDEX exports_expiry ON users.exports (expires_at);
CALL heartguard.guard_rows('users.exports');
CALL heartguard.stamp_updates('users.exports');

-- The file of an export, some of it a row, in the order of its bytes. Each says where the work goes on behind it (NULL: nothing is left to ask
-- for), so whoever takes the work over knows all there is to know; and no two can write what comes next.
CREATE TABLE users.export_chunks (
    user_id    uuid        NOT NULL,
    export_id  uuid        NOT NULL,
    first_byte bigint      NOT NULL CHECK (first_byte >= 0),
    content    bytea       NOT NULL CHECK (length(content) > 0),
    counts     jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(counts) = 'object'),
    next       jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, export_id, first_byte),
    FOREIGN KEY (user_id, export_id) REFERENCES users.exports (user_id, id) ON DELETE CASCADE
);
CALL heartguard.guard_rows('users.export_chunks');
CALL heartguard.stamp_updates('users.export_chunks');
GRANT SELECT, INSERT, UPDATE, DELETE ON users.exports TO heartguard_users;
GRANT SELECT, INSERT, DELETE ON users.export_chunks TO heartguard_users;

-- Exports that were asked for before a moment and still run, whoever's they are, the oldest first: what taking them up again has to know.
CREATE FUNCTION users.unfinished_exports(requested_before timestamptz, most integer) RETURNS TABLE (export_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'exports', true);
    RETURN QUERY
        SELECT e.id, e.user_id FROM users.exports e
        WHERE e.state = 'running' AND e.requested_at < requested_before ORDER BY e.requested_at LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;

-- Removes exports whose time is over, whoever's they are, the oldest first. How many it were.
CREATE FUNCTION users.remove_expired_exports(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'exports', true);
    DELETE FROM users.exports e USING (
        SELECT o.user_id, o.id FROM users.exports o WHERE o.expires_at <= clock_timestamp() ORDER BY o.expires_at LIMIT least(most, 100)) AS old
        WHERE e.user_id = old.user_id AND e.id = old.id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('heartguard.task', '', true);
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION users.unfinished_exports, users.remove_expired_exports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.unfinished_exports, users.remove_expired_exports TO heartguard_users;
-- The owner is held to the policies too; within those functions it sees the table, and may take rows out of it.
CREATE POLICY exports ON users.exports FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'exports');
CREATE POLICY exports_end ON users.exports FOR DELETE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'exports');

-- Down ------------------------------------------------------------------------------------------------------------

DROP POLICY exports ON users.exports;
DROP POLICY exports_end ON users.exports;
DROP FUNCTION users.unfinished_exports, users.remove_expired_exports;
DROP TABLE users.export_chunks, users.exports;
DROP FUNCTION heartguard.export_rows, heartguard.exported_tables;
DROP TABLE heartguard.export_omissions;
