internal import DatabaseTestSupport
internal import Foundation
internal import Migrations
internal import Postgres
internal import Schema
internal import TestSupport
internal import Testing

/// What tables do beyond keeping rows.
@Suite struct `A table` {
    private let ada = "00000000-0000-7000-8000-00000000000a"

    private func withAda<Value>(_ body: ((String) async throws -> String) async throws -> Value) async throws -> Value {
        try await withSchema { server, database in
            try await server.psql(
                "INSERT INTO users.users (id, email, name, password_hash) VALUES ('\(ada)', 'ada@example.org', 'Ada', '-')",
                database: database)
            return try await body { try await server.psql($0, database: database) }
        }
    }

    @Test func `of appointments lets nobody be booked twice, unless the first was cancelled`() async throws {
        try await withAda { psql in
            func book(_ code: String, _ provider: Int, _ from: String, _ to: String) async throws -> String {
                try await psql(
                    """
                    INSERT INTO users.appointments (user_id, id, provider_id, appointment_type, starts_at, ends_at, reason, confirmation_code)
                    VALUES ('\(ada)', gen_random_uuid(), '01890000-0000-7000-8000-00000000000\(provider)', 'check_up',
                            '2026-12-01 \(from)+00', '2026-12-01 \(to)+00', 'r', '\(code)')
                    """)
            }
            #expect(try await psql("SELECT count(*) FROM users.providers WHERE is_active") == "5")
            _ = try await book("AAAAAA", 1, "09:00", "09:30")
            // Beside it, and with somebody else.
            _ = try await book("BBBBBB", 1, "09:30", "10:00")
            _ = try await book("CCCCCC", 2, "09:00", "09:30")

            await #expect(throws: Command.Failed.self) { try await book("DDDDDD", 1, "09:15", "09:45") }
            _ = try await psql(
                "UPDATE users.appointments SET status = 'cancelled', cancelled_at = now(), cancelled_by = 'user' WHERE confirmation_code IN ('AAAAAA', 'BBBBBB')")
            _ = try await book("DDDDDD", 1, "09:15", "09:45")

            // What others have is seen as a time and nothing else.
            let taken = try await psql(
                """
                SET ROLE heartguard_users;
                SELECT count(*) FROM users.appointments;
                SELECT (starts_at AT TIME ZONE 'UTC')::time FROM users.provider_bookings('01890000-0000-7000-8000-000000000001', '2026-12-01', '2026-12-02');
                SELECT count(*) FROM users.appointments;
                """)
            #expect(taken == "0\n09:15:00\n0")
        }
    }

    @Test func `of memories is searched by word`() async throws {
        try await withAda { psql in
            let found = try await psql(
                """
                INSERT INTO chat.patient_memories (user_id, id, content, category)
                VALUES ('\(ada)', gen_random_uuid(), 'Takes metoprolol each morning', 'medication'), ('\(ada)', gen_random_uuid(), 'Walks daily', 'lifestyle');
                SELECT content FROM chat.patient_memories WHERE search @@ websearch_to_tsquery('english', 'mornings metoprolol');
                SET enable_seqscan = off;
                EXPLAIN (COSTS OFF) SELECT 1 FROM chat.patient_memories WHERE search @@ 'walk'::tsquery;
                """)
            #expect(found.hasPrefix("Takes metoprolol each morning\n"))
            #expect(found.contains("Bitmap Index Scan on patient_memories_search"))
        }
    }

    /// Who adds a message has its session before the messages' table; a revision that had that one first would hold it up, and be held up by it.
    @Test func `of messages is not held by a revision that waits for the sessions`() async throws {
        try await withSchema { server, database in
            try await withOwner(of: database, on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.down(to: "20261201_first_messages")

                let migration = try await owner.transaction(tier: .batch) { append in
                    let sessions: Query = "SELECT count(*) FROM chat.chat_sessions"
                    let messages: Query = "SELECT count(*) FROM chat.chat_messages"
                    #expect(try await append.first(sessions, as: Scalar<Int>.self)?.value == 0)
                    let migration = Task { try await migrator.up() }
                    while try await server.psql(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'chat.chat_sessions'::regclass", database: database) == "0"
                    {
                        try await Task.sleep(for: .milliseconds(20))
                    }

                    #expect(try await append.first(messages, as: Scalar<Int>.self)?.value == 0)
                    return migration
                }
                #expect(try await migration.value.first == "20261201_idle_sessions")
            }
        }
    }

    /// However many there are: who signs in meanwhile waits for none of them.
    @Test func `of sessions loses those that were over before, without being locked`() async throws {
        let revision = try #require(Schema.chain.revisions.first { $0.id == "20261201_sessions_before" })
        try await withAda { psql in
            let locks = try await psql(
                """
                INSERT INTO users.sessions (user_id, id, updated_at) VALUES
                    ('\(ada)', '00000000-0000-7000-8000-000000000001', now() - interval '31 days'),
                    ('\(ada)', '00000000-0000-7000-8000-000000000002', now() - interval '29 days'),
                    ('\(ada)', '00000000-0000-7000-8000-000000000003', now() - interval '31 days');
                INSERT INTO users.refresh_tokens (user_id, digest, session_id, expires_at)
                    VALUES ('\(ada)', sha256('x'), '00000000-0000-7000-8000-000000000003', now() - interval '1 day');
                BEGIN;
                SET LOCAL ROLE heartguard_owner;
                \(revision.sql);
                SELECT count(*) || ' locks' FROM pg_locks
                    WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relation IN ('users.sessions'::regclass, 'users.refresh_tokens'::regclass);
                COMMIT
                """)

            #expect(locks.contains("0 locks"))
            let left = try await psql("SELECT string_agg(right(id::text, 1), ',' ORDER BY id) FROM users.sessions")
            #expect(left == "2,3")
        }
    }

    @Test func `of a device's samples gets its partitions ahead, moves what came early, and loses those of long ago`() async throws {
        try await withAda { psql in
            let told = try await psql(
                """
                INSERT INTO vitals.user_devices (user_id, id, device_type, platform, name, serial_number) VALUES ('\(ada)', '\(ada)', 'watch', 'p', 'n', 's');
                INSERT INTO vitals.device_timeseries (user_id, device_id, metric_type, "timestamp", sequence, value)
                    SELECT '\(ada)', '\(ada)', 'hr', timestamptz '2028-02-01' + n * interval '1 day', n, n FROM generate_series(0, 59) AS n;
                SET ROLE heartguard_owner;
                SELECT vitals.make_device_timeseries_partitions('2028-01-15', 2), vitals.make_device_timeseries_partitions('2028-01-15', 2);
                RESET ROLE;
                SELECT tableoid::regclass, count(*) FROM vitals.device_timeseries GROUP BY 1 ORDER BY 1;
                SET ROLE heartguard_owner;
                SELECT vitals.make_device_timeseries_partitions('2020-01-01', 3), vitals.retire_device_timeseries_partitions('2020-03-01');
                SELECT to_regclass('vitals.device_timeseries_2020_02') IS NULL, to_regclass('vitals.device_timeseries_2020_03') IS NULL;
                """)
            #expect(
                told == """
                    2|0
                    vitals.device_timeseries_default|31
                    vitals.device_timeseries_2028_02|29
                    3|2
                    t|f
                    """)
        }
    }

    @Test func `keeps its embeddings in pgvector's type and index where the database has it, and goes down and up`() async throws {
        let server = try await PostgresServer.startWithVectors()
        let result: Result<Void, any Error>
        do {
            try await server.makeDatabase("with_vectors")
            try await withOwner(of: "with_vectors", on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.up()
                let before = try await Catalog.entries(owner)
                #expect(
                    before.filter { $0.definition.hasPrefix("vector(384)") }.map(\.object).filter { !$0.contains("memories_") } == [
                        "column vectors.vector_drug_interactions.embedding", "column vectors.vector_medical_knowledge.embedding",
                        "column vectors.vector_symptoms_conditions.embedding", "column vectors.vector_user_memories.embedding",
                    ])
                #expect(before.count { $0.definition.contains("USING hnsw") && $0.definition.contains("ef_construction='200'") } == 8)

                try await migrator.down(to: "20260119_session_archives")
                try await migrator.up()

                #expect(try await Catalog.entries(owner) == before)
                try await migrator.verify()
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await server.end()
        try result.get()
    }

    @Test func `of jobs is called by pg_cron where the server has it`() async throws {
        let server = try await PostgresServer.start(
            settings: ["shared_preload_libraries=pg_cron", "cron.database_name=with_cron", "cron.host=127.0.0.1"])
        let result: Result<Void, any Error>
        do {
            try await server.makeDatabase("with_cron")
            try await server.psql(
                "CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO \(ServiceRole.owner)", database: "with_cron")
            try await withOwner(of: "with_cron", on: server) { owner in
                let migrator = Migrator(owner, chain: Schema.chain, logger: quiet)
                try await migrator.up()
                let jobs = "SELECT schedule, username, database, command FROM cron.job"
                #expect(
                    try await server.psql(jobs, database: "with_cron")
                        == "* * * * *|heartguard_owner|with_cron|SELECT heartguard.run_due_jobs('pg_cron')")

                try await migrator.down(to: "20260222_performance_indexes")
                #expect(try await server.psql(jobs, database: "with_cron") == "")
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await server.end()
        try result.get()
    }
}
