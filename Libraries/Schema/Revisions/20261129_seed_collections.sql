-- Each table of vectors that is nobody's in particular is a collection from the start, with its model, its dimension and its metric.

-- A collection that somebody made under one of the names keeps its documents, its id and the rest, under a name of its own.
UPDATE vectors.collections SET name = name || '_' || right(id::text, 8)
    WHERE name IN ('drug_interactions', 'symptoms_conditions', 'medical_text_768', 'medical_images_1152');

-- What is in the tables already is counted. medical_knowledge may be there, pinned as who made it wanted it.
INSERT INTO vectors.collections (id, name, model_id, dimension, metric, document_count, position)
    SELECT c.id, c.name, c.model_id, c.dimension, 'cosine', c.counts[1], c.counts[2] FROM (VALUES
        (uuid '019acc3f-7800-7000-8000-000000000001', 'medical_knowledge', 'sentence-transformers/all-MiniLM-L6-v2', 384,
         (SELECT ARRAY[count(*) FILTER (WHERE deleted_at IS NULL), coalesce(max(position), 0)] FROM vectors.vector_medical_knowledge)),
        (uuid '019acc3f-7800-7000-8000-000000000002', 'drug_interactions', 'sentence-transformers/all-MiniLM-L6-v2', 384,
         (SELECT ARRAY[count(*) FILTER (WHERE deleted_at IS NULL), coalesce(max(position), 0)] FROM vectors.vector_drug_interactions)),
        (uuid '019acc3f-7800-7000-8000-000000000003', 'symptoms_conditions', 'sentence-transformers/all-MiniLM-L6-v2', 384,
         (SELECT ARRAY[count(*) FILTER (WHERE deleted_at IS NULL), coalesce(max(position), 0)] FROM vectors.vector_symptoms_conditions)),
        (uuid '019acc3f-7800-7000-8000-000000000004', 'medical_text_768', 'ncbi/MedCPT-Query-Encoder', 768,
         (SELECT ARRAY[count(*) FILTER (WHERE deleted_at IS NULL), coalesce(max(position), 0)] FROM vectors.medical_text_768)),
        (uuid '019acc3f-7800-7000-8000-000000000005', 'medical_images_1152', 'google/siglip-so400m-patch14-384', 1152,
         (SELECT ARRAY[count(*) FILTER (WHERE deleted_at IS NULL), coalesce(max(position), 0)] FROM vectors.medical_images_1152))
    ) AS c (id, name, model_id, dimension, counts)
    ON CONFLICT ON CONSTRAINT collections_name_key DO NOTHING;

-- Down ------------------------------------------------------------------------------------------------------------

-- The documents stay in their tables. medical_knowledge was a collection before.
DELETE FROM vectors.collections WHERE id IN (
    '019acc3f-7800-7000-8000-000000000002', '019acc3f-7800-7000-8000-000000000003',
    '019acc3f-7800-7000-8000-000000000004', '019acc3f-7800-7000-8000-000000000005');
