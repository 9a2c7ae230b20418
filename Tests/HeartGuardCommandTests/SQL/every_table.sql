-- A person with a row in every table that has people's rows, and more where rows of one table refer to each other. Numbers have zeros at their ends,
-- texts have marks that JSON escapes, and some rows refer to such as come behind them. :person and :old, a session of which nothing is archived yet, are given.

\set ON_ERROR_STOP 1
\set v1 00000000-0000-7000-8000-000000000001
\set v2 00000000-0000-7000-8000-000000000002
\set m 00000000-0000-7000-8000-000000000003
INSERT INTO users.users (id, email, name, password_hash, phone, birth_date, sex, time_zone, clinician_since, version)
    VALUES (:'person', 'ada@example.org', E'Ada "Lovelace" \\ ü\u2028', 'not to be told', '+44 1', '1815-12-10', 'female', 'Europe/London', now(), 3);
INSERT INTO users.sessions (user_id, id, ended_at, end_reason) VALUES (:'person', :'person', NULL, NULL), (:'person', gen_random_uuid(), now(), 'refresh_reuse');
INSERT INTO users.refresh_tokens (user_id, digest, session_id, expires_at) VALUES (:'person', sha256('token'), :'person', now() + interval '1 day');
INSERT INTO users.push_devices (user_id, id, platform, push_token) VALUES (:'person', gen_random_uuid(), 'ios', 'token');
INSERT INTO users.emergency_contacts (user_id, id, name, relationship, phone) VALUES (:'person', gen_random_uuid(), 'Bob', 'friend', '123');
INSERT INTO users.user_preferences (user_id, category, key, value) VALUES (:'person', 'display', 'theme', '{"dark": true, "scale": 1.50}');
INSERT INTO users.user_consents (user_id, kind, granted, document_version, granted_at) VALUES (:'person', 'research', true, '1', now());
INSERT INTO users.consent_history (user_id, id, kind, granted, document_version, epoch, happened_at)
    VALUES (:'person', gen_random_uuid(), 'research', true, '1', 1, now());
INSERT INTO users.insurance_info (user_id, id, insurer, policy_number, holder_name, valid_from, copay_amount)
    VALUES (:'person', :'person', 'Insurer', 'P-1', 'Ada', '2026-01-01', 10.50);
INSERT INTO users.appointments (user_id, id, provider_id, insurance_id, appointment_type, status, starts_at, ends_at, reason, confirmation_code,
                                symptoms, rescheduled_from) VALUES
    (:'person', '00000000-0000-7000-8000-000000000002', '01890000-0000-7000-8000-000000000001', :'person', 'check_up', 'rescheduled',
     '2026-12-01 09:00+00', '2026-12-01 09:30+00', 'pulse', 'AAAAAA', '{cough,"chest \"pain\""}', NULL),
    (:'person', '00000000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001', :'person', 'check_up', 'confirmed',
     '2026-12-02 09:00+00', '2026-12-02 09:30+00', 'pulse', 'BBBBBB', '{}', '00000000-0000-7000-8000-000000000002');
INSERT INTO users.calendar_events (user_id, id, kind, title, starts_at, ends_at, appointment_id)
    VALUES (:'person', gen_random_uuid(), 'appointment', 'Visit', '2026-12-02 09:00+00', '2026-12-02 09:30+00', '00000000-0000-7000-8000-000000000001');
INSERT INTO users.notifications (user_id, id, kind, channel, title) VALUES (:'person', gen_random_uuid(), 'goal', 'push', 'title');
INSERT INTO users.care_grants (user_id, id, clinician_id, scopes, patient_name, purpose, expires_at)
    VALUES (:'person', gen_random_uuid(), gen_random_uuid(), '{vitals,chat}', 'Ada', 'care', now() + interval '30 days');
INSERT INTO users.avatars (user_id, purpose, media_type, width, height, content)
    VALUES (:'person', 'profile', 'image/png', 1, 1, decode('5c78' || repeat('00ff', 100), 'hex'));
INSERT INTO users.audit_log (user_id, sequence, actor_kind, action, resource, outcome, previous_hash, hash)
    VALUES (:'person', 1, 'user', 'read', 'profile', 'allowed', sha256('0'), sha256('1'));

INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number, push_token)
    VALUES (:'person', :'person', 'watch', 'wearos', 'watch', 'W-1', 'token');
INSERT INTO vitals.vitals (user_id, id, metric, value, unit, components, effective_at, utc_offset_minutes, source, device_id, sequence, version,
                           status, changed_at) VALUES
    (:'person', :'v1', '8867-4', 60.00, '/min', NULL, now(), 60, 'watch', :'person', 1, 2, 'amended', now()),
    (:'person', :'v2', '85354-9', NULL, NULL, '[{"code": "8480-6", "value": 120.0, "unit": "mm[Hg]"}]', now(), 0, 'cuff', NULL, 2, 1, 'final', NULL);
INSERT INTO vitals.observation_versions (user_id, observation_id, version, value, unit, effective_at, utc_offset_minutes, status, status_reason)
    VALUES (:'person', :'v1', 1, 59.50, '/min', now(), 60, 'final', '');
INSERT INTO vitals.timelines (user_id, position) VALUES (:'person', 7);
INSERT INTO vitals.device_series (user_id, device_id, metric_type, last_sequence) VALUES (:'person', :'person', 'ecg', 2);
INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
    VALUES (:'person', :'person', 'ecg', now(), 1, 0.1::float8 + 0.2), (:'person', :'person', 'ecg', '2019-01-01', 2, 1e-300);
INSERT INTO vitals.alert_rules (user_id, id, version, name, metric, condition, threshold, clear_at, unit, min_samples, min_duration_seconds,
                                cooldown_seconds, severity, enabled, since)
    VALUES (:'person', :'person', 1, 'Pulse', '8867-4', 'above', 120.0, 110, '/min', 1, 0, 0, 'high', true, now());
INSERT INTO vitals.health_alerts (user_id, id, type, severity, title, vital_id, rule_id, rule_version, fired_by, started_at, started_id, evidence_ids,
                                  evidence_versions)
    VALUES (:'person', gen_random_uuid(), 'threshold', 'info', 'title', :'v1', :'person', 1, :'v1', now(), :'v1', ARRAY[:'v1', :'v2']::uuid[], '{1,1}');
INSERT INTO vitals.medications (user_id, id, name, dosage, schedule) VALUES (:'person', :'person', 'Metoprolol', '47.50 mg', '{"times": ["08:00"]}');
INSERT INTO vitals.medication_schedules (user_id, medication_id, version, schedule, starts_on, holds_from) VALUES (:'person', :'person', 1, '{}', '2026-01-01', now());
INSERT INTO vitals.medication_doses (user_id, id, medication_id, outcome, recorded_for) VALUES (:'person', gen_random_uuid(), :'person', 'taken', now());
INSERT INTO vitals.user_health_goals (user_id, id, goal_type, title, unit, target_value) VALUES (:'person', :'person', 'steps', 'Walk', '1', 8000);
INSERT INTO vitals.health_goal_milestones (user_id, id, goal_id, position, title, target_value) VALUES (:'person', gen_random_uuid(), :'person', 1, 'Half', 4000.0);
INSERT INTO vitals.health_goal_progress (user_id, id, goal_id, value) VALUES (:'person', gen_random_uuid(), :'person', 12.5);
INSERT INTO vitals.patient_records (user_id, id, record_type, title, content, document_sha256)
    VALUES (:'person', gen_random_uuid(), 'condition', 'Asthma', '{"since": 2001, "exact": 1e2, "small": 0.000100}', sha256('document'));
INSERT INTO vitals.prediction_history (user_id, id, prediction_type, model, model_version, features, risk_score, risk_level, recommendations, inputs_sha256)
    VALUES (:'person', gen_random_uuid(), 'heart_risk', 'm', '1', '{}', 0.25000, 'low', '{walk,"less, salt"}', sha256('inputs'));

INSERT INTO chat.chat_sessions (user_id, id, title, message_count) VALUES (:'person', :'person', 'now', 1), (:'person', :'old', 'then', 40);
INSERT INTO chat.chat_messages (user_id, id, session_id, sequence, role, content, client_id)
    VALUES (:'person', :'m', :'person', 1, 'user', E'line\nand \u0001 and "quotes"', '1');
INSERT INTO chat.chat_messages (user_id, id, session_id, sequence, role, content, metadata, client_id)
    SELECT :'person', gen_random_uuid(), :'old', n, 'assistant', 'What is said again and again / "' || n || '"', '{"exact": 1.50}', n::text
    FROM generate_series(1, 40) AS n;
INSERT INTO chat.chat_history (user_id, id, session_id, role, content, said_at) VALUES (:'person', gen_random_uuid(), 'old', 'user', 'hello', '2020-01-01');
INSERT INTO chat.message_drafts (user_id, session_id, client_id, role, length) VALUES (:'person', :'person', 'draft', 'assistant', 5);
INSERT INTO chat.message_draft_pieces (user_id, session_id, client_id, byte_offset, content) VALUES (:'person', :'person', 'draft', 0, 'piece');
INSERT INTO chat.feedback (user_id, id, message_id, kind) VALUES (:'person', gen_random_uuid(), :'m', 'thumbs');
INSERT INTO chat.content_verifications (user_id, id, message_id, content_sha256, claim, verdict, confidence, verifier)
    VALUES (:'person', gen_random_uuid(), :'m', sha256('claim'), 'claim', 'supported', 0.900, 'v');
INSERT INTO chat.patient_memories (user_id, id, content, category, superseded_by, superseded_at, embedding, embedding_model) VALUES
    (:'person', '00000000-0000-7000-8000-000000000001', 'smokes', 'lifestyle', '00000000-0000-7000-8000-000000000002', now(), NULL, NULL),
    (:'person', '00000000-0000-7000-8000-000000000002', 'smokes no more', 'lifestyle', NULL, NULL, '\x3f8000005c5c5c5c', 'model');
INSERT INTO chat.checkpoint_threads (user_id, number, thread_id) VALUES (:'person', 1, 'agent');
INSERT INTO chat.checkpoints (user_id, thread, namespace, id, position, byte_count, metadata) VALUES (:'person', 1, '', gen_random_uuid(), 0, 1, '{}');
INSERT INTO vectors.vector_user_memories (user_id, id, content, embedding, position)
    VALUES (:'person', 'memory', 'content', vectors.embedding('[' || repeat('0.1,', 383) || '1]'), 1);
