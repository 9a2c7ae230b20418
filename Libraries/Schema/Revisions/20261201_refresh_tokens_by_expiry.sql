-- Refresh tokens that have expired are found without reading those that are good.

CREATE INDEX CONCURRENTLY refresh_tokens_by_expiry ON users.refresh_tokens (expires_at);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX users.refresh_tokens_by_expiry;
