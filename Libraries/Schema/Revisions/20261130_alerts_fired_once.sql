-- A reading fires a version of a rule once for each person: imports give two people readings of one id, and rules of one id are two people's.

-- Beside the index that it takes the place of, which goes in the next revision, so that at no moment neither is there.
CREATE UNIQUE INDEX CONCURRENTLY health_alerts_fired_once ON vitals.health_alerts (user_id, fired_by, rule_id, rule_version) WHERE rule_id IS NOT NULL;

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX vitals.health_alerts_fired_once;
