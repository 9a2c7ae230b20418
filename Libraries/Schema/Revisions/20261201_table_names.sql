-- The collections whose tables the seed names answer to the tables' names too.

-- Whoever made a collection or an alias under such a name keeps it.
INSERT INTO vectors.aliases (name, collection_id, position)
    SELECT 'vector_' || c.name, c.id, c.position FROM vectors.collections AS c
    WHERE c.name IN ('medical_knowledge', 'drug_interactions', 'symptoms_conditions')
        AND NOT EXISTS (SELECT FROM vectors.collections AS other WHERE other.name = 'vector_' || c.name)
    ON CONFLICT ON CONSTRAINT aliases_pkey DO NOTHING;

-- Down ------------------------------------------------------------------------------------------------------------

DELETE FROM vectors.aliases AS a USING vectors.collections AS c
    WHERE c.id = a.collection_id AND a.name = 'vector_' || c.name
        AND c.name IN ('medical_knowledge', 'drug_interactions', 'symptoms_conditions');
