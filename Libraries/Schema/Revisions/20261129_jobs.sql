-- Jobs that follow from what was committed: an outbox for every context, and a table in which each notes what its jobs have done.

-- Which line of the queue an event's job stands in, and what a second one is not taken for.
ALTER TABLE users.outbox
    ADD priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('high', 'normal', 'low')),
    ADD unique_key text CHECK (length(unique_key) BETWEEN 1 AND 200);
-- Rows that were told are deleted after a week.
CREATE INDEX outbox_published ON users.outbox (published_at) WHERE published_at IS NOT NULL;

-- A service sees its own schema alone, and what it tells has to be committed with what it tells of; so each has an outbox. It names ids
-- and holds nothing personal, so the relay reads all of it.
--
-- An effect is a job that has committed something, or of which a second run began. The fence is the newest run's: an older one commits
-- nothing any more.
DO $$
DECLARE service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['users', 'vitals', 'chat', 'vectors'] LOOP
        IF service <> 'users' THEN
            EXECUTE format('CREATE TABLE %I.outbox (LIKE users.outbox INCLUDING ALL)', service);
            EXECUTE format('CALL heartguard.stamp_updates(%L)', service || '.outbox');
        END IF;
        EXECUTE format(
            $table$
            CREATE TABLE %I.job_effects (
                instance     text        PRIMARY KEY CHECK (length(instance) BETWEEN 1 AND 1000),
                fence        bigint      NOT NULL CHECK (fence > 0),
                committed_at timestamptz,
                created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
                updated_at   timestamptz NOT NULL DEFAULT clock_timestamp()
            )
            $table$, service);
        EXECUTE format('CREATE INDEX job_effects_by_age ON %I.job_effects (updated_at)', service);
        EXECUTE format('CALL heartguard.stamp_updates(%L)', service || '.job_effects');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %1$I.outbox, %1$I.job_effects TO %2$I', service, 'heartguard_' || service);
    END LOOP;
END
$$;

-- Down ------------------------------------------------------------------------------------------------------------

DROP TABLE users.job_effects, vitals.job_effects, chat.job_effects, vectors.job_effects, vitals.outbox, chat.outbox, vectors.outbox;
DROP INDEX users.outbox_published;
ALTER TABLE users.outbox DROP COLUMN priority, DROP COLUMN unique_key;
