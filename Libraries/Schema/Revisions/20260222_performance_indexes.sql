-- Indexes for the nine hottest queries, built while the tables are in use.
-- Runs outside a transaction: statement by statement, and an index that an interrupted run left invalid is made anew.

CREATE INDEX CONCURRENTLY vitals_recorded ON vitals.vitals (user_id, metric, recorded_at DESC);
CREATE INDEX CONCURRENTLY appointments_by_status ON users.appointments (user_id, status, starts_at);
CREATE INDEX CONCURRENTLY chat_sessions_recent ON chat.chat_sessions (user_id, updated_at DESC, id DESC);
CREATE INDEX CONCURRENTLY health_alerts_open ON vitals.health_alerts (user_id, triggered_at DESC) WHERE NOT resolved;
CREATE INDEX CONCURRENTLY notifications_pending ON users.notifications (user_id, scheduled_at) WHERE status = 'pending';
CREATE INDEX CONCURRENTLY outbox_unpublished ON users.outbox (available_at, id) WHERE published_at IS NULL;
CREATE INDEX CONCURRENTLY medications_active ON vitals.medications (user_id, name) WHERE is_active;
CREATE INDEX CONCURRENTLY calendar_events_upcoming ON users.calendar_events (user_id, starts_at) WHERE status <> 'cancelled';
CREATE INDEX CONCURRENTLY prediction_history_newest ON vitals.prediction_history (user_id, prediction_type, predicted_at DESC);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX vitals.vitals_recorded, users.appointments_by_status, chat.chat_sessions_recent, vitals.health_alerts_open,
    users.notifications_pending, users.outbox_unpublished, vitals.medications_active, users.calendar_events_upcoming,
    vitals.prediction_history_newest;
