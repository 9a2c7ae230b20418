-- Passwords that were tried: counted before each is checked, so that many at once are counted too.

-- By the SHA-256 of an address, whether it has an account or not, so that the answer does not tell. It belongs to nobody's record, and is
-- forgotten a day after the last attempt; a password that is right, and the closing of an account, have it forgotten at once.
CREATE TABLE users.sign_in_attempts (
    address_sha256 bytea       PRIMARY KEY CHECK (length(address_sha256) = 32),
    failures       integer     NOT NULL CHECK (failures > 0),
    blocked_until  timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL heartguard.stamp_updates('users.sign_in_attempts');
CREATE INDEX sign_in_attempts_by_age ON users.sign_in_attempts (updated_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON users.sign_in_attempts TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE users.sign_in_attempts;
