-- A memory has its embedding in its own row: what takes its place, ends it or deletes it does so to what is found by meaning as well.

-- The components as four bytes each, the most significant first, and the model that made them; they stay in the row, where a search reads them.
ALTER TABLE chat.patient_memories
    ADD embedding       bytea CHECK (length(embedding) BETWEEN 4 AND 16384 AND length(embedding) % 4 = 0),
    ADD embedding_model text  CHECK (length(embedding_model) BETWEEN 1 AND 200),
    ADD CONSTRAINT patient_memories_embedded CHECK ((embedding IS NULL) = (embedding_model IS NULL));
ALTER TABLE chat.patient_memories ALTER embedding SET STORAGE MAIN;

-- Down ------------------------------------------------------------------------------------------------------------

ALTER TABLE chat.patient_memories DROP COLUMN embedding, DROP COLUMN embedding_model;
