-- Collections of embedded documents: the system of record that the indexes in memory are a function of.
--
-- Every change of a collection takes its row's lock and the next position, so positions commit in their order and a
-- replica that has seen position p finds everything newer by position > p. A deleted document stays as a tombstone
-- (its content, embedding and metadata emptied), so that replicas learn of it too.

CREATE SCHEMA vectors;
GRANT USAGE ON SCHEMA vectors TO heartguard_vectors;

CREATE TABLE vectors.collections (
    id             uuid        PRIMARY KEY,
    name           text        NOT NULL CONSTRAINT collections_name_key UNIQUE CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    model_id       text        NOT NULL CHECK (length(model_id) BETWEEN 1 AND 200),
    dimension      integer     NOT NULL CHECK (dimension BETWEEN 1 AND 4096),
    metric         text        NOT NULL CHECK (metric IN ('cosine', 'inner_product', 'euclidean')),
    document_count bigint      NOT NULL DEFAULT 0 CHECK (document_count >= 0),
    position       bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.stamp_updates('vectors.collections');

-- The documents of collections that users make; the embedding is little-endian float32.
CREATE TABLE vectors.documents (
    collection_id uuid        NOT NULL REFERENCES vectors.collections (id) ON DELETE CASCADE,
    id            text        NOT NULL CHECK (length(id) BETWEEN 1 AND 256),
    content       text        NOT NULL,
    embedding     bytea       NOT NULL,
    metadata      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    position      bigint      NOT NULL,
    deleted_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (collection_id, id)
);
CREATE INDEX documents_by_position ON vectors.documents (collection_id, position, id);
CALL heartguard.stamp_updates('vectors.documents');

-- The two collections that ChromaDB held, 768-d texts and 1152-d images, with the embedding in the same form.
CREATE TABLE vectors.medical_text_768 (
    id         text        PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    content    text        NOT NULL,
    embedding  bytea       CHECK (length(embedding) = 4 * 768),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    position   bigint      NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT medical_text_768_embedding CHECK ((embedding IS NULL) = (deleted_at IS NOT NULL))
);
CREATE INDEX medical_text_768_by_position ON vectors.medical_text_768 (position, id);
CALL heartguard.stamp_updates('vectors.medical_text_768');

CREATE TABLE vectors.medical_images_1152 (
    id         text        PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    content    text        NOT NULL,
    embedding  bytea       CHECK (length(embedding) = 4 * 1152),
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    position   bigint      NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT medical_images_1152_embedding CHECK ((embedding IS NULL) = (deleted_at IS NOT NULL))
);
CREATE INDEX medical_images_1152_by_position ON vectors.medical_images_1152 (position, id);
CALL heartguard.stamp_updates('vectors.medical_images_1152');

-- The four tables of 384-d embeddings. Where the database has pgvector (only a superuser adds it: `heartguard migrate
-- --bootstrap` does where the server offers it) the column is vector(384) with an HNSW index by cosine; elsewhere it is
-- text in pgvector's own form, so that a later upgrade is a cast. vectors.embedding(text) makes the column's type of that
-- form, so that one statement serves both. Its body is bound when it is made: no role needs to find the extension.
DO $$
DECLARE
    vector text := (SELECT format('%I.vector', n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                    WHERE e.extname = 'vector');
    target text;
BEGIN
    EXECUTE format('CREATE FUNCTION vectors.embedding(written text) RETURNS %1$s LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN written::%1$s',
                   coalesce(vector, 'text'));
    FOREACH target IN ARRAY ARRAY['vector_medical_knowledge', 'vector_drug_interactions', 'vector_symptoms_conditions', 'vector_user_memories'] LOOP
        EXECUTE format($table$
            CREATE TABLE vectors.%1$I (
                %2$s
                id         text        NOT NULL CHECK (length(id) BETWEEN 1 AND 256),
                content    text        NOT NULL,
                embedding  %3$s,
                metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
                position   bigint      NOT NULL,
                deleted_at timestamptz,
                created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
                PRIMARY KEY (%4$s id),
                CONSTRAINT %5$I CHECK ((embedding IS NULL) = (deleted_at IS NOT NULL))
            ) $table$,
            target, CASE WHEN target = 'vector_user_memories' THEN 'user_id uuid NOT NULL,' ELSE '' END,
            coalesce(vector || '(384)', 'text'), CASE WHEN target = 'vector_user_memories' THEN 'user_id,' ELSE '' END,
            target || '_embedding');
        EXECUTE format('CREATE INDEX %I ON vectors.%I (%s position, id)', target || '_by_position', target,
                       CASE WHEN target = 'vector_user_memories' THEN 'user_id,' ELSE '' END);
        IF vector IS NOT NULL THEN
            EXECUTE format('CREATE INDEX %I ON vectors.%I USING hnsw (embedding %s.vector_cosine_ops)', target || '_nearest', target,
                           left(vector, -length('.vector')));
        END IF;
        EXECUTE format('CALL heartguard.stamp_updates(%L)', 'vectors.' || target);
    END LOOP;
END
$$;
CALL heartguard.guard_rows('vectors.vector_user_memories');

GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA vectors TO heartguard_vectors;

-- Down ------------------------------------------------------------------------------------------------------------

DROP SCHEMA vectors CASCADE;
