import ConnectionPool
import FoundationEssentials
import Synchronization
import TestSupport
import Testing
import Time
@testable import Postgres

/// Rows that are made when they are asked for, and counted.
private struct MadeRows: AsyncSequence, Sendable {
    final class Log: Sendable {
        let made = Atomic<Int>(0)
        let isEnough = Atomic<Bool>(false)
    }

    struct Spoilt: Error {}
    enum End: Sendable { case ends, hangs, throwsSpoilt }

    let count: Int
    var end = End.ends
    let log = Log()

    struct AsyncIterator: AsyncIteratorProtocol {
        let rows: MadeRows
        var next = 0

        mutating func next() async throws -> Int? {
            if next == rows.count || rows.log.isEnough.load(ordering: .relaxed) {
                switch rows.end {
                case .ends: return nil
                case .hangs: try await Task.sleep(for: .seconds(3_600))
                case .throwsSpoilt: throw Spoilt()
                }
            }
            rows.log.made.store(next + 1, ordering: .relaxed)
            defer { next += 1 }
            return next
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rows: self) }
}

@Suite struct `A COPY` {
    private static let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
    private static let marks = TableColumns("marks", columns: ["id", "label"])

    private func withMarks(_ body: (Postgres, PostgresServer) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres(pool: Self.one) { postgres in
            try await postgres.execute("CREATE TABLE marks (id int8 PRIMARY KEY CHECK (id <> 70000), label text)")
            try await body(postgres, server)
            // Whatever became of the COPY, the only connection is there and does its work.
            try await postgres.ping()
            #expect(postgres.statistics.open == 1)
        }
    }

    private func count(_ postgres: Postgres) async throws -> Int? {
        try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self)?.value
    }

    private func error(_ body: () async throws -> Void) async -> PostgresError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? PostgresError
        }
    }

    private func copy(_ rows: MadeRows, _ postgres: Postgres, tier: TimeoutTier = .batch) async throws -> Int {
        try await postgres.copy(rows, into: Self.marks, tier: tier) { row, number in
            row.append(Int64(number))
            row.append(number % 3 == 0 ? nil : "mark \(number)")
        }
    }

    @Test func `brings rows in and out as they were`() async throws {
        try await withMarks { postgres, _ in
            let written = try await copy(MadeRows(count: 60_000), postgres)

            var expected = 0
            let read = try await postgres.copy(from: "SELECT id, label FROM marks ORDER BY id", as: Row.self) { rows in
                var read = 0
                for try await row in rows {
                    let id: Int = try row.decode("id")
                    let label: String? = try row.decode("label")
                    if id == read, label == (id % 3 == 0 ? nil : "mark \(id)") { expected += 1 }
                    read += 1
                }
                return read
            }

            #expect(written == 60_000 && read == 60_000 && expected == 60_000)
        }
    }

    @Test func `carries every type of ours`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute("""
                CREATE TABLE kinds (b bool, i int4, d float8, n numeric, t varchar(9), y bytea, u uuid, z timestamptz, j jsonb,
                    f float4[])
                """)
            let id = UUIDv7.make()
            let now = Instant.now()
            let target = TableColumns("kinds", columns: ["b", "i", "d", "n", "t", "y", "u", "z", "j", "f"])

            try await postgres.copy([1], into: target) { row, _ in
                row.append(true)
                row.append(Int32(-5))
                row.append(2.5)
                row.append(Numeric("72.50"))
                row.append("é")
                row.append([UInt8]([0, 255]))
                row.append(id)
                row.append(now)
                row.append(JSONB("{}"))
                row.append([Float(0.5), 1])
            }

            let read = try await postgres.copy(from: "SELECT n, t, u, z, f FROM kinds", as: Row.self) { rows -> Row? in
                for try await row in rows { return row }
                return nil
            }
            let row = try #require(read)
            #expect(try row.decode("n", as: Numeric.self).text == "72.50")
            #expect(try row.decode("t", as: String.self) == "é")
            #expect(try row.decode("u", as: UUID.self) == id)
            #expect(try row.decode("z", as: Instant.self) == now)
            #expect(try row.decode("f", as: [Float].self) == [0.5, 1])
        }
    }

    @Test func `of no rows writes none`() async throws {
        try await withMarks { postgres, _ in
            let written = try await copy(MadeRows(count: 0), postgres)

            #expect(written == 0)
        }
    }

    @Test func `names the row that was refused, and leaves none`() async throws {
        try await withMarks { postgres, _ in
            let error = await error { _ = try await copy(MadeRows(count: 100_000), postgres) }

            #expect(error?.code == .checkViolation)
            #expect(error?.row == 70_000)
            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `is refused at once though its rows do not come to an end`() async throws {
        try await withMarks { postgres, _ in
            try await postgres.execute("INSERT INTO marks VALUES (3)")

            let error = await error { _ = try await copy(MadeRows(count: 20_000, end: .hangs), postgres) }

            #expect(error?.code == .uniqueViolation)
            #expect(error?.row == 3)
        }
    }

    @Test func `is not begun with values of another type than the columns'`() async throws {
        try await withMarks { postgres, _ in
            let wrong = await error {
                try await postgres.copy([1], into: Self.marks) { row, _ in row.append(1.0); row.append("") }
            }
            let missing = await error {
                try await postgres.copy([1], into: TableColumns("marks", columns: ["id", "none"])) { row, _ in
                    row.append(1)
                    row.append("")
                }
            }

            #expect(wrong?.code == .decoding)
            #expect(wrong?.message == "Column “id” of marks is of type int8, not float8.")
            #expect(missing?.message.contains("none") == true)
        }
    }

    @Test func `whose rows fail tells their error, and leaves none`() async throws {
        try await withMarks { postgres, _ in
            await #expect(throws: MadeRows.Spoilt.self) {
                _ = try await copy(MadeRows(count: 10, end: .throwsSpoilt), postgres)
            }

            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `ends with its task`() async throws {
        try await withMarks { postgres, _ in
            let rows = MadeRows(count: 50_000, end: .hangs)
            let task = Task { try await copy(rows, postgres) }
            while rows.log.made.load(ordering: .relaxed) < 50_000 { await Task.yield() }

            task.cancel()
            let error = await error { _ = try await task.value }

            #expect(error?.code == .queryCancelled)
            let running = try await postgres.first("""
                SELECT count(*) FROM pg_stat_activity
                WHERE state = 'active' AND query LIKE 'COPY marks%' AND datname = current_database()
                """, as: Scalar<Int>.self)
            #expect(running?.value == 0)
        }
    }

    @Test func `ends with its tier`() async throws {
        try await withMarks { postgres, _ in
            let tier = TimeoutTier(limit: .milliseconds(300))

            let error = await error { _ = try await copy(MadeRows(count: 10, end: .hangs), postgres, tier: tier) }

            #expect(error?.code == .statementTimeout)
        }
    }

    @Test func `asks for no more rows than a slow server takes`() async throws {
        try await withMarks { postgres, server in
            try await postgres.execute("ALTER TABLE marks DROP CONSTRAINT marks_id_check")
            try await postgres.execute("""
                CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$
                """)
            try await postgres.execute("CREATE TRIGGER waits BEFORE INSERT ON marks FOR EACH ROW EXECUTE FUNCTION waits()")
            let database = try #require(try await postgres.first("SELECT current_database()::text", as: Scalar<String>.self))
            let rows = MadeRows(count: 10_000_000)
            let made: @Sendable () -> Int = { rows.log.made.load(ordering: .relaxed) }
            var configuration = server.configuration(database: database.value)
            configuration.pool = Self.one
            try await PostgresServer.withClient(configuration) { holder in
                let copying = try await holder.transaction(tier: .batch) { transaction in
                    try await transaction.execute("SELECT pg_advisory_xact_lock(4711)")
                    let copying = Task { try await copy(rows, postgres) }
                    var last = -1
                    while last != made() || last == 0 {
                        last = made()
                        try await Task.sleep(for: .milliseconds(400))
                    }

                    // Some 20 bytes a row: what the kernel's buffers hold, and far from all of them.
                    #expect(made() < 2_000_000)
                    rows.log.isEnough.store(true, ordering: .relaxed)
                    return copying
                }
                let written = try await copying.value
                #expect(written == made())
            }
        }
    }
}

@Suite struct `A COPY from the server` {
    private static let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))

    @Test func `sees what the identity may see`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await server.psql("""
                CREATE TABLE notes (user_id text, note text); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON notes USING (user_id = current_setting('heartguard.user_id', true));
                INSERT INTO notes VALUES ('ada', 'a'), ('bob', 'b');
                CREATE ROLE copy_reader LOGIN; GRANT ALL ON notes TO copy_reader
                """, database: configuration.database)
            var configuration = configuration
            configuration.user = "copy_reader"
            try await PostgresServer.withClient(configuration) { postgres in
                let ada = Identity([("heartguard.user_id", "ada")])

                let seen = try await postgres.copy(from: "SELECT note FROM notes", as: Scalar<String>.self, identity: ada) {
                    var notes: [String] = []
                    for try await note in $0 { notes.append(note.value) }
                    return notes
                }
                let refusal = await #expect(throws: PostgresError.self) {
                    try await postgres.copy(["c"], into: TableColumns("notes", columns: ["note"]), identity: ada) {
                        $0.append($1)
                    }
                }

                #expect(seen == ["a"])
                #expect(refusal?.sqlState == "0A000")
            }
            try await server.psql("DROP OWNED BY copy_reader; DROP ROLE copy_reader", database: configuration.database)
        }
    }

    @Test func `waits for its reader, who may leave`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres(pool: Self.one) { postgres in
            let waits = """
                SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY (%/* slow reader */%' AND wait_event = 'ClientWrite'
                """

            let read = try await postgres.copy(
                // In the list of columns, where the server makes a row when it sends it; behind FROM it makes all of them first.
                from: "SELECT generate_series(1, 50000000)::int8 /* slow reader */\n", as: Scalar<Int>.self
            ) { rows in
                var read = 0
                for try await _ in rows {
                    read += 1
                    if read == 10 { break }
                }
                // The server fills what the kernel holds, and then sends no more.
                while try await server.psql(waits) != "1" {}
                return read
            }

            #expect(read == 10)
            try await postgres.ping()
            #expect(postgres.statistics.open == 1)
        }
    }

    @Test func `that is not read at all is ended`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres(pool: Self.one) { postgres in
            for _ in 0..<20 {
                let value = try await postgres.copy(from: "SELECT 1 FROM generate_series(1, 100000)", as: Row.self) { _ in 5 }
                #expect(value == 5)
            }
            try await postgres.ping()
        }
    }

    @Test func `tells its reader of an error in the middle`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres(pool: Self.one) { postgres in
            var read = 0

            let error = await #expect(throws: PostgresError.self) {
                try await postgres.copy(
                    from: "SELECT 1000 / (50000 - n) FROM generate_series(1, 100000) n", as: Row.self
                ) { for try await _ in $0 { read += 1 } }
            }

            #expect(error?.sqlState == "22012")
            #expect(read < 50_000)
            try await postgres.ping()
        }
    }
}
