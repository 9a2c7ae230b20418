import ConnectionPool
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A batch insert manager` {
    private struct Mark: Sendable {
        let id: Int
        let label: String?
    }

    private static let columns = TableColumns("marks", columns: ["id", "label"])

    private func manager(
        _ postgres: Postgres, ignoresConflicts: Bool = false, configuration: BatchConfiguration = BatchConfiguration()
    ) -> BatchInsertManager<Mark> {
        BatchInsertManager(
            postgres, into: Self.columns, ignoresConflicts: ignoresConflicts, configuration: configuration
        ) { row, mark in
            row.append(mark.id)
            row.append(mark.label)
        }
    }

    private func withMarks(_ body: (Postgres) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute("""
                CREATE TABLE marks (id int PRIMARY KEY, label text CHECK (label <> 'bad'), xid xid8 DEFAULT pg_current_xact_id())
                """)
            try await body(postgres)
        }
    }

    private func count(_ postgres: Postgres) async throws -> Int? {
        try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self)?.value
    }

    /// What each of many callers at once was told.
    private func outcomes(
        _ marks: [Mark], _ manager: BatchInsertManager<Mark>
    ) async -> [Int: PostgresError] {
        await withTaskGroup(of: (Int, PostgresError?).self) { group in
            for mark in marks {
                group.addTask {
                    do throws(PostgresError) {
                        try await manager.insert(mark)
                        return (mark.id, nil)
                    } catch {
                        return (mark.id, error)
                    }
                }
            }
            var errors: [Int: PostgresError] = [:]
            for await (id, error) in group { errors[id] = error }
            return errors
        }
    }

    @Test func `writes many callers' rows in few transactions`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres)
            async let _: Void = manager.run()

            let errors = await outcomes((0..<5_000).map { Mark(id: $0, label: $0 % 2 == 0 ? nil : "m") }, manager)

            #expect(errors.isEmpty)
            let rows = try await postgres.first("SELECT count(*), count(DISTINCT xid), count(label) FROM marks", as: Row.self)
            #expect(try rows?.decode(at: 0, as: Int.self) == 5_000)
            #expect(try (rows?.decode(at: 1, as: Int.self) ?? 0) < 500)
            #expect(try rows?.decode(at: 2, as: Int.self) == 2_500)
        }
    }

    @Test func `tells each caller its own outcome`() async throws {
        try await withMarks { postgres in
            try await postgres.execute("INSERT INTO marks (id) VALUES (77)")
            let manager = manager(postgres)
            async let _: Void = manager.run()

            let marks = (0..<1_000).map { Mark(id: $0, label: [5, 500, 999].contains($0) ? "bad" : "good") }
            let errors = await outcomes(marks, manager)

            #expect(errors.mapValues(\.code) == [
                5: .checkViolation, 500: .checkViolation, 999: .checkViolation, 77: .uniqueViolation,
            ])
            let count = try await count(postgres)
            #expect(count == 997)
        }
    }

    @Test func `takes what was sent before for written, where it is told so`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres, ignoresConflicts: true)
            async let _: Void = manager.run()

            for _ in 0..<2 { try await manager.insert(Mark(id: 1, label: nil)) }

            let count = try await count(postgres)
            #expect(count == 1)
        }
    }

    @Test func `writes with the identity of the caller`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await server.psql("""
                CREATE TABLE marks (id int PRIMARY KEY, label text); ALTER TABLE marks ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON marks USING (label = current_setting('heartguard.user_id', true));
                CREATE ROLE batch_writer LOGIN; GRANT ALL ON marks TO batch_writer
                """, database: configuration.database)
            var configuration = configuration
            configuration.user = "batch_writer"
            try await PostgresServer.withClient(configuration) { postgres in
                let manager = manager(postgres)
                async let _: Void = manager.run()
                let ada = Identity([("heartguard.user_id", "ada")])
                let bob = Identity([("heartguard.user_id", "bob")])

                async let own: Void = manager.insert(Mark(id: 1, label: "ada"), identity: ada)
                async let other: Void = manager.insert(Mark(id: 2, label: "bob"), identity: bob)
                let foreign = await #expect(throws: PostgresError.self) {
                    try await manager.insert(Mark(id: 3, label: "bob"), identity: ada)
                }
                try await own
                try await other

                #expect(foreign?.code == .insufficientPrivilege)
            }
            let written = try await server.psql("SELECT string_agg(label, ',' ORDER BY id) FROM marks", database: configuration.database)
            #expect(written == "ada,bob")
            try await server.psql("DROP OWNED BY batch_writer; DROP ROLE batch_writer", database: configuration.database)
        }
    }

    @Test func `refuses what exceeds its line while the database is slow, and lets who waits leave`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres, configuration: BatchConfiguration(
                maximumRows: 1, maximumAge: .zero, maximumQueued: 2, maximumInFlight: 1
            ))
            async let _: Void = manager.run()
            let insert: @Sendable (Int) -> Task<Void, any Error> = { id in
                Task { try await manager.insert(Mark(id: id, label: nil)) }
            }

            let (sent, queued, cancelled) = try await postgres.transaction { transaction in
                try await transaction.execute("LOCK TABLE marks IN ACCESS EXCLUSIVE MODE")
                let sent = insert(1)
                while try await transaction.first(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'marks'::regclass", as: Scalar<Int>.self
                )?.value != 1 {}
                let tasks = [insert(2), insert(3)]
                while manager.queuedCount < 2 { await Task.yield() }

                let refusal = await #expect(throws: PostgresError.self) { try await manager.insert(Mark(id: 4, label: nil)) }
                tasks[1].cancel()
                let cancellation = await #expect(throws: PostgresError.self) { try await tasks[1].value }
                let late = await #expect(throws: PostgresError.self) {
                    try await Deadline.with(.after(.milliseconds(20))) {
                        try await manager.insert(Mark(id: 5, label: nil))
                    }
                }

                #expect(refusal?.code == .poolTimeout)
                #expect(cancellation?.code == .queryCancelled)
                return (sent, tasks[0], late)
            }
            try await sent.value
            try await queued.value

            #expect(cancelled?.code == .statementTimeout)
            let ids = try await postgres.rows("SELECT id FROM marks ORDER BY id", as: Scalar<Int>.self).map(\.value)
            #expect(ids == [1, 2])
        }
    }

    @Test func `writes what waits when it is shut down, and takes no more`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres, configuration: BatchConfiguration(maximumAge: .seconds(3_600)))
            let running = Task { await manager.run() }
            let inserts = (0..<10).map { id in Task { try await manager.insert(Mark(id: id, label: nil)) } }
            while manager.queuedCount < 10 { await Task.yield() }

            running.cancel()
            await running.value

            for insert in inserts { try await insert.value }
            let count = try await count(postgres)
            #expect(count == 10)
            let late = await #expect(throws: PostgresError.self) { try await manager.insert(Mark(id: 11, label: nil)) }
            #expect(late?.code == .connectionFailed)
        }
    }

    @Test func `says of rows whose COMMIT was not answered that their outcome is unknown`() async throws {
        let server = try await PostgresServer.start()
        try await server.withDatabaseLeftBehind { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                try await postgres.execute("""
                    CREATE TABLE marks (id int PRIMARY KEY, label text)
                    """)
                // The deferred trigger runs in the COMMIT, and ends the whole server.
                try await postgres.execute("""
                    CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN
                        COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -n 1 postmaster.pid); sleep 5';
                        RETURN NULL;
                    END $$
                    """)
                try await postgres.execute("""
                    CREATE CONSTRAINT TRIGGER ends AFTER INSERT ON marks DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION ends()
                    """)
                let manager = manager(postgres)
                async let _: Void = manager.run()

                let errors = await outcomes((0..<3).map { Mark(id: $0, label: nil) }, manager)

                #expect(errors.count == 3)
                #expect(errors.values.contains { $0.code == .outcomeUnknown })
                #expect(errors.values.allSatisfy { [.outcomeUnknown, .connectionFailed].contains($0.code) })
            }
        }
        try await server.end()
    }

    @Test func `loads a sequence, names the rows that are refused, and writes the rest`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres, configuration: BatchConfiguration(maximumRows: 5_000))
            let marks = AsyncStream<Mark> { continuation in
                for id in 0..<100_000 {
                    continuation.yield(Mark(id: id, label: [7, 40_000, 99_999].contains(id) ? "bad" : "good"))
                }
                continuation.finish()
            }

            let report = try await manager.load(marks)

            #expect(report.taken == 100_000 && report.inserted == 99_997 && report.failed.isEmpty)
            #expect(report.refused.map(\.row) == [7, 40_000, 99_999])
            #expect(report.refused.allSatisfy { $0.error.code == .checkViolation })
            let count = try await count(postgres)
            #expect(count == 99_997)
        }
    }

    @Test func `counts the bytes of what waits, and of what it writes at once`() async throws {
        try await withMarks { postgres in
            let manager = manager(postgres, configuration: BatchConfiguration(maximumBytes: 2_000, maximumInFlight: 1))
            let label = String(repeating: "m", count: 1_000)
            // A row is 8 bytes of a number and 1,000 of a text, each behind the 4 of its length.
            let marks = AsyncStream<Mark> { continuation in
                for id in 0..<10 { continuation.yield(Mark(id: id, label: label)) }
                continuation.finish()
            }

            let report = try await manager.load(marks)
            let insert = Task { try await manager.insert(Mark(id: 10, label: label)) }
            while manager.queuedCount < 1 { await Task.yield() }
            let waiting = manager.queuedBytes
            insert.cancel()
            _ = await insert.result

            #expect(report.inserted == 10 && waiting == 1_016)
            let transactions = try await postgres.first("SELECT count(DISTINCT xid) FROM marks", as: Scalar<Int>.self)?.value
            #expect(transactions == 5)
            #expect(manager.queuedBytes == 0)
        }
    }

    @Test func `stops loading where the fault is none of a row's`() async throws {
        try await withMarks { postgres in
            try await postgres.execute("DROP TABLE marks")
            let manager = manager(postgres, configuration: BatchConfiguration(maximumRows: 10, maximumInFlight: 1))
            let marks = AsyncStream<Mark> { continuation in
                for id in 0..<1_000 { continuation.yield(Mark(id: id, label: nil)) }
                continuation.finish()
            }

            let report = try await manager.load(marks)

            #expect(report.inserted == 0 && report.taken <= 30)
            #expect(report.failed.first?.rows == 0..<10)
            #expect(report.failed.first?.error.code == .undefinedTable)
        }
    }
}
