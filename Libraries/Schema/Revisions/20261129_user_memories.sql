-- Memories are asked for by what they are: their type, importance and end have columns, and their embeddings stand a second time in a
-- form that is read without being parsed.

-- The components of an embedding in its textual form, four bytes each, the most significant first; NULL for what is no embedding.
CREATE FUNCTION vectors.components(written text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN written ~ '^\[-?\d+(\.\d+)?(e[-+]?\d+)?(,-?\d+(\.\d+)?(e[-+]?\d+)?)*\]$' THEN
        (SELECT string_agg(float4send(component::real), '' ORDER BY place)
         FROM unnest(string_to_array(btrim(written, '[]'), ',')) WITH ORDINALITY AS c (component, place)) END;
GRANT EXECUTE ON FUNCTION vectors.components TO heartguard_vectors;

ALTER TABLE vectors.vector_user_memories
    ADD memory_type text NOT NULL DEFAULT 'note' CHECK (memory_type ~ '^[a-z][a-z0-9_]{0,63}$'),
    ADD importance double precision NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    ADD expires_at timestamptz,
    ADD components bytea GENERATED ALWAYS AS (vectors.components(embedding::text)) STORED;
-- A scan of a person's memories finds the components in the rows themselves; the embedding, which is larger, goes out of line.
ALTER TABLE vectors.vector_user_memories ALTER components SET STORAGE MAIN;

-- The end stood among the metadata. One that was no number was never served. The owner is held to the policies, so the table is opened to it.
ALTER TABLE vectors.vector_user_memories NO FORCE ROW LEVEL SECURITY;
UPDATE vectors.vector_user_memories
    SET metadata = metadata - 'expires_at_us',
        expires_at = CASE WHEN metadata ->> 'expires_at_us' ~ '^-?[0-9]{1,16}$'
                          THEN timestamptz 'epoch' + (metadata ->> 'expires_at_us')::bigint * interval '1 microsecond'
                          ELSE timestamptz 'epoch' END
    WHERE metadata ? 'expires_at_us';
ALTER TABLE vectors.vector_user_memories FORCE ROW LEVEL SECURITY;
CREATE INDEX vector_user_memories_expiry ON vectors.vector_user_memories (expires_at) WHERE expires_at IS NOT NULL;

-- Tombstones of earlier changes are removed by the next.
GRANT DELETE ON vectors.vector_user_memories TO heartguard_vectors;

-- Empties at most so many memories that are past their end, whoever's they are. How many it was. Positions stay: nobody waits for this.
CREATE FUNCTION vectors.empty_expired_memories(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    emptied bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'memory_expiry', true);
    WITH expired AS (
        SELECT m.user_id, m.id FROM vectors.vector_user_memories m WHERE m.expires_at <= clock_timestamp()
        ORDER BY m.expires_at LIMIT least(most, 10000) FOR UPDATE SKIP LOCKED
    )
    UPDATE vectors.vector_user_memories m
        SET content = '', embedding = NULL, metadata = '{}', memory_type = DEFAULT, importance = DEFAULT, expires_at = NULL,
            deleted_at = clock_timestamp()
        FROM expired e WHERE m.user_id = e.user_id AND m.id = e.id;
    GET DIAGNOSTICS emptied = ROW_COUNT;
    PERFORM set_config('heartguard.task', '', true);
    RETURN emptied;
END
$$;
REVOKE ALL ON FUNCTION vectors.empty_expired_memories FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vectors.empty_expired_memories TO heartguard_vectors;
-- The owner is held to the policies too; within that function it sees the table.
CREATE POLICY memory_expiry ON vectors.vector_user_memories TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'memory_expiry');

-- Down ------------------------------------------------------------------------------------------------------------

DROP POLICY memory_expiry ON vectors.vector_user_memories;
DROP FUNCTION vectors.empty_expired_memories;
REVOKE DELETE ON vectors.vector_user_memories FROM heartguard_vectors;
DROP INDEX vectors.vector_user_memories_expiry;
ALTER TABLE vectors.vector_user_memories NO FORCE ROW LEVEL SECURITY;
UPDATE vectors.vector_user_memories
    SET metadata = metadata || jsonb_build_object('expires_at_us', (extract(epoch FROM expires_at) * 1000000)::bigint::text)
    WHERE expires_at IS NOT NULL;
ALTER TABLE vectors.vector_user_memories FORCE ROW LEVEL SECURITY;
ALTER TABLE vectors.vector_user_memories DROP components, DROP expires_at, DROP importance, DROP memory_type;
DROP FUNCTION vectors.components;
