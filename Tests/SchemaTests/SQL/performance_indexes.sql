-- The nine queries that the performance indexes are for, each planned with its index.
--
-- :rows rows a table, of a hundredth as many people; :people is that number. Run by the tests with few rows and by
-- `make bench-indexes` with a million.
\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only true
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;
SELECT no_plan();
-- Foreign keys into tables that are not filled are not what this is about.
SET LOCAL session_replication_role = replica;
CREATE FUNCTION pg_temp.person(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, sequence, recorded_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), (ARRAY['8867-4', '8310-5', '59408-5', '29463-7'])[1 + (n / :people) % 4], 70, '/min',
           timestamptz '2026-01-01' + n * interval '1 second', 0, 'manual', n, timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1, :rows) AS n;
INSERT INTO users.appointments (user_id, id, provider_id, appointment_type, status, starts_at, ends_at, reason, confirmation_code)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), '01890000-0000-7000-8000-000000000001', 'check_up', CASE WHEN (n / :people) % 10 = 0 THEN 'confirmed' ELSE 'completed' END,
           timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-01' + n * interval '1 minute' + interval '1 minute', 'r', 'C' || lpad(n::text, 9, '0')
    FROM generate_series(1, :rows) AS n;
INSERT INTO chat.chat_sessions (user_id, id, title, updated_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), 't', timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1, :rows) AS n;
INSERT INTO vitals.health_alerts (user_id, id, type, severity, title, triggered_at, resolved, resolved_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), 'threshold', 'warning', 't', timestamptz '2026-01-01' + n * interval '1 second',
           (n / :people) % 10 <> 0, CASE WHEN (n / :people) % 10 <> 0 THEN now() END FROM generate_series(1, :rows) AS n;
INSERT INTO users.notifications (user_id, id, kind, channel, title, status, sent_at, scheduled_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), 'system', 'push', 't', CASE WHEN (n / :people) % 10 = 0 THEN 'pending' ELSE 'sent' END, now(),
           timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1, :rows) AS n;
INSERT INTO users.outbox (id, topic, aggregate_id, available_at, published_at)
    SELECT gen_random_uuid(), 'account.closed', gen_random_uuid(), timestamptz '2026-01-01' + n * interval '1 second', CASE WHEN n % 100 <> 0 THEN now() END
    FROM generate_series(1, :rows) AS n;
INSERT INTO vitals.medications (user_id, id, name, dosage, is_active)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), 'm' || n, 'd', (n / :people) % 10 = 0 FROM generate_series(1, :rows) AS n;
INSERT INTO users.calendar_events (user_id, id, kind, title, starts_at, ends_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), 'reminder', 't', timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-01' + n * interval '1 minute'
    FROM generate_series(1, :rows) AS n;
INSERT INTO vitals.prediction_history (user_id, id, prediction_type, model, model_version, features, risk_score, risk_level, predicted_at)
    SELECT pg_temp.person(n % :people), gen_random_uuid(), (ARRAY['heart_risk', 'diabetes'])[1 + (n / :people) % 2], 'm', '1', '{}', 0.1, 'low',
           timestamptz '2026-01-01' + n * interval '1 second' FROM generate_series(1, :rows) AS n;
ANALYZE vitals.vitals, users.appointments, chat.chat_sessions, vitals.health_alerts, users.notifications, users.outbox, vitals.medications,
    users.calendar_events, vitals.prediction_history;

CREATE FUNCTION pg_temp.plan_of(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    PERFORM set_config('heartguard.user_id', '00000000-0000-7000-8000-000000000007', true);
    EXECUTE format('SET LOCAL ROLE heartguard_%I', role);
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RESET ROLE;
    RETURN plan;
END
$$;

\set me 'user_id = ''00000000-0000-7000-8000-000000000007'''
-- Read in its order, or as a bitmap where that is a handful of rows; no other way into the table.
SELECT ok(plan ~ ('Scan (using|on) ' || index || ' ') AND plan !~ 'Seq Scan', index || ' is used')
FROM (SELECT index, pg_temp.plan_of(role, statement) AS plan FROM (VALUES
    ('vitals_recorded', 'vitals', 'SELECT id, value FROM vitals.vitals WHERE ' || :'me' || ' AND metric = ''8867-4'' ORDER BY recorded_at DESC LIMIT 20'),
    ('appointments_by_status', 'users', 'SELECT id FROM users.appointments WHERE ' || :'me' || ' AND status = ''confirmed'' AND starts_at > ''2026-01-02'' ORDER BY starts_at LIMIT 20'),
    ('chat_sessions_recent', 'chat', 'SELECT id, title FROM chat.chat_sessions WHERE ' || :'me' || ' ORDER BY updated_at DESC, id DESC LIMIT 20'),
    ('health_alerts_open', 'vitals', 'SELECT id, title FROM vitals.health_alerts WHERE ' || :'me' || ' AND NOT resolved ORDER BY triggered_at DESC LIMIT 20'),
    ('notifications_pending', 'users', 'SELECT id, title FROM users.notifications WHERE ' || :'me' || ' AND status = ''pending'' ORDER BY scheduled_at LIMIT 20'),
    ('outbox_unpublished', 'users', 'SELECT id, topic FROM users.outbox WHERE published_at IS NULL AND available_at <= now() ORDER BY available_at, id LIMIT 20'),
    ('medications_active', 'vitals', 'SELECT id, name FROM vitals.medications WHERE ' || :'me' || ' AND is_active ORDER BY name LIMIT 50'),
    ('calendar_events_upcoming', 'users', 'SELECT id, title FROM users.calendar_events WHERE ' || :'me' || ' AND status <> ''cancelled'' AND starts_at > ''2026-01-02'' ORDER BY starts_at LIMIT 20'),
    ('prediction_history_newest', 'vitals', 'SELECT id, risk_score FROM vitals.prediction_history WHERE ' || :'me' || ' AND prediction_type = ''heart_risk'' ORDER BY predicted_at DESC LIMIT 1')
) AS queries (index, role, statement)) AS planned;

SELECT * FROM finish();
ROLLBACK;
