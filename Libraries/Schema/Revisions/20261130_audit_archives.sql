-- Archives of the audit log: old events move into files that the operator keeps, and each chain goes on from its base.

-- How old an event has to be before it may leave the log. Six years, as 45 CFR 164.316(b)(2)(i) has it, unless the owner of the database says otherwise.
CREATE TABLE heartguard.audit_retention (
    single  boolean  PRIMARY KEY DEFAULT true CHECK (single),
    minimum interval NOT NULL CHECK (minimum >= interval '0')
);
INSERT INTO heartguard.audit_retention (minimum) VALUES ('6 years');

-- Files that events have moved into: what the file holds, its digest, the minimum that held then, and who did it.
CREATE TABLE heartguard.audit_archives (
    sha256        bytea       PRIMARY KEY CHECK (length(sha256) = 32),
    -- Its events are older than this.
    before        timestamptz NOT NULL,
    events        bigint      NOT NULL CHECK (events > 0),
    chains        bigint      NOT NULL CHECK (chains > 0),
    minimum       interval    NOT NULL,
    archived_by   text        NOT NULL DEFAULT session_user,
    archived_from inet        DEFAULT inet_client_addr(),
    archived_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Where the chain of a writer begins in the log: behind this event, which is in an archive with all before it.
CREATE TABLE heartguard.audit_bases (
    writer   uuid   PRIMARY KEY,
    sequence bigint NOT NULL CHECK (sequence > 0),
    hash     bytea  NOT NULL CHECK (length(hash) = 32),
    -- The digest of the file that has it.
    archive  bytea  NOT NULL
);

-- The owner reads both. It adds an archive, and adds and moves a base, within remove_archived_accesses; nobody else has any right to them.
ALTER TABLE heartguard.audit_archives ENABLE ROW LEVEL SECURITY;
ALTER TABLE heartguard.audit_archives FORCE ROW LEVEL SECURITY;
ALTER TABLE heartguard.audit_bases ENABLE ROW LEVEL SECURITY;
ALTER TABLE heartguard.audit_bases FORCE ROW LEVEL SECURITY;
REVOKE UPDATE, DELETE, TRUNCATE ON heartguard.audit_archives FROM heartguard_owner;
REVOKE DELETE, TRUNCATE ON heartguard.audit_bases FROM heartguard_owner;
REVOKE DELETE, TRUNCATE ON heartguard.audit_retention FROM heartguard_owner;
CREATE POLICY reading ON heartguard.audit_archives FOR SELECT TO heartguard_owner USING (true);
-- Users tells people from when on the list of who read their records is complete.
GRANT SELECT (before) ON heartguard.audit_archives TO heartguard_users;
CREATE POLICY telling ON heartguard.audit_archives FOR SELECT TO heartguard_users USING (true);
CREATE POLICY adding ON heartguard.audit_archives FOR INSERT TO heartguard_owner
    WITH CHECK ((SELECT current_setting('heartguard.task', true)) = 'audit');
CREATE POLICY reading ON heartguard.audit_bases FOR SELECT TO heartguard_owner USING (true);
CREATE POLICY adding ON heartguard.audit_bases FOR INSERT TO heartguard_owner
    WITH CHECK ((SELECT current_setting('heartguard.task', true)) = 'audit');
CREATE POLICY moving ON heartguard.audit_bases FOR UPDATE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'audit');

-- Whatever the owner works for, it takes no event out of the log but one that is old enough and that a base stands for.
GRANT DELETE ON heartguard.audit_log TO heartguard_owner;
CREATE POLICY audit_removing ON heartguard.audit_log FOR DELETE TO heartguard_owner
    USING ((SELECT current_setting('heartguard.task', true)) = 'audit');
CREATE POLICY audit_keeping ON heartguard.audit_log AS RESTRICTIVE FOR DELETE TO heartguard_owner
    USING (occurred_at < (SELECT clock_timestamp() - r.minimum FROM heartguard.audit_retention r)
           AND sequence <= (SELECT b.sequence FROM heartguard.audit_bases b WHERE b.writer = audit_log.writer));

-- Takes out of the log what a file holds: of each chain all events through the one that is named with its hash, and leaves that as the chain's base. All of
-- them or none; what was taken out before changes nothing. How many it were.
CREATE FUNCTION heartguard.remove_archived_accesses(
    digest bytea, older_than timestamptz, event_count bigint, chain_count bigint, writers uuid[], sequences bigint[], hashes bytea[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    wanted bigint;
    removed bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'audit', true);
    -- Bases move by one at a time; whoever adds events reads them meanwhile.
    LOCK TABLE heartguard.audit_bases IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO heartguard.audit_archives (sha256, before, events, chains, minimum)
    SELECT digest, older_than, event_count, chain_count, r.minimum FROM heartguard.audit_retention r
    ON CONFLICT DO NOTHING;
    SELECT coalesce(sum(e.sequence - coalesce(b.sequence, 0)), 0) INTO wanted
    FROM unnest(writers, sequences) AS e (writer, sequence) LEFT JOIN heartguard.audit_bases b ON b.writer = e.writer
    WHERE e.sequence > coalesce(b.sequence, 0);
    INSERT INTO heartguard.audit_bases AS b (writer, sequence, hash, archive)
    SELECT l.writer, l.sequence, l.hash, digest FROM unnest(writers, sequences, hashes) AS e (writer, sequence, hash)
    JOIN heartguard.audit_log l ON l.writer = e.writer AND l.sequence = e.sequence AND l.hash = e.hash
    ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash, archive = excluded.archive
    WHERE b.sequence < excluded.sequence;
    DELETE FROM heartguard.audit_log l USING unnest(writers, sequences) AS e (writer, sequence)
    WHERE l.writer = e.writer AND l.sequence <= e.sequence;
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed <> wanted THEN
        RAISE EXCEPTION 'the log has other events than the archive, or they are too young to leave it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    PERFORM set_config('heartguard.task', '', true);
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION heartguard.remove_archived_accesses FROM PUBLIC;

-- As before, and a chain whose last event was archived goes on behind its base. Nothing is added again that was archived.
CREATE OR REPLACE FUNCTION heartguard.record_access(
    chain uuid, last_sequence bigint, last_hash bytea, moments timestamptz[], people uuid[], actors uuid[], kinds text[], programs text[],
    services text[], methods text[], actions text[], resources uuid[], purposes text[], statuses smallint[], traces uuid[], requests text[],
    hashes bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    added bigint;
BEGIN
    PERFORM set_config('heartguard.task', 'audit', true);
    IF last_sequence = 0 AND EXISTS (SELECT FROM heartguard.audit_bases b WHERE b.writer = chain)
        OR last_sequence > 0 AND NOT EXISTS (
            SELECT FROM heartguard.audit_log l WHERE l.writer = chain AND l.sequence = last_sequence AND l.hash = last_hash)
        AND NOT EXISTS (SELECT FROM heartguard.audit_bases b WHERE b.writer = chain AND b.sequence = last_sequence AND b.hash = last_hash)
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
-- Down ------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION heartguard.record_access(
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
DROP FUNCTION heartguard.remove_archived_accesses;
DROP POLICY audit_keeping ON heartguard.audit_log;
DROP POLICY audit_removing ON heartguard.audit_log;
REVOKE DELETE ON heartguard.audit_log FROM heartguard_owner;
DROP TABLE heartguard.audit_bases, heartguard.audit_archives, heartguard.audit_retention;
