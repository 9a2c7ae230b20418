-- What an outbox has of a person is found without reading all of it, told and waiting.

CREATE INDEX CONCURRENTLY outbox_of_person ON users.outbox (lower(payload ->> 'user'));
CREATE INDEX CONCURRENTLY outbox_of_person ON vitals.outbox (lower(payload ->> 'user'));
CREATE INDEX CONCURRENTLY outbox_of_person ON chat.outbox (lower(payload ->> 'user'));
CREATE INDEX CONCURRENTLY outbox_of_person ON vectors.outbox (lower(payload ->> 'user'));

-- Down ------------------------------------------------------------------------------------------------------------

DROP INDEX users.outbox_of_person, vitals.outbox_of_person, chat.outbox_of_person, vectors.outbox_of_person;
