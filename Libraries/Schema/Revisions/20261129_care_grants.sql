-- Clinicians, and the patients who have let them into their records.

-- A column of its own, so that programs that know of no clinicians go on with such accounts as users'.
ALTER TABLE users.users ADD clinician_since timestamptz;

-- A grant is written once and ended once; giving it again is another row. It has the clinician as the patient named them: by id, or by an address,
-- which is resolved when the grant is given and belongs to nobody's account if there is no such clinician then.
CREATE TABLE users.care_grants (
    user_id         uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id              uuid        NOT NULL,
    clinician_id    uuid,
    clinician_email text        CHECK (length(clinician_email) BETWEEN 3 AND 254),
    scopes          text[]      NOT NULL DEFAULT '{}' CHECK (cardinality(scopes) BETWEEN 1 AND 32),
    patient_name    text        NOT NULL CHECK (length(patient_name) BETWEEN 1 AND 200),
    purpose         text        NOT NULL CHECK (length(purpose) BETWEEN 1 AND 200),
    granted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT care_grants_named CHECK (clinician_id IS NOT NULL OR clinician_email IS NOT NULL),
    CONSTRAINT care_grants_to_others CHECK (clinician_id <> user_id)
);
-- One that stands for each name.
CREATE UNIQUE INDEX care_grants_standing_key ON users.care_grants (user_id, (coalesce(clinician_email, clinician_id::text))) WHERE revoked_at IS NULL;
CREATE INDEX care_grants_given_to ON users.care_grants (clinician_id, user_id) WHERE revoked_at IS NULL;
CALL heartguard.guard_rows('users.care_grants');
CALL heartguard.stamp_updates('users.care_grants');
-- Who was let in sees that they were, and may give it back.
CREATE POLICY given ON users.care_grants FOR SELECT
    USING (clinician_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
CREATE POLICY given_back ON users.care_grants FOR UPDATE
    USING (clinician_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
-- What has ended has ended, and nothing else changes: the service's role may set revoked_at alone.
CREATE POLICY ended_once ON users.care_grants AS RESTRICTIVE FOR UPDATE TO heartguard_users
    USING (revoked_at IS NULL) WITH CHECK (revoked_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE (revoked_at) ON users.care_grants TO heartguard_users;

-- Whether a patient lets the clinician whom the transaction works for into any of these scopes, now. The one thing that every service may ask of
-- grants; the policies of the table, which hold for its owner too, see to it that it is of one's own.
CREATE FUNCTION heartguard.care_granted(patient uuid, wanted text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (
        SELECT FROM users.care_grants g
        WHERE g.user_id = patient AND g.clinician_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid)
          AND g.revoked_at IS NULL AND g.expires_at > clock_timestamp() AND g.scopes && wanted
    )
$$;
REVOKE ALL ON FUNCTION heartguard.care_granted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heartguard.care_granted TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION heartguard.care_granted;
DROP TABLE users.care_grants;
ALTER TABLE users.users DROP COLUMN clinician_since;
