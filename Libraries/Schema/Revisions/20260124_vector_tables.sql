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

-- The documents of the collection medical_knowledge (384-d). The embedding is in pgvector's textual form, so that a
-- server with the extension can later cast the column to vector(384).
CREATE TABLE vectors.vector_medical_knowledge (
    id         text        PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    content    text        NOT NULL,
    embedding  text,
    metadata   jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    position   bigint      NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT vector_medical_knowledge_embedding CHECK ((embedding IS NULL) = (deleted_at IS NOT NULL))
);
CREATE INDEX vector_medical_knowledge_by_position ON vectors.vector_medical_knowledge (position, id);
CREATE INDEX vector_medical_knowledge_metadata ON vectors.vector_medical_knowledge USING gin (metadata jsonb_path_ops);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON vectors.collections FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON vectors.documents FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON vectors.vector_medical_knowledge FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();

GRANT SELECT, INSERT, UPDATE ON vectors.collections, vectors.documents, vectors.vector_medical_knowledge TO heartguard_vectors;
