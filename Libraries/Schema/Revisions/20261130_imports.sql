-- Imports of a person's records from another system: the file while it is needed, and how far it was taken in.

-- place and counts go on together: the resources before that place have been dealt with, and are counted. What failed or has finished says when.
CREATE TABLE users.imports (
    user_id      uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id           uuid        NOT NULL,
    client_id    text        NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    format       text        NOT NULL CHECK (format IN ('fhir_r4_bundle', 'fhir_r4_ndjson')),
    source       text        NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    byte_count   bigint      NOT NULL CHECK (byte_count BETWEEN 1 AND 268435456),
    sha256       bytea       NOT NULL CHECK (length(sha256) = 32),
    state        text        NOT NULL DEFAULT 'uploading' CHECK (state IN ('uploading', 'running', 'finished', 'failed')),
    failure      text        CHECK (length(failure) <= 500),
    next_entry   bigint      NOT NULL DEFAULT 0 CHECK (next_entry >= 0),
    next_byte    bigint      NOT NULL DEFAULT 0 CHECK (next_byte >= 0),
    counts       jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(counts) = 'object'),
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT imports_client_id_key UNIQUE (user_id, client_id),
    CONSTRAINT imports_finished CHECK ((state IN ('finished', 'failed')) = (finished_at IS NOT NULL) AND (state = 'failed') = (failure IS NOT NULL))
);
CREATE UNIQUE INDEX imports_under_way ON users.imports (user_id) WHERE state IN ('uploading', 'running');
CREATE INDEX imports_unfinished ON users.imports (requested_at) WHERE state = 'running';
CREATE INDEX imports_expiry ON users.imports (expires_at);
CALL heartguard.guard_rows('users.imports');
CALL heartguard.stamp_updates('users.imports');

-- The file of an import, some of it a row, in the order of its bytes. It goes when the import has finished or failed.
CREATE TABLE users.import_chunks (
    user_id    uuid        NOT NULL,
    import_id  uuid        NOT NULL,
    first_byte bigint      NOT NULL CHECK (first_byte >= 0),
    content    bytea       NOT NULL CHECK (length(content) BETWEEN 1 AND 1048576),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, import_id, first_byte),
    FOREIGN KEY (user_id, import_id) REFERENCES users.imports (user_id, id) ON DELETE CASCADE
);
CALL heartguard.guard_rows('users.import_chunks');
CALL heartguard.stamp_updates('users.import_chunks');
GRANT SELECT, INSERT, UPDATE, DELETE ON users.imports TO heartguard_users;
GRANT SELECT, INSERT, DELETE ON users.import_chunks TO heartguard_users;

-- What the part of an import that a person's records were given last came to: the same part again is answered with it. Written with what is kept
-- of the part, in one transaction.
CREATE TABLE vitals.import_parts (
    user_id    uuid        PRIMARY KEY,
    import_id  uuid        NOT NULL,
    place      bigint      NOT NULL CHECK (place >= 0),
    outcomes   smallint[]  NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.guard_rows('vitals.import_parts');
CALL heartguard.stamp_updates('vitals.import_parts');
GRANT SELECT, INSERT, UPDATE ON vitals.import_parts TO heartguard_vitals;

INSERT INTO heartguard.export_omissions (relation, attribute, reason) VALUES
    ('users.imports', '', 'what was taken in is told itself'),
    ('users.import_chunks', '', 'what was taken in is told itself'),
    ('vitals.import_parts', '', 'what was taken in is told itself');

-- Whom visits were to that took place elsewhere. Nobody can book with it, and no list has it.
INSERT INTO users.providers (id, name, specialty, biography, is_active) VALUES
    ('01890000-0000-7000-8000-000000000100', 'A provider elsewhere', 'other', 'Visits that another system has told of.', false);

-- Imports that are being taken in and were begun before a moment, whoever's they are, the oldest first.
CREATE FUNCTION users.unfinished_imports(requested_before timestamptz, most integer) RETURNS TABLE (import_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'imports', true);
    RETURN QUERY
        SELECT i.id, i.user_id FROM users.imports i
        WHERE i.state = 'running' AND i.requested_at < requested_before ORDER BY i.requested_at LIMIT least(most, 1000);
    PERFORM set_config('heartguard.task', '', true);
END
$$;

-- Removes imports whose time is over, whoever's they are, the oldest first. How many it were.
CREATE FUNCTION users.remove_expired_imports(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'imports', true);
    DELETE FROM users.imports i USING (
        SELECT o.user_id, o.id FROM users.imports o WHERE o.expires_at <= clock_timestamp() ORDER BY o.expires_at LIMIT least(most, 100)) AS old
        WHERE i.user_id = old.user_id AND i.id = old.id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('heartguard.task', '', true);
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION users.unfinished_imports, users.remove_expired_imports FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.unfinished_imports, users.remove_expired_imports TO heartguard_users;
-- The owner is held to the policies too; within those functions it sees the table, and may take rows out of it.
CREATE POLICY imports ON users.imports FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'imports');
CREATE POLICY imports_end ON users.imports FOR DELETE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'imports');

-- Down ------------------------------------------------------------------------------------------------------------

DROP POLICY imports ON users.imports;
DROP POLICY imports_end ON users.imports;
DROP FUNCTION users.unfinished_imports, users.remove_expired_imports;
-- Visits elsewhere go with the one whom they were to. The policies hide the rows from their owner.
ALTER TABLE users.appointments NO FORCE ROW LEVEL SECURITY;
DELETE FROM users.appointments WHERE provider_id = '01890000-0000-7000-8000-000000000100';
ALTER TABLE users.appointments FORCE ROW LEVEL SECURITY;
DELETE FROM users.providers WHERE id = '01890000-0000-7000-8000-000000000100';
DELETE FROM heartguard.export_omissions WHERE relation IN ('users.imports', 'users.import_chunks', 'vitals.import_parts');
DROP TABLE vitals.import_parts;
DROP TABLE users.import_chunks, users.imports;
