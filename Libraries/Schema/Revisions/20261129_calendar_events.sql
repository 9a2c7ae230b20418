-- Entries of calendars that are changed by whoever has read them last, and read by other calendar programs.

-- Grows with every change; iCalendar's SEQUENCE.
ALTER TABLE users.calendar_events ADD version bigint NOT NULL DEFAULT 1 CHECK (version > 0);
CREATE INDEX calendar_events_of_person ON users.calendar_events (user_id, starts_at, id);

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX users.calendar_events_of_person;
ALTER TABLE users.calendar_events DROP COLUMN version;
