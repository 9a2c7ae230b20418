-- The audit log as it is written: every read and write of a person's record through any service, in a chain of its own for each process that writes.

-- It stands in the schema of all, since every service adds to it; Users reads it for the person whose records they were. Erasing a person leaves it. The
-- baseline's users.audit_log had a chain for each person, whose writers had to wait for each other; nothing has written it, and a later release drops it.
CREATE TABLE heartguard.audit_log (
    -- The process; its events are numbered from 1, and each holds the hash of the one before it.
    writer        uuid        NOT NULL,
    sequence      bigint      NOT NULL CHECK (sequence > 0),
    occurred_at   timestamptz NOT NULL,
    -- Whose record; nobody's for what is no person's, or was not found out.
    user_id       uuid,
    actor_id      uuid,
    actor_kind    text        NOT NULL CHECK (actor_kind IN ('user', 'clinician', 'operator', 'service', 'anyone')),
    -- The program that called, by its certificate.
    program       text        CHECK (length(program) BETWEEN 1 AND 200),
    service       text        NOT NULL CHECK (length(service) BETWEEN 1 AND 200),
    method        text        NOT NULL CHECK (length(method) BETWEEN 1 AND 200),
    action        text        NOT NULL CHECK (action IN ('read', 'write', 'security')),
    resource_id   uuid,
    -- HL7's PurposeOfUse; the programs know which terms there are.
    purpose       text        NOT NULL CHECK (purpose ~ '^[A-Z]{2,16}$'),
    -- gRPC's number; none for an event that was written before its call could have an effect.
    status        smallint    CHECK (status BETWEEN 0 AND 16),
    trace_id      uuid        NOT NULL,
    request_id    text        NOT NULL CHECK (length(request_id) <= 128),
    previous_hash bytea       NOT NULL CHECK (length(previous_hash) = 32),
    hash          bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (writer, sequence)
);
CREATE INDEX audit_log_of_person ON heartguard.audit_log (user_id, occurred_at DESC, writer DESC, sequence DESC);
CALL heartguard.guard_rows('heartguard.audit_log');
GRANT SELECT ON heartguard.audit_log TO heartguard_users;
-- Nobody changes what is written, its owner neither.
REVOKE UPDATE, DELETE, TRUNCATE ON heartguard.audit_log FROM heartguard_owner;
-- Within record_access, and for who verifies the log, the owner sees and adds what is other people's.
CREATE POLICY audit_adding ON heartguard.audit_log FOR INSERT TO heartguard_owner
    WITH CHECK ((SELECT current_setting('heartguard.task', true)) = 'audit');
CREATE POLICY audit_reading ON heartguard.audit_log FOR SELECT TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'audit');

-- Adds events behind the end of a chain, all or none. The same events sent again change nothing; a chain that ends otherwise is refused.
CREATE FUNCTION heartguard.record_access(
    chain uuid, last_sequence bigint, last_hash bytea, moments timestamptz[], people uuid[], actors uuid[], kinds text[], programs text[],
    services text[], methods text[], actions text[], resources uuid[], purposes text[], statuses smallint[], traces uuid[], requests text[],
    hashes bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'audit', true);
    IF last_sequence > 0 AND NOT EXISTS (
        SELECT FROM heartguard.audit_log l WHERE l.writer = chain AND l.sequence = last_sequence AND l.hash = last_hash)
    THEN
        RAISE EXCEPTION 'the chain does not end where these events begin' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO heartguard.audit_log (writer, sequence, occurred_at, user_id, actor_id, actor_kind, program, service, method, action,
                                 resource_id, purpose, status, trace_id, request_id, previous_hash, hash)
    SELECT chain, last_sequence + e.place, e.moment, e.person, e.actor, e.kind, e.program, e.service, e.method, e.action, e.resource,
           e.purpose, e.status, e.trace, e.request, coalesce(lag(e.hash) OVER (ORDER BY e.place), last_hash), e.hash
    FROM unnest(moments, people, actors, kinds, programs, services, methods, actions, resources, purposes, statuses, traces, requests, hashes)
         WITH ORDINALITY AS e (moment, person, actor, kind, program, service, method, action, resource, purpose, status, trace, request, hash, place)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added < cardinality(hashes) AND (
        SELECT count(*) FROM unnest(hashes) WITH ORDINALITY AS e (hash, place)
        JOIN heartguard.audit_log l ON l.writer = chain AND l.sequence = last_sequence + e.place AND l.hash = e.hash) < cardinality(hashes)
    THEN
        RAISE EXCEPTION 'the chain has other events already' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM set_config('heartguard.task', '', true);
END
$$;
REVOKE ALL ON FUNCTION heartguard.record_access FROM PUBLIC;
GRANT EXECUTE ON FUNCTION heartguard.record_access TO heartguard_users, heartguard_vitals, heartguard_chat, heartguard_vectors;

-- Down ------------------------------------------------------------------------------------------------------------

DROP FUNCTION heartguard.record_access;
DROP TABLE heartguard.audit_log;
