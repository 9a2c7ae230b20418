import ConnectionPool
import TestSupport
import Testing
@testable import Postgres

@Suite struct `A transaction` {
    struct Refusal: Error {}

    private func withItems(_ body: (Postgres) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        let two = PoolConfiguration(minimumConnections: 0, maximumConnections: 2, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: two) { postgres in
            try await postgres.execute("CREATE TABLE items (id int8 PRIMARY KEY, name text NOT NULL DEFAULT '')")
            try await body(postgres)
        }
    }

    private func count(_ postgres: Postgres) async throws -> Int? {
        try await postgres.first("SELECT count(*) FROM items", as: Scalar<Int>.self)?.value
    }

    @Test func `has none of its statements compiled, which takes longer than most run`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let jit = try await postgres.first("SELECT current_setting('jit')", as: Scalar<String>.self)

            #expect(jit?.value == "off")
        }
    }

    @Test func `is committed when its body returns`() async throws {
        try await withItems { postgres in
            let answer = try await postgres.transaction { transaction in
                try await transaction.execute("INSERT INTO items VALUES (\(1))")
                try await transaction.batch(["INSERT INTO items VALUES (\(2))", "INSERT INTO items VALUES (\(3))"])
                return try await transaction.rows("SELECT id FROM items ORDER BY id", as: Scalar<Int>.self).map(\.value)
            }

            #expect(answer == [1, 2, 3])
            let count = try await count(postgres)
            #expect(count == 3)
        }
    }

    @Test func `is rolled back when its body throws`() async throws {
        try await withItems { postgres in
            await #expect(throws: Refusal.self) {
                try await postgres.transaction { transaction in
                    try await transaction.execute("INSERT INTO items VALUES (\(1))")
                    throw Refusal()
                }
            }

            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `that hides the error of a statement is not taken for committed`() async throws {
        try await withItems { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.transaction { transaction in
                    try await transaction.execute("INSERT INTO items VALUES (\(1))")
                    do { try await transaction.execute("INSERT INTO items VALUES (\(1))") } catch {}
                }
            }

            #expect(error?.code == .other("25P02"))
            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `of several statements in one round trip is atomic`() async throws {
        try await withItems { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.batch([
                    "INSERT INTO items VALUES (\(1))", "INSERT INTO items VALUES (\(1))", "INSERT INTO items VALUES (\(2))",
                ])
            }

            #expect(error?.code == .uniqueViolation && error?.constraint == "items_pkey")
            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `whose deferred constraint fails at the COMMIT has not been committed`() async throws {
        try await withItems { postgres in
            try await postgres.execute("""
                CREATE TABLE parts (item int8 REFERENCES items DEFERRABLE INITIALLY DEFERRED)
                """)
            let inOneTrip = await #expect(throws: PostgresError.self) {
                try await postgres.execute("INSERT INTO parts VALUES (\(7))")
            }
            let inSeveral = await #expect(throws: PostgresError.self) {
                try await postgres.transaction { try await $0.execute("INSERT INTO parts VALUES (\(7))") }
            }

            #expect(inOneTrip?.code == .foreignKeyViolation && inSeveral?.code == .foreignKeyViolation)
            let count = try await postgres.first("SELECT count(*) FROM parts", as: Scalar<Int>.self)
            #expect(count?.value == 0)
        }
    }

    @Test func `takes no statement after its end`() async throws {
        try await withItems { postgres in
            let leaked = try await postgres.transaction { $0 }

            let error = await #expect(throws: PostgresError.self) { try await leaked.execute("SELECT 1") }

            #expect(error?.code == .other("25000"))
        }
    }

    @Test func `runs statements of several tasks one after another`() async throws {
        try await withItems { postgres in
            try await postgres.transaction { transaction in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in 0..<50 {
                        group.addTask { try await transaction.execute("INSERT INTO items VALUES (\(id))") }
                    }
                    try await group.waitForAll()
                }
            }

            let count = try await count(postgres)
            #expect(count == 50)
        }
    }

    /// A statement that overtook the first one would run without BEGIN, identity and limit.
    @Test func `begins before the statement of any of its tasks`() async throws {
        try await withItems { postgres in
            for _ in 0..<100 {
                let statuses = try await postgres.transaction { transaction in
                    try await withThrowingTaskGroup(of: Bool?.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                try await transaction.first(
                                    "SELECT current_setting('transaction_read_only') = 'off'", as: Scalar<Bool>.self)?.value
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                }
                #expect(statuses == [true, true, true, true])
            }
        }
    }

    @Test func `whose first statement is never sent runs no other`() async throws {
        try await withItems { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.transaction { transaction in
                    await withTaskGroup(of: Void.self) { group in
                        group.cancelAll()
                        group.addTask { _ = try? await transaction.execute("INSERT INTO items VALUES (\(1))") }
                    }
                    try await transaction.execute("INSERT INTO items VALUES (\(2))")
                }
            }

            #expect(error?.code == .other("25P02"))
            let count = try await count(postgres)
            #expect(count == 0)
        }
    }

    @Test func `that is read-only refuses to write`() async throws {
        try await withItems { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.transaction(mode: .readOnly) { try await $0.execute("INSERT INTO items VALUES (\(1))") }
            }

            #expect(error?.code == .other("25006"))
        }
    }

    @Test func `tells the two of a conflict that only one can be`() async throws {
        try await withItems { postgres in
            try await postgres.execute("INSERT INTO items VALUES (\(1))")
            let mode = TransactionMode(isolation: .repeatableRead)

            let error = await #expect(throws: PostgresError.self) {
                try await postgres.transaction(mode: mode) { transaction in
                    _ = try await transaction.first("SELECT name FROM items", as: Row.self)
                    try await postgres.execute("UPDATE items SET name = \("other")")
                    try await transaction.execute("UPDATE items SET name = \("mine")")
                }
            }

            #expect(error?.code == .serializationFailure && error?.isTransient == true)
        }
    }

    @Test func `survives a change of the schema under its prepared statements`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withDatabase(pool: one) { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                try await postgres.execute("CREATE TABLE things AS SELECT 1 AS a")
                func columns() async throws -> [String]? {
                    try await postgres.first("SELECT * FROM things", as: Row.self)?.columnNames
                }
                #expect(try await columns() == ["a"])

                try await server.psql("ALTER TABLE things ADD COLUMN b int", database: configuration.database)
                #expect(try await columns() == ["a", "b"])

                try await postgres.execute("DEALLOCATE ALL")
                #expect(try await columns() == ["a", "b"])
            }
        }
    }

    @Test func `prepares more statements than a session keeps`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: one) { postgres in
            for number in 0..<Connection.statementCapacity + 50 {
                let query = Query(sql: "SELECT \(number)")
                #expect(try await postgres.first(query, as: Scalar<Int>.self)?.value == number)
            }

            let kept = try await postgres.first("SELECT count(*) FROM pg_prepared_statements", as: Scalar<Int>.self)

            #expect(try #require(kept?.value) <= Connection.statementCapacity + 1)
        }
    }
}
