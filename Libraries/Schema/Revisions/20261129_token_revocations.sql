-- The record of revoked access tokens, which every service may ask while the blocklist in Redis cannot be asked or is not complete.

-- A row is a session, or an account whose sessions up to one are meant; it says nothing of a person beyond that.
CREATE TABLE heartguard.revocations (
    id         uuid        PRIMARY KEY,
    up_to      uuid,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX revocations_by_expiry ON heartguard.revocations (expires_at);
CALL heartguard.stamp_updates('heartguard.revocations');
GRANT SELECT ON heartguard.revocations TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;
GRANT INSERT, UPDATE, DELETE ON heartguard.revocations TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE heartguard.revocations;
