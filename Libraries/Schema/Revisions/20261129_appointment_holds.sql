-- Times that are held for a few minutes and free again by themselves, and providers that are found by name among many.

-- A time is held by an appointment that is 'requested' and has a moment at which that is over. Nobody has to be there at that moment: whoever
-- wants the time next finds the hold over and cancels it for the system, which is told from other cancellations by the moment that stays.
-- Appointments that are requested without such a moment stay so, as before.
ALTER TABLE users.appointments ADD hold_expires_at timestamptz;
CREATE INDEX appointments_of_person ON users.appointments (user_id, starts_at DESC, id DESC);

-- When a provider is taken and nothing else of it, whoever took it. A hold that is over takes nothing, whether somebody has ended it or not.
CREATE OR REPLACE FUNCTION users.provider_bookings(provider uuid, opens timestamptz, closes timestamptz)
RETURNS TABLE (starts_at timestamptz, ends_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'bookings', true);
    -- No appointment is longer than twelve hours, which spares the search those of long ago.
    RETURN QUERY
        SELECT a.starts_at, a.ends_at FROM users.appointments a
        WHERE a.provider_id = provider AND a.starts_at < closes AND a.starts_at > opens - interval '12 hours' AND a.ends_at > opens
          AND closes <= opens + interval '93 days' AND a.status IN ('requested', 'confirmed', 'checked_in', 'in_progress')
          AND (a.status <> 'requested' OR a.hold_expires_at IS NULL OR a.hold_expires_at > clock_timestamp())
        ORDER BY a.starts_at;
    PERFORM set_config('heartguard.task', '', true);
END
$$;

-- Ends the holds within a time of a provider that are over, whose they are, so that they are in nobody's way. Whether the time is taken then
-- by anything but one appointment, and until when at most if it is merely held.
CREATE FUNCTION users.end_holds(provider uuid, opens timestamptz, closes timestamptz, besides uuid, OUT is_taken boolean, OUT held_until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('heartguard.task', 'holds', true);
    UPDATE users.appointments a SET status = 'cancelled', cancelled_at = clock_timestamp(), cancelled_by = 'system', version = a.version + 1
        WHERE a.provider_id = provider AND a.starts_at < closes AND a.starts_at > opens - interval '12 hours' AND a.ends_at > opens
          AND a.status = 'requested' AND a.hold_expires_at <= clock_timestamp();
    SELECT count(*) > 0, CASE WHEN bool_and(a.hold_expires_at IS NOT NULL) THEN max(a.hold_expires_at) END INTO is_taken, held_until
        FROM users.appointments a
        WHERE a.provider_id = provider AND a.starts_at < closes AND a.starts_at > opens - interval '12 hours' AND a.ends_at > opens
          AND a.status IN ('requested', 'confirmed', 'checked_in', 'in_progress') AND a.id IS DISTINCT FROM besides;
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION users.end_holds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users.end_holds TO heartguard_users;
-- The owner is held to the policies too; within that function it sees the table, and may do to it what the function does.
CREATE POLICY holds ON users.appointments FOR SELECT TO heartguard_owner USING ((SELECT current_setting('heartguard.task', true)) = 'holds');
CREATE POLICY holds_end ON users.appointments FOR UPDATE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'holds' AND status = 'requested') WITH CHECK (status = 'cancelled' AND cancelled_by = 'system');

-- What a provider is found by: the words of the name, and a term for each thing that can be asked for besides, so that one index answers all of
-- them together. A term begins with an equals sign, which no word does.
CREATE FUNCTION users.provider_terms(name text, specialty text, languages text[], telehealth boolean, insurance boolean) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT to_tsvector('simple', name) || array_to_tsvector(
        ARRAY['=specialty ' || specialty] || ARRAY(SELECT DISTINCT '=language ' || lower(l) FROM unnest(languages) AS l WHERE l <> '')
        || CASE WHEN telehealth THEN ARRAY['=telehealth'] ELSE '{}' END || CASE WHEN insurance THEN ARRAY['=insurance'] ELSE '{}' END)
$$;
ALTER TABLE users.providers ADD search tsvector
    GENERATED ALWAYS AS (users.provider_terms(name, specialty, languages, offers_telehealth, accepts_insurance)) STORED;
CREATE INDEX providers_search ON users.providers USING gin (search) WHERE is_active;
-- The best rated first, and of equals the youngest; those whom nobody has rated come last.
CREATE INDEX providers_best ON users.providers (coalesce(rating, 0) DESC, id DESC) WHERE is_active;

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX users.providers_best;
ALTER TABLE users.providers DROP COLUMN search;
DROP FUNCTION users.provider_terms;
DROP POLICY holds ON users.appointments;
DROP POLICY holds_end ON users.appointments;
DROP FUNCTION users.end_holds;
CREATE OR REPLACE FUNCTION users.provider_bookings(provider uuid, opens timestamptz, closes timestamptz)
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
DROP INDEX users.appointments_of_person;
-- Nothing would end a hold any more. The policies hide the rows from their owner.
ALTER TABLE users.appointments NO FORCE ROW LEVEL SECURITY;
UPDATE users.appointments SET status = 'cancelled', cancelled_at = clock_timestamp(), cancelled_by = 'system'
    WHERE status = 'requested' AND hold_expires_at IS NOT NULL;
ALTER TABLE users.appointments FORCE ROW LEVEL SECURITY;
ALTER TABLE users.appointments DROP COLUMN hold_expires_at;
