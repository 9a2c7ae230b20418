-- The index that took the readings and rules of all people for one person's goes; health_alerts_fired_once is there.

DROP INDEX vitals.health_alerts_fired_key;

-- Down ------------------------------------------------------------------------------------------------------------

-- Fails, and changes nothing, once two people have alerts of one reading's and one rule's ids: only this revision and those after it allow them.
CREATE UNIQUE INDEX health_alerts_fired_key ON vitals.health_alerts (fired_by, rule_id, rule_version) WHERE rule_id IS NOT NULL;
