-- What is due and how far somebody kept to it are asked for by a person and a period, whatever the medication.

CREATE INDEX CONCURRENTLY medication_doses_due ON vitals.medication_doses (user_id, scheduled_at);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX vitals.medication_doses_due;
