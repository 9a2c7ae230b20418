-- When medications were due under each schedule that they had, what became of the doses, and which drugs do not go together.

-- A schedule holds from one instant to another, so that what was due in the past stays what it was. schedule is as in vitals.medications.
CREATE TABLE vitals.medication_schedules (
    user_id       uuid        NOT NULL,
    medication_id uuid        NOT NULL,
    version       bigint      NOT NULL CHECK (version > 0),
    schedule      jsonb       NOT NULL CHECK (jsonb_typeof(schedule) = 'object'),
    starts_on     date        NOT NULL,
    ends_on       date,
    holds_from    timestamptz NOT NULL,
    holds_until   timestamptz,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, medication_id, version),
    FOREIGN KEY (user_id, medication_id) REFERENCES vitals.medications (user_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX medication_schedules_standing ON vitals.medication_schedules (user_id, medication_id) WHERE holds_until IS NULL;
CALL heartguard.guard_rows('vitals.medication_schedules');
CALL heartguard.stamp_updates('vitals.medication_schedules');

-- scheduled_at is when it was due; without it the dose was taken as needed. A scheduled dose is recorded once.
CREATE TABLE vitals.medication_doses (
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    medication_id uuid        NOT NULL,
    scheduled_at  timestamptz,
    outcome       text        NOT NULL CHECK (outcome IN ('taken', 'skipped')),
    recorded_for  timestamptz NOT NULL,
    note          text        NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, medication_id) REFERENCES vitals.medications (user_id, id) ON DELETE CASCADE,
    CONSTRAINT medication_doses_scheduled_key UNIQUE (user_id, medication_id, scheduled_at)
);
CALL heartguard.guard_rows('vitals.medication_doses');
CALL heartguard.stamp_updates('vitals.medication_doses');
GRANT SELECT, INSERT, UPDATE ON vitals.medication_schedules, vitals.medication_doses TO heartguard_vitals;

-- Names that drugs are sold under, and the substance that is in them. Reference data.
CREATE TABLE vitals.drug_names (
    name       text        PRIMARY KEY CHECK (name = lower(name) AND length(name) BETWEEN 1 AND 200),
    substance  text        NOT NULL CHECK (substance = lower(substance) AND length(substance) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.stamp_updates('vitals.drug_names');
GRANT SELECT, INSERT, UPDATE ON vitals.drug_names TO heartguard_vitals;

INSERT INTO vitals.drug_names (name, substance) VALUES
    ('coumadin', 'warfarin'), ('marcumar', 'phenprocoumon'), ('aspirin', 'acetylsalicylic acid'), ('asa', 'acetylsalicylic acid'),
    ('advil', 'ibuprofen'), ('motrin', 'ibuprofen'), ('nurofen', 'ibuprofen'), ('aleve', 'naproxen'), ('lanoxin', 'digoxin'),
    ('cordarone', 'amiodarone'), ('pacerone', 'amiodarone'), ('zocor', 'simvastatin'), ('lipitor', 'atorvastatin'),
    ('biaxin', 'clarithromycin'), ('plavix', 'clopidogrel'), ('prilosec', 'omeprazole'), ('losec', 'omeprazole'), ('zestril', 'lisinopril'),
    ('prinivil', 'lisinopril'), ('vasotec', 'enalapril'), ('aldactone', 'spironolactone'), ('viagra', 'sildenafil'), ('cialis', 'tadalafil'),
    ('isoptin', 'verapamil'), ('calan', 'verapamil'), ('lopressor', 'metoprolol'), ('toprol', 'metoprolol'), ('eliquis', 'apixaban'),
    ('xarelto', 'rivaroxaban'), ('glucophage', 'metformin'), ('prozac', 'fluoxetine'), ('zoloft', 'sertraline'), ('nardil', 'phenelzine'),
    ('entresto', 'sacubitril/valsartan'), ('diflucan', 'fluconazole'), ('flagyl', 'metronidazole');

-- What the labels of these drugs warn of.
INSERT INTO vitals.drug_interactions (drug_a, drug_b, severity, mechanism, effect, management, evidence_level, source) VALUES
    ('acetylsalicylic acid', 'warfarin', 'major', 'Inhibits platelets and injures the lining of the stomach while clotting is inhibited.',
     'Bleeding, above all of the stomach and bowels.', 'Avoid unless both are prescribed together; watch for bleeding.', 'established', 'Drug labels'),
    ('ibuprofen', 'warfarin', 'major', 'Inhibits platelets and injures the lining of the stomach while clotting is inhibited.',
     'Bleeding, above all of the stomach and bowels.', 'Use paracetamol instead.', 'established', 'Drug labels'),
    ('naproxen', 'warfarin', 'major', 'Inhibits platelets and injures the lining of the stomach while clotting is inhibited.',
     'Bleeding, above all of the stomach and bowels.', 'Use paracetamol instead.', 'established', 'Drug labels'),
    ('amiodarone', 'warfarin', 'major', 'Inhibits CYP2C9, which breaks warfarin down.', 'INR rises over weeks; bleeding.',
     'Lower the dose of warfarin by a third to a half and check INR weekly.', 'established', 'Drug labels'),
    ('fluconazole', 'warfarin', 'major', 'Inhibits CYP2C9, which breaks warfarin down.', 'INR rises; bleeding.', 'Check INR within days.', 'established',
     'Drug labels'),
    ('metronidazole', 'warfarin', 'major', 'Inhibits CYP2C9, which breaks warfarin down.', 'INR rises; bleeding.', 'Check INR within days.', 'established',
     'Drug labels'),
    ('amiodarone', 'digoxin', 'major', 'Inhibits P-glycoprotein, which carries digoxin out.', 'The level of digoxin rises; arrhythmia.',
     'Halve the dose of digoxin and check its level.', 'established', 'Drug labels'),
    ('digoxin', 'verapamil', 'major', 'Inhibits P-glycoprotein, and both slow the AV node.', 'The level of digoxin rises; AV block.',
     'Lower the dose of digoxin and check its level and the pulse.', 'established', 'Drug labels'),
    ('clarithromycin', 'digoxin', 'major', 'Inhibits P-glycoprotein, which carries digoxin out.', 'The level of digoxin rises; arrhythmia.',
     'Check the level of digoxin, or use another antibiotic.', 'established', 'Drug labels'),
    ('amiodarone', 'simvastatin', 'major', 'Inhibits CYP3A4, which breaks simvastatin down.', 'Injury of muscles, rhabdomyolysis.',
     'No more than 20 mg of simvastatin a day.', 'established', 'Drug labels'),
    ('clarithromycin', 'simvastatin', 'contraindicated', 'Inhibits CYP3A4, which breaks simvastatin down.', 'Rhabdomyolysis.',
     'Pause simvastatin while clarithromycin is taken.', 'established', 'Drug labels'),
    ('atorvastatin', 'clarithromycin', 'major', 'Inhibits CYP3A4, which breaks atorvastatin down.', 'Injury of muscles, rhabdomyolysis.',
     'No more than 20 mg of atorvastatin a day.', 'established', 'Drug labels'),
    ('simvastatin', 'verapamil', 'major', 'Inhibits CYP3A4, which breaks simvastatin down.', 'Injury of muscles, rhabdomyolysis.',
     'No more than 10 mg of simvastatin a day.', 'established', 'Drug labels'),
    ('clopidogrel', 'omeprazole', 'moderate', 'Inhibits CYP2C19, which makes clopidogrel effective.', 'Platelets are inhibited less.',
     'Use pantoprazole instead.', 'established', 'Drug labels'),
    ('lisinopril', 'spironolactone', 'major', 'Both keep potassium in the body.', 'High potassium; arrhythmia.',
     'Check potassium and the kidneys within a week and regularly.', 'established', 'Drug labels'),
    ('enalapril', 'spironolactone', 'major', 'Both keep potassium in the body.', 'High potassium; arrhythmia.',
     'Check potassium and the kidneys within a week and regularly.', 'established', 'Drug labels'),
    ('lisinopril', 'potassium chloride', 'major', 'The kidneys excrete less potassium.', 'High potassium; arrhythmia.', 'Check potassium.', 'established',
     'Drug labels'),
    ('ibuprofen', 'lisinopril', 'moderate', 'Inhibits the prostaglandins that keep the kidneys perfused.', 'Higher blood pressure; injury of the kidneys.',
     'Avoid for long; check blood pressure and the kidneys.', 'established', 'Drug labels'),
    ('lisinopril', 'sacubitril/valsartan', 'contraindicated', 'Both raise bradykinin.', 'Angioedema.', 'Wait 36 hours between the two.', 'established',
     'Drug labels'),
    ('enalapril', 'sacubitril/valsartan', 'contraindicated', 'Both raise bradykinin.', 'Angioedema.', 'Wait 36 hours between the two.', 'established',
     'Drug labels'),
    ('nitroglycerin', 'sildenafil', 'contraindicated', 'Both raise cyclic GMP in vessels.', 'Blood pressure falls dangerously.',
     'No nitrate within 24 hours of sildenafil.', 'established', 'Drug labels'),
    ('nitroglycerin', 'tadalafil', 'contraindicated', 'Both raise cyclic GMP in vessels.', 'Blood pressure falls dangerously.',
     'No nitrate within 48 hours of tadalafil.', 'established', 'Drug labels'),
    ('isosorbide mononitrate', 'sildenafil', 'contraindicated', 'Both raise cyclic GMP in vessels.', 'Blood pressure falls dangerously.',
     'Do not take both.', 'established', 'Drug labels'),
    ('metoprolol', 'verapamil', 'major', 'Both slow the sinus and the AV node.', 'Slow pulse, AV block, heart failure.',
     'Avoid; if not possible, watch the ECG.', 'established', 'Drug labels'),
    ('fluoxetine', 'metoprolol', 'moderate', 'Inhibits CYP2D6, which breaks metoprolol down.', 'Slow pulse, low blood pressure.',
     'Watch the pulse, lower the dose of metoprolol.', 'established', 'Drug labels'),
    ('apixaban', 'ibuprofen', 'major', 'Inhibits platelets while clotting is inhibited.', 'Bleeding.', 'Use paracetamol instead.', 'established',
     'Drug labels'),
    ('ibuprofen', 'rivaroxaban', 'major', 'Inhibits platelets while clotting is inhibited.', 'Bleeding.', 'Use paracetamol instead.', 'established',
     'Drug labels'),
    ('acetylsalicylic acid', 'ibuprofen', 'moderate', 'Keeps acetylsalicylic acid from the platelets.', 'The heart is protected less; bleeding.',
     'Take ibuprofen eight hours before or half an hour after.', 'established', 'Drug labels'),
    ('phenelzine', 'sertraline', 'contraindicated', 'Both raise serotonin.', 'Serotonin syndrome.', 'Wait 14 days between the two.', 'established',
     'Drug labels')
ON CONFLICT (drug_a, drug_b) DO NOTHING;

-- Down ------------------------------------------------------------------------------------------------------------

DELETE FROM vitals.drug_interactions WHERE source = 'Drug labels';
DROP TABLE vitals.drug_names;
DROP TABLE vitals.medication_doses, vitals.medication_schedules;
