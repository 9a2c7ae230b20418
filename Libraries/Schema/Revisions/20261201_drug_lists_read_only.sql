-- What drugs are called and which classes they are of is the operator's to say, as the owner. The service reads both, and could change them.

REVOKE INSERT, UPDATE ON vitals.drug_names, vitals.drug_classes FROM heartguard_vitals;

-- Down ------------------------------------------------------------------------------------------------------------

GRANT INSERT, UPDATE ON vitals.drug_names, vitals.drug_classes TO heartguard_vitals;
