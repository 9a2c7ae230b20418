-- Names that lead to collections, so that whoever asks by one is asked nothing when its documents move to a collection of another model.

-- previous_id is the collection that it led to before; it may be deleted. position is the collection's when the alias began to lead to it.
CREATE TABLE vectors.aliases (
    name          text        PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    collection_id uuid        NOT NULL CONSTRAINT aliases_collection_id_fkey REFERENCES vectors.collections (id),
    previous_id   uuid        REFERENCES vectors.collections (id) ON DELETE SET NULL,
    position      bigint      NOT NULL CHECK (position >= 0),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT aliases_previous_is_another CHECK (previous_id <> collection_id)
);
CREATE INDEX aliases_by_collection ON vectors.aliases (collection_id);
CREATE INDEX aliases_by_previous ON vectors.aliases (previous_id);
CALL heartguard.stamp_updates('vectors.aliases');

-- A name is a collection's or an alias's. The lock lets one name be made at a time, and what is asked behind it sees what was made before.
CREATE FUNCTION vectors.keep_names_apart() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    is_taken boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('vectors.names', 0));
    IF TG_TABLE_NAME = 'aliases' THEN
        is_taken := EXISTS (SELECT FROM vectors.collections WHERE name = NEW.name);
    ELSE
        is_taken := EXISTS (SELECT FROM vectors.aliases WHERE name = NEW.name);
    END IF;
    IF is_taken THEN
        RAISE unique_violation USING MESSAGE = 'the name is taken', CONSTRAINT = 'names_are_apart';
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION vectors.keep_names_apart FROM PUBLIC;
CREATE TRIGGER names_are_apart BEFORE INSERT OR UPDATE OF name ON vectors.aliases
    FOR EACH ROW EXECUTE FUNCTION vectors.keep_names_apart();
CREATE TRIGGER names_are_apart BEFORE INSERT OR UPDATE OF name ON vectors.collections
    FOR EACH ROW EXECUTE FUNCTION vectors.keep_names_apart();

GRANT SELECT, INSERT, UPDATE, DELETE ON vectors.aliases TO heartguard_vectors;
-- Its documents go with it, by the foreign key of vectors.documents.
GRANT DELETE ON vectors.collections TO heartguard_vectors;

-- Down ------------------------------------------------------------------------------------------------------------

REVOKE DELETE ON vectors.collections FROM heartguard_vectors;
DROP TRIGGER names_are_apart ON vectors.collections;
DROP TABLE vectors.aliases;
DROP FUNCTION vectors.keep_names_apart;
