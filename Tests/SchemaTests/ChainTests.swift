internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

@Suite struct `The chain` {
    @Test func `is the seed's, two revisions of one date told apart, and then our own`() {
        #expect(
            Schema.chain.revisions.map(\.id) == [
                "7997d76f03d0_baseline", "20260110_sqlite_to_postgresql", "20260119_session_archives",
                "20260124_vector_tables", "20260221_appointments", "20260221_missing_tables",
                "20260222_performance_indexes", "rag_memory_optimization", "20261129_token_revocations",
                "20261129_jobs", "20261129_checkpoints", "20261129_erasures",
                "20261129_archives", "20261129_memories", "20261129_user_memories", "20261129_seed_collections",
                "20261129_appointment_holds", "20261129_calendar_events", "20261129_sign_in_attempts", "20261129_own_records",
                "20261129_observation_versions", "20261129_alert_rules", "20261129_medication_doses",
                "20261129_consent_history", "20261129_device_series", "20261129_goals_and_predictions", "20261129_care_grants",
                "20261129_audit_log", "20261129_aliases", "20261129_exports", "20261130_imports",
                "20261130_rollup_extremes", "20261130_memory_embeddings",
                "20261130_idempotency_keys", "20261130_import_devices", "20261130_audit_archives",
                "20261130_alerts_fired_once", "20261130_alerts_fired_key", "20261130_medication_doses_due",
                "20261201_notifications_sent",
                "20261201_long_histories", "20261201_jobs_apart", "20261201_planned_sweeps", "20261201_first_messages",
                "20261201_idle_sessions", "20261201_refresh_tokens_by_expiry", "20261201_forgotten_sessions",
                "20261201_sessions_before", "20261201_outbox_of_person", "20261201_jobs_in_time", "20261201_other_operators",
                "20261201_table_names", "20261201_runs_reported", "20261201_drug_classes",
                "20261201_drug_lists_read_only",
            ])
    }

    @Test func `goes down to nothing and up again, and is the same`() async throws {
        try await withSchema { server, database in
            try await withOwner(of: database, on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                let before = try await Catalog.entries(owner)

                let reverted = try await migrator.down() + migrator.down(to: "7997d76f03d0_baseline") + migrator.down()

                #expect(reverted == Schema.chain.revisions.map(\.id).reversed())
                let left = try await Catalog.entries(owner).filter { !$0.object.contains("heartguard.schema_") }
                #expect(left.map(\.object) == ["extension plpgsql", "schema heartguard", "schema public"])
                try await migrator.up()
                #expect(try await Catalog.entries(owner) == before)
                try await migrator.verify()
            }
        }
    }

    @Test func `finds what was changed by hand`() async throws {
        try await withSchema { server, database in
            try await withOwner(of: database, on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.verify()
                try await server.psql(
                    """
                    CREATE TABLE public.scratch (id int);
                    ALTER TABLE vitals.medications NO FORCE ROW LEVEL SECURITY;
                    DROP INDEX users.outbox_unpublished;
                    ALTER TABLE vitals.medications ALTER COLUMN dosage TYPE text COLLATE "C";
                    DO $$ DECLARE name text; BEGIN
                        FOR name IN SELECT t.tgname FROM pg_trigger t JOIN pg_constraint c ON c.oid = t.tgconstraint
                                    WHERE c.conname = 'aliases_collection_id_fkey' AND t.tgrelid = 'vectors.aliases'::regclass
                        LOOP EXECUTE format('ALTER TABLE vectors.aliases DISABLE TRIGGER %I', name); END LOOP;
                    END $$;
                    CREATE RULE forgotten AS ON DELETE TO vitals.medications DO INSTEAD NOTHING;
                    ALTER DEFAULT PRIVILEGES FOR ROLE heartguard_owner IN SCHEMA vitals GRANT SELECT ON TABLES TO PUBLIC;
                    CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
                    CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION public.watch();
                    """, database: database)

                let error = await #expect(throws: MigrationError.self) { try await migrator.verify() }

                #expect(
                    error?.code == .drift(objects: [
                        "added column public.scratch.id", "changed column vitals.medications.dosage",
                        "changed constraint vectors.aliases.aliases_collection_id_fkey", "added default privileges of heartguard_owner for r in vitals",
                        "added event trigger watching", "added function public.watch()",
                        "missing index users.outbox.outbox_unpublished",
                        "added relation public.scratch", "changed relation vitals.medications", "added rule vitals.medications.forgotten",
                    ]))
            }
        }
    }

    @Test func `makes an index anew that an interrupted run left invalid, and keeps those that are valid`() async throws {
        try await withSchema { server, database in
            try await withOwner(of: database, on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.down(to: "20260221_missing_tables")
                // What CREATE INDEX CONCURRENTLY leaves behind when it is ended; the catalog is a superuser's to change.
                try await server.psql(
                    """
                    CREATE INDEX vitals_recorded ON vitals.vitals (user_id, metric, recorded_at DESC);
                    ALTER INDEX vitals.vitals_recorded OWNER TO heartguard_owner;
                    CREATE INDEX outbox_unpublished ON users.outbox (available_at, id) WHERE published_at IS NULL;
                    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vitals.vitals_recorded'::regclass;
                    """, database: database)
                let kept = try await server.psql("SELECT 'users.outbox_unpublished'::regclass::oid", database: database)

                try await migrator.up()

                #expect(try await server.psql("SELECT 'users.outbox_unpublished'::regclass::oid", database: database) == kept)
                #expect(
                    try await server.psql("SELECT count(*) FROM pg_index WHERE NOT indisvalid", database: database) == "0")
                try await migrator.verify()
            }
        }
    }

    @Test func `is not held up by a migrator that waits for it`() async throws {
        try await withEmptyDatabase { server, database in
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await withOwner(of: database, on: server) { owner in
                            try await Migrator(owner, chain: Schema.chain, logger: quiet).up()
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }

            #expect(applied.sorted() == Schema.chain.revisions.map(\.id).sorted())
        }
    }
}
