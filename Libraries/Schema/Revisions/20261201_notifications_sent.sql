-- People read what was sent to them from the last on; a reminder was made long before it is sent.

CREATE INDEX CONCURRENTLY notifications_sent ON users.notifications (user_id, sent_at, id) WHERE status IN ('sent', 'delivered');

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX users.notifications_sent;
