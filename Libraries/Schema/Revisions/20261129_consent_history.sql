-- Each time that a consent was given or withdrawn, and pictures that people have given of themselves.

-- The service's role adds and reads. What is here goes with the account and in no other way. Kinds and documents are those of users.user_consents,
-- which checks them.
CREATE TABLE users.consent_history (
    user_id          uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id               uuid        NOT NULL,
    kind             text        NOT NULL,
    granted          boolean     NOT NULL,
    document_version text        NOT NULL,
    epoch            bigint      NOT NULL CHECK (epoch > 0),
    happened_at      timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT consent_history_epoch_key UNIQUE (user_id, kind, epoch)
);
CREATE INDEX consent_history_latest ON users.consent_history (user_id, happened_at DESC, id DESC);
CALL heartguard.stamp_updates('users.consent_history');

-- What is known of the time before: how each consent stands, and when it was given that was withdrawn. The policies hide the rows from their owner.
ALTER TABLE users.user_consents NO FORCE ROW LEVEL SECURITY;
INSERT INTO users.consent_history (user_id, id, kind, granted, document_version, epoch, happened_at)
SELECT user_id, gen_random_uuid(), kind, granted, document_version, epoch, coalesce(withdrawn_at, granted_at) FROM users.user_consents
UNION ALL
SELECT user_id, gen_random_uuid(), kind, true, document_version, epoch - 1, granted_at FROM users.user_consents WHERE NOT granted AND epoch > 1;
ALTER TABLE users.user_consents FORCE ROW LEVEL SECURITY;
CALL heartguard.guard_rows('users.consent_history');
GRANT SELECT, INSERT ON users.consent_history TO heartguard_users;

CREATE TABLE users.avatars (
    user_id    uuid        NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    -- One a person, until there are pictures for something else.
    purpose    text        NOT NULL CHECK (purpose = 'profile'),
    media_type text        NOT NULL CHECK (media_type IN ('image/png', 'image/jpeg', 'image/webp')),
    width      integer     NOT NULL CHECK (width BETWEEN 1 AND 2048),
    height     integer     NOT NULL CHECK (height BETWEEN 1 AND 2048),
    content    bytea       NOT NULL CHECK (length(content) BETWEEN 1 AND 524288),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, purpose)
);
CALL heartguard.guard_rows('users.avatars');
CALL heartguard.stamp_updates('users.avatars');
GRANT SELECT, INSERT, UPDATE, DELETE ON users.avatars TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE users.avatars, users.consent_history;
