-- A device that an import tells of under another id than the person has registered it with is the same in every part of the import.

-- devices has the ids that are registered, by those that the import tells of.
ALTER TABLE vitals.import_parts ADD devices jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(devices) = 'object');

-- Down ------------------------------------------------------------------------------------------------------------

ALTER TABLE vitals.import_parts DROP COLUMN devices;
