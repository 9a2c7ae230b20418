-- Appointments: providers, when they can be seen, who is booked with them, and who pays.

-- Lets a GiST index compare uuids, each as a range of one, without the extension btree_gist, which not every server has.
CREATE TYPE heartguard.uuid_range AS RANGE (SUBTYPE = uuid);

-- What everybody may read; nothing of it belongs to a person's record.
CREATE TABLE users.providers (
    id                uuid          PRIMARY KEY,
    name              text          NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    title             text          CHECK (length(title) BETWEEN 1 AND 64),
    specialty         text          NOT NULL CHECK (specialty IN ('cardiology', 'electrophysiology', 'general_practice', 'internal_medicine',
                                                                  'endocrinology', 'nutrition', 'psychology', 'physiotherapy', 'other')),
    qualifications    text[]        NOT NULL DEFAULT '{}',
    languages         text[]        NOT NULL DEFAULT '{en}',
    biography         text          NOT NULL DEFAULT '' CHECK (length(biography) <= 4000),
    years_experience  integer       CHECK (years_experience BETWEEN 0 AND 80),
    clinic            text          CHECK (length(clinic) BETWEEN 1 AND 200),
    address           text          CHECK (length(address) BETWEEN 1 AND 500),
    city              text          CHECK (length(city) BETWEEN 1 AND 100),
    country           text          CHECK (country ~ '^[A-Z]{2}$'),
    phone             text          CHECK (length(phone) BETWEEN 3 AND 32),
    email             text          CHECK (length(email) BETWEEN 3 AND 254),
    photo_url         text          CHECK (length(photo_url) <= 2048),
    time_zone         text          NOT NULL DEFAULT 'UTC',
    consultation_fee  numeric(10, 2) CHECK (consultation_fee >= 0),
    currency          text          NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    rating            numeric(2, 1) CHECK (rating BETWEEN 1 AND 5),
    review_count      integer       NOT NULL DEFAULT 0 CHECK (review_count >= 0),
    accepts_insurance boolean       NOT NULL DEFAULT true,
    offers_telehealth boolean       NOT NULL DEFAULT false,
    is_active         boolean       NOT NULL DEFAULT true,
    created_at        timestamptz   NOT NULL DEFAULT clock_timestamp(),
    updated_at        timestamptz   NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX providers_by_specialty ON users.providers (specialty, rating DESC) WHERE is_active;
CALL heartguard.stamp_updates('users.providers');

-- The hours of a weekday (1 is Monday) in the provider's time zone, cut into slots.
CREATE TABLE users.provider_availability (
    provider_id  uuid        NOT NULL REFERENCES users.providers (id) ON DELETE CASCADE,
    id           uuid        NOT NULL,
    weekday      smallint    NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens_at     time        NOT NULL,
    closes_at    time        NOT NULL,
    slot_minutes smallint    NOT NULL DEFAULT 30 CHECK (slot_minutes BETWEEN 5 AND 240),
    is_telehealth boolean    NOT NULL DEFAULT false,
    valid_from   date        NOT NULL DEFAULT '2026-01-01',
    valid_until  date,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider_id, id),
    CONSTRAINT provider_availability_hours CHECK (closes_at > opens_at),
    CONSTRAINT provider_availability_validity CHECK (valid_until >= valid_from),
    CONSTRAINT provider_availability_opens_key UNIQUE (provider_id, weekday, opens_at, valid_from)
);
CALL heartguard.stamp_updates('users.provider_availability');

CREATE TABLE users.insurance_info (
    user_id             uuid          NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id                  uuid          NOT NULL,
    insurer             text          NOT NULL CHECK (length(insurer) BETWEEN 1 AND 200),
    plan_name           text          CHECK (length(plan_name) BETWEEN 1 AND 200),
    plan_type           text          CHECK (plan_type IN ('hmo', 'ppo', 'epo', 'pos', 'statutory', 'private', 'other')),
    policy_number       text          NOT NULL CHECK (length(policy_number) BETWEEN 1 AND 64),
    group_number        text          CHECK (length(group_number) BETWEEN 1 AND 64),
    holder_name         text          NOT NULL CHECK (length(holder_name) BETWEEN 1 AND 200),
    holder_relationship text          NOT NULL DEFAULT 'self' CHECK (holder_relationship IN ('self', 'spouse', 'parent', 'child', 'other')),
    phone               text          CHECK (length(phone) BETWEEN 3 AND 32),
    copay_amount        numeric(10, 2) CHECK (copay_amount >= 0),
    deductible_amount   numeric(10, 2) CHECK (deductible_amount >= 0),
    currency            text          NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    valid_from          date          NOT NULL,
    valid_until         date,
    is_primary          boolean       NOT NULL DEFAULT true,
    status              text          NOT NULL DEFAULT 'unverified' CHECK (status IN ('unverified', 'verified', 'rejected', 'expired')),
    verified_at         timestamptz,
    created_at          timestamptz   NOT NULL DEFAULT clock_timestamp(),
    updated_at          timestamptz   NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    CONSTRAINT insurance_info_policy_key UNIQUE (user_id, insurer, policy_number),
    CONSTRAINT insurance_info_validity CHECK (valid_until >= valid_from),
    CONSTRAINT insurance_info_verified CHECK (status <> 'verified' OR verified_at IS NOT NULL)
);
CREATE UNIQUE INDEX insurance_info_primary_key ON users.insurance_info (user_id) WHERE is_primary;
CALL heartguard.guard_rows('users.insurance_info');
CALL heartguard.stamp_updates('users.insurance_info');

CREATE TABLE users.appointments (
    user_id              uuid          NOT NULL REFERENCES users.users (id) ON DELETE CASCADE,
    id                   uuid          NOT NULL,
    provider_id          uuid          NOT NULL REFERENCES users.providers (id),
    insurance_id         uuid,
    appointment_type     text          NOT NULL CHECK (appointment_type IN ('consultation', 'follow_up', 'check_up', 'procedure',
                                                                            'test', 'emergency')),
    status               text          NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'confirmed', 'checked_in',
                                                       'in_progress', 'completed', 'cancelled', 'no_show', 'rescheduled')),
    priority             text          NOT NULL DEFAULT 'routine' CHECK (priority IN ('routine', 'urgent', 'emergency')),
    starts_at            timestamptz   NOT NULL,
    ends_at              timestamptz   NOT NULL,
    time_zone            text          NOT NULL DEFAULT 'UTC',
    is_telehealth        boolean       NOT NULL DEFAULT false,
    meeting_url          text          CHECK (length(meeting_url) <= 2048),
    location             text          CHECK (length(location) BETWEEN 1 AND 500),
    reason               text          NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    symptoms             text[]        NOT NULL DEFAULT '{}',
    notes                text          CHECK (length(notes) <= 4000),
    provider_notes       text          CHECK (length(provider_notes) <= 10000),
    diagnosis            text          CHECK (length(diagnosis) <= 4000),
    prescription         jsonb         NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(prescription) = 'array'),
    confirmation_code    text          NOT NULL CHECK (confirmation_code ~ '^[A-Z0-9]{6,16}$'),
    client_id            text          CHECK (length(client_id) BETWEEN 1 AND 128),
    reminder_minutes     integer       NOT NULL DEFAULT 1440 CHECK (reminder_minutes BETWEEN 0 AND 40320),
    reminder_sent_at     timestamptz,
    confirmed_at         timestamptz,
    checked_in_at        timestamptz,
    started_at           timestamptz,
    completed_at         timestamptz,
    cancelled_at         timestamptz,
    cancelled_by         text          CHECK (cancelled_by IN ('user', 'provider', 'system')),
    cancellation_reason  text          CHECK (length(cancellation_reason) <= 1000),
    rescheduled_from     uuid,
    follow_up_required   boolean       NOT NULL DEFAULT false,
    follow_up_on         date,
    insurance_verified   boolean       NOT NULL DEFAULT false,
    authorization_number text          CHECK (length(authorization_number) BETWEEN 1 AND 64),
    estimated_cost       numeric(10, 2) CHECK (estimated_cost >= 0),
    copay_amount         numeric(10, 2) CHECK (copay_amount >= 0),
    paid_amount          numeric(10, 2) NOT NULL DEFAULT 0 CHECK (paid_amount >= 0),
    currency             text          NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    payment_status       text          NOT NULL DEFAULT 'unpaid' CHECK (payment_status IN ('unpaid', 'pending', 'paid', 'refunded', 'waived')),
    patient_rating       smallint      CHECK (patient_rating BETWEEN 1 AND 5),
    patient_feedback     text          CHECK (length(patient_feedback) <= 4000),
    version              bigint        NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at           timestamptz   NOT NULL DEFAULT clock_timestamp(),
    updated_at           timestamptz   NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, id),
    FOREIGN KEY (user_id, insurance_id) REFERENCES users.insurance_info (user_id, id) ON DELETE SET NULL (insurance_id),
    FOREIGN KEY (user_id, rescheduled_from) REFERENCES users.appointments (user_id, id),
    CONSTRAINT appointments_confirmation_code_key UNIQUE (confirmation_code),
    CONSTRAINT appointments_client_id_key UNIQUE (user_id, client_id),
    CONSTRAINT appointments_duration CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '12 hours'),
    CONSTRAINT appointments_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)
                                             AND (cancelled_at IS NULL) = (cancelled_by IS NULL)),
    -- A provider sees one person at a time. The constraint looks at everybody's rows, whoever books.
    CONSTRAINT appointments_provider_is_free EXCLUDE USING gist (
        heartguard.uuid_range(provider_id, provider_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (status IN ('requested', 'confirmed', 'checked_in', 'in_progress'))
);
CREATE INDEX appointments_of_insurance ON users.appointments (user_id, insurance_id) WHERE insurance_id IS NOT NULL;
CREATE INDEX appointments_rescheduled ON users.appointments (user_id, rescheduled_from) WHERE rescheduled_from IS NOT NULL;
CREATE INDEX appointments_of_provider ON users.appointments (provider_id, starts_at);
CALL heartguard.guard_rows('users.appointments');
CALL heartguard.stamp_updates('users.appointments');

-- When a provider is taken and nothing else of it, whoever took it: what a booking has to know of other people's rows.
CREATE FUNCTION users.provider_bookings(provider uuid, opens timestamptz, closes timestamptz)
RETURNS TABLE (starts_at timestamptz, ends_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'bookings', true);
    RETURN QUERY
        SELECT a.starts_at, a.ends_at FROM users.appointments a
        WHERE a.provider_id = provider AND a.starts_at < closes AND a.ends_at > opens AND closes <= opens + interval '93 days'
          AND a.status IN ('requested', 'confirmed', 'checked_in', 'in_progress')
        ORDER BY a.starts_at;
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION users.provider_bookings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.provider_bookings TO heartguard_users;
-- The owner is held to the policies too; within that function it sees the table.
CREATE POLICY bookings ON users.appointments FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'bookings');

INSERT INTO users.providers (id, name, title, specialty, qualifications, languages, biography, years_experience, clinic, city,
                             country, time_zone, consultation_fee, rating, review_count, offers_telehealth) VALUES
    ('01890000-0000-7000-8000-000000000001', 'Sample Cardiologist', 'Dr.', 'cardiology', '{MD,FACC}', '{en,es}',
     'Preventive cardiology and heart failure.', 18, 'HeartGuard Clinic', 'Boston', 'US', 'America/New_York', 220.00, 4.9, 312, true),
    ('01890000-0000-7000-8000-000000000002', 'Sample Electrophysiologist', 'Dr.', 'electrophysiology', '{MD,FHRS}', '{en}',
     'Arrhythmias, pacemakers and ablation.', 14, 'HeartGuard Clinic', 'Boston', 'US', 'America/New_York', 260.00, 4.8, 174, true),
    ('01890000-0000-7000-8000-000000000003', 'Sample General Practitioner', 'Dr.', 'general_practice', '{MD}', '{en,de}',
     'First contact and long-term care.', 22, 'HeartGuard Clinic', 'Chicago', 'US', 'America/Chicago', 140.00, 4.7, 501, true),
    ('01890000-0000-7000-8000-000000000004', 'Sample Endocrinologist', 'Dr.', 'endocrinology', '{MD}', '{en,fr}',
     'Diabetes and metabolic risk.', 11, 'HeartGuard Clinic', 'Chicago', 'US', 'America/Chicago', 190.00, 4.6, 98, false),
    ('01890000-0000-7000-8000-000000000005', 'Sample Nutritionist', NULL, 'nutrition', '{RDN}', '{en}',
     'Diets for blood pressure and cholesterol.', 9, 'HeartGuard Clinic', 'Denver', 'US', 'America/Denver', 95.00, 4.8, 143, true);

-- Weekdays from nine to twelve and from one to five.
INSERT INTO users.provider_availability (provider_id, id, weekday, opens_at, closes_at, slot_minutes)
SELECT p.id, gen_random_uuid(), day, hours.opens, hours.closes, 30
FROM users.providers p, generate_series(1, 5) AS day, (VALUES (time '09:00', time '12:00'), ('13:00', '17:00')) AS hours (opens, closes);

GRANT SELECT ON users.providers, users.provider_availability TO heartguard_users;
GRANT SELECT, INSERT, UPDATE, DELETE ON users.insurance_info TO heartguard_users;
GRANT SELECT, INSERT, UPDATE ON users.appointments TO heartguard_users;

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION users.provider_bookings;
DROP TABLE users.appointments, users.insurance_info, users.provider_availability, users.providers;
DROP TYPE heartguard.uuid_range;
