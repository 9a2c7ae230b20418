-- Which classes drugs are of. An interaction may be one of a class, whose name stands where a substance does.

CREATE TABLE vitals.drug_classes (
    substance  text        NOT NULL CHECK (substance = lower(substance) AND length(substance) BETWEEN 1 AND 200),
    class      text        NOT NULL CHECK (class = lower(class) AND length(class) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (substance, class)
);
CALL heartguard.stamp_updates('vitals.drug_classes');
GRANT SELECT, INSERT, UPDATE ON vitals.drug_classes TO heartguard_vitals;

INSERT INTO vitals.drug_classes (class, substance)
SELECT class, unnest(substances) FROM (VALUES
    ('ace inhibitor', ARRAY['benazepril', 'captopril', 'enalapril', 'fosinopril', 'lisinopril', 'perindopril', 'quinapril', 'ramipril', 'trandolapril']),
    ('angiotensin receptor blocker', ARRAY['candesartan', 'irbesartan', 'losartan', 'olmesartan', 'sacubitril/valsartan', 'telmisartan', 'valsartan']),
    ('anticoagulant', ARRAY['apixaban', 'dabigatran', 'edoxaban', 'phenprocoumon', 'rivaroxaban', 'warfarin']),
    ('beta blocker', ARRAY['atenolol', 'bisoprolol', 'carvedilol', 'metoprolol', 'nadolol', 'nebivolol', 'propranolol']),
    ('mao inhibitor', ARRAY['isocarboxazid', 'phenelzine', 'tranylcypromine']),
    ('nitrate', ARRAY['isosorbide dinitrate', 'isosorbide mononitrate', 'nitroglycerin']),
    ('nsaid', ARRAY['celecoxib', 'diclofenac', 'etoricoxib', 'ibuprofen', 'indomethacin', 'ketorolac', 'meloxicam', 'naproxen', 'piroxicam']),
    ('pde5 inhibitor', ARRAY['avanafil', 'sildenafil', 'tadalafil', 'vardenafil']),
    ('potassium-sparing diuretic', ARRAY['amiloride', 'eplerenone', 'spironolactone', 'triamterene']),
    ('ssri', ARRAY['citalopram', 'escitalopram', 'fluoxetine', 'fluvoxamine', 'paroxetine', 'sertraline'])
) AS known (class, substances);

INSERT INTO vitals.drug_names (name, substance) VALUES
    ('altace', 'ramipril'), ('celebrex', 'celecoxib'), ('celexa', 'citalopram'), ('coreg', 'carvedilol'), ('cozaar', 'losartan'),
    ('diovan', 'valsartan'), ('inspra', 'eplerenone'), ('levitra', 'vardenafil'), ('lexapro', 'escitalopram'), ('mobic', 'meloxicam'),
    ('nitrostat', 'nitroglycerin'), ('paxil', 'paroxetine'), ('pradaxa', 'dabigatran'), ('tenormin', 'atenolol'), ('voltaren', 'diclofenac')
ON CONFLICT (name) DO NOTHING;

INSERT INTO vitals.drug_interactions (drug_a, drug_b, severity, mechanism, effect, management, evidence_level, source) VALUES
    ('ace inhibitor', 'angiotensin receptor blocker', 'major', 'Both block the renin-angiotensin system.',
     'Low blood pressure, high potassium, injury of the kidneys.', 'Do not combine them.', 'established', 'Drug labels, by class'),
    ('ace inhibitor', 'nsaid', 'moderate', 'Inhibits the prostaglandins that keep the kidneys perfused.',
     'Higher blood pressure; injury of the kidneys.', 'Avoid for long; check blood pressure and the kidneys.', 'established', 'Drug labels, by class'),
    ('ace inhibitor', 'potassium-sparing diuretic', 'major', 'Both keep potassium in the body.', 'High potassium; arrhythmia.',
     'Check potassium and the kidneys within a week and regularly.', 'established', 'Drug labels, by class'),
    ('ace inhibitor', 'sacubitril/valsartan', 'contraindicated', 'Both raise bradykinin.', 'Angioedema.', 'Wait 36 hours between the two.',
     'established', 'Drug labels, by class'),
    ('angiotensin receptor blocker', 'nsaid', 'moderate', 'Inhibits the prostaglandins that keep the kidneys perfused.',
     'Higher blood pressure; injury of the kidneys.', 'Avoid for long; check blood pressure and the kidneys.', 'established', 'Drug labels, by class'),
    ('angiotensin receptor blocker', 'potassium-sparing diuretic', 'major', 'Both keep potassium in the body.', 'High potassium; arrhythmia.',
     'Check potassium and the kidneys within a week and regularly.', 'established', 'Drug labels, by class'),
    ('anticoagulant', 'nsaid', 'major', 'Inhibits platelets and injures the lining of the stomach while clotting is inhibited.',
     'Bleeding, above all of the stomach and bowels.', 'Use paracetamol instead.', 'established', 'Drug labels, by class'),
    ('anticoagulant', 'ssri', 'moderate', 'Takes serotonin from the platelets while clotting is inhibited.', 'Bleeding.', 'Watch for bleeding.',
     'established', 'Drug labels, by class'),
    ('beta blocker', 'diltiazem', 'major', 'Both slow the sinus and the AV node.', 'Slow pulse, AV block, heart failure.',
     'Watch the pulse and the ECG.', 'established', 'Drug labels, by class'),
    ('beta blocker', 'verapamil', 'major', 'Both slow the sinus and the AV node.', 'Slow pulse, AV block, heart failure.',
     'Avoid; if not possible, watch the ECG.', 'established', 'Drug labels, by class'),
    ('mao inhibitor', 'ssri', 'contraindicated', 'Both raise serotonin.', 'Serotonin syndrome.',
     'Wait 14 days between the two, five weeks after fluoxetine.', 'established', 'Drug labels, by class'),
    ('nitrate', 'pde5 inhibitor', 'contraindicated', 'Both raise cyclic GMP in vessels.', 'Blood pressure falls dangerously.',
     'Do not take both.', 'established', 'Drug labels, by class'),
    ('nsaid', 'ssri', 'moderate', 'Injures the lining of the stomach while platelets have no serotonin.', 'Bleeding of the stomach and bowels.',
     'Use paracetamol instead, or protect the stomach.', 'established', 'Drug labels, by class')
ON CONFLICT (drug_a, drug_b) DO NOTHING;

-- Down ------------------------------------------------------------------------------------------------------------

DELETE FROM vitals.drug_interactions WHERE source = 'Drug labels, by class';
DELETE FROM vitals.drug_names WHERE name IN (
    'altace', 'celebrex', 'celexa', 'coreg', 'cozaar', 'diovan', 'inspra', 'levitra', 'lexapro', 'mobic', 'nitrostat', 'paxil', 'pradaxa', 'tenormin',
    'voltaren');
DROP TABLE vitals.drug_classes;
