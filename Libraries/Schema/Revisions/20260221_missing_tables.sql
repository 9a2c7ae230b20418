-- Consent: what a person agreed to, as it stands, with an epoch that grows each time it is given or withdrawn.

CREATE TABLE users.user_consents (
    user_id          uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    kind             text        NOT NULL CHECK (kind IN ('health_data', 'ai_analysis', 'research', 'care_sharing', 'marketing')),
    granted          boolean     NOT NULL,
    document_version text        NOT NULL CHECK (length(document_version) BETWEEN 1 AND 64),
    granted_at       timestamptz NOT NULL,
    withdrawn_at     timestamptz,
    epoch            bigint      NOT NULL DEFAULT 1 CHECK (epoch > 0),
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, kind),
    CONSTRAINT user_consents_granted_or_withdrawn CHECK (granted = (withdrawn_at IS NULL))
);
ALTER TABLE users.user_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE users.user_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users.user_consents
    USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::uuid));
CREATE TRIGGER set_updated_at BEFORE UPDATE ON users.user_consents FOR EACH ROW EXECUTE FUNCTION heartguard.set_updated_at();
GRANT SELECT, INSERT, UPDATE ON users.user_consents TO heartguard_users;
