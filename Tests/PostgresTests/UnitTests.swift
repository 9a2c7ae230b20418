import ConnectionPool
import Synchronization
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A unit of work` {
    struct Refusal: Error {}

    private static let ada = Identity([("heartguard.user_id", "00000000-0000-7000-8000-00000000000a")])
    private static let bob = Identity([("heartguard.user_id", "00000000-0000-7000-8000-00000000000b"), ("heartguard.login_email", "b")])

    private func withItems(_ body: (Postgres) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        let two = PoolConfiguration(minimumConnections: 0, maximumConnections: 2, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: two) { postgres in
            try await postgres.execute("CREATE TABLE items (id int8 PRIMARY KEY, name text NOT NULL DEFAULT '')")
            try await body(postgres)
        }
    }

    private static func items(_ postgres: Postgres, _ mode: TransactionMode = .readWrite) async throws -> [Int] {
        try await postgres.rows("SELECT id FROM items ORDER BY id", as: Scalar<Int>.self, mode: mode).map(\.value)
    }

    /// As whoever is not part of the work sees them.
    private static func othersSee(_ postgres: Postgres) async throws -> [Int] {
        try await CurrentTask.$unit.withValue(nil) { try await items(postgres) }
    }

    @Test func `is committed as a whole, with all that its work has asked for, and seen by others then`() async throws {
        try await withItems { postgres in
            let seen = try await postgres.unit { transaction in
                try await postgres.execute("INSERT INTO items VALUES (\(1))")
                try await postgres.transaction { _ = try await $0.execute("INSERT INTO items VALUES (\(2))") }
                try await postgres.batch(["INSERT INTO items VALUES (\(3))", "INSERT INTO items VALUES (\(4))"])
                try await transaction.execute("INSERT INTO items VALUES (\(5))")
                #expect(try await Self.othersSee(postgres) == [])
                return try await Self.items(postgres, .replica)
            }

            #expect(seen == [1, 2, 3, 4, 5])
            #expect(try await Self.items(postgres) == [1, 2, 3, 4, 5])
        }
    }

    @Test func `leaves nothing when its work throws, whatever of it had returned`() async throws {
        try await withItems { postgres in
            await #expect(throws: Refusal.self) {
                try await postgres.unit { _ in
                    try await postgres.transaction { _ = try await $0.execute("INSERT INTO items VALUES (\(1))") }
                    throw Refusal()
                }
            }

            let left = try await Self.items(postgres)
            #expect(left == [])
        }
    }

    @Test(arguments: [false, true]) func `takes back the part that fails, and goes on`(isFirst: Bool) async throws {
        try await withItems { postgres in
            try await postgres.execute("INSERT INTO items VALUES (\(1))")
            try await postgres.unit { _ in
                if !isFirst { try await postgres.execute("INSERT INTO items VALUES (\(2))") }
                let error = await #expect(throws: PostgresError.self) {
                    try await postgres.batch(["INSERT INTO items VALUES (\(3))", "INSERT INTO items VALUES (\(1))"])
                }
                #expect(error?.code == .uniqueViolation)
                await #expect(throws: Refusal.self) {
                    try await postgres.transaction { transaction in
                        try await transaction.execute("INSERT INTO items VALUES (\(4))")
                        throw Refusal()
                    }
                }
                try await postgres.execute("INSERT INTO items VALUES (\(5))")
            }

            #expect(try await Self.items(postgres) == (isFirst ? [1, 5] : [1, 2, 5]))
        }
    }

    @Test(arguments: [false, true]) func `goes on behind a part of which nothing was sent`(isFirst: Bool) async throws {
        try await withItems { postgres in
            try await postgres.unit { _ in
                if !isFirst { try await postgres.execute("INSERT INTO items VALUES (\(1))") }
                let late = await #expect(throws: PostgresError.self) {
                    try await Deadline.with(.after(.milliseconds(100))) {
                        try await postgres.transaction { part in
                            try await Task.sleep(for: .milliseconds(120))
                            try await part.execute("INSERT INTO items VALUES (\(2))")
                        }
                    }
                }
                #expect(late?.code == .statementTimeout)
                let cancelled = Task {
                    try await postgres.transaction { part in
                        while !Task.isCancelled { await Task.yield() }
                        try await part.execute("INSERT INTO items VALUES (\(3))")
                    }
                }
                cancelled.cancel()
                let unsent = await #expect(throws: PostgresError.self) { _ = try await cancelled.value }
                #expect(unsent?.code == .queryCancelled)
                try await postgres.execute("INSERT INTO items VALUES (\(4))")
            }

            #expect(try await Self.items(postgres) == (isFirst ? [4] : [1, 4]))
        }
    }

    @Test func `has parts within parts`() async throws {
        try await withItems { postgres in
            try await postgres.unit { _ in
                try await postgres.transaction { part in
                    try await part.execute("INSERT INTO items VALUES (\(1))")
                    await #expect(throws: PostgresError.self) { try await postgres.execute("INSERT INTO items VALUES (\(1))") }
                    try await postgres.transaction { inner in
                        try await inner.execute("INSERT INTO items VALUES (\(2))")
                        await #expect(throws: PostgresError.self) { try await postgres.execute("INSERT INTO items VALUES (\(2))") }
                        try await inner.execute("INSERT INTO items VALUES (\(3))")
                    }
                    try await part.execute("INSERT INTO items VALUES (\(4))")
                }
                await #expect(throws: Refusal.self) {
                    try await postgres.transaction { part in
                        try await part.execute("INSERT INTO items VALUES (\(5))")
                        try await postgres.transaction { _ = try await $0.execute("INSERT INTO items VALUES (\(6))") }
                        throw Refusal()
                    }
                }
            }

            #expect(try await Self.items(postgres) == [1, 2, 3, 4])
        }
    }

    @Test func `is not taken for committed when a part hides an error from itself`() async throws {
        try await withItems { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.unit { transaction in
                    try await transaction.execute("INSERT INTO items VALUES (\(1))")
                    do { try await transaction.execute("INSERT INTO items VALUES (\(1))") } catch {}
                }
            }

            #expect(error?.code == .other("25P02"))
            let left = try await Self.items(postgres)
            #expect(left == [])
        }
    }

    @Test func `works in each part for whom the part is, and for its own behind it`() async throws {
        try await withItems { postgres in
            let current: Query = """
                SELECT coalesce(current_setting('heartguard.user_id', true), '') || ' ' || coalesce(current_setting('heartguard.login_email', true), '')
                """
            let read: @Sendable (Identity) async throws -> String? = { identity in
                try await postgres.first(current, as: Scalar<String>.self, identity: identity)?.value
            }
            try await postgres.unit(identity: Self.ada) { transaction in
                #expect(try await read(Self.bob)?.hasSuffix("b b") == true)
                #expect(try await read(.none) == " ")
                #expect(try await transaction.first(current, as: Scalar<String>.self)?.value.hasSuffix("a ") == true)
                try await postgres.transaction(identity: Self.bob) { part in
                    await #expect(throws: PostgresError.self) {
                        try await postgres.execute("SELECT 1 / \(0)", identity: Self.ada)
                    }
                    let within = try await read(Self.ada)
                    #expect(within?.hasSuffix("a ") == true)
                    #expect(try await part.first(current, as: Scalar<String>.self)?.value.hasSuffix("b b") == true)
                }
                #expect(try await read(Self.ada)?.hasSuffix("a ") == true)
            }
            #expect(try await read(.none) == " ")
        }
    }

    @Test func `has rows by COPY among its parts`() async throws {
        try await withItems { postgres in
            let target = TableColumns("items", columns: ["id", "name"])
            await #expect(throws: Refusal.self) {
                try await postgres.unit { _ in
                    let count = try await postgres.copy([1, 2, 3], into: target) { row, id in
                        row.append(Int64(id))
                        row.append("copied")
                    }
                    #expect(count == 3)
                    #expect(try await Self.items(postgres) == [1, 2, 3])
                    throw Refusal()
                }
            }

            let left = try await Self.items(postgres)
            #expect(left == [])
        }
    }

    @Test func `has what is to be done in doubt done when the word of its COMMIT is lost`() async throws {
        let server = try await PostgresServer.start()
        try await server.withDatabaseLeftBehind { configuration in
            // An immediate end of the server, in the midst of the COMMIT.
            try await server.psql(
                """
                CREATE TABLE items (id int8 PRIMARY KEY);
                CREATE FUNCTION end_server() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -n 1 postmaster.pid); sleep 5';
                    RETURN NULL;
                END $$;
                CREATE CONSTRAINT TRIGGER ending AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION end_server();
                """, database: configuration.database)
            try await PostgresServer.withClient(configuration) { postgres in
                let told = Mutex<[String]>([])
                let tell: @Sendable (String) -> Void = { word in told.withLock { $0.append(word) } }

                let error = await #expect(throws: PostgresError.self) {
                    try await postgres.unit { _ in
                        try await CurrentTask.afterCommit { tell("committed") } inDoubt: { tell("in doubt") }
                        try await CurrentTask.afterCommit { tell("committed") }
                        try await postgres.execute("INSERT INTO items VALUES (\(1))")
                    }
                }

                #expect(error?.code == .outcomeUnknown)
                #expect(told.withLock { $0 } == ["in doubt"])
            }
        }
        try await server.end()
    }

    @Test func `has what others are told done when it is committed, and not when it is not`() async throws {
        try await withItems { postgres in
            let told = Mutex<[String]>([])
            let tell: @Sendable (String) -> Void = { word in told.withLock { $0.append(word) } }
            try await CurrentTask.afterCommit { tell("at once") }

            let failure = await #expect(throws: Refusal.self) {
                try await postgres.unit { _ in
                    try await postgres.execute("INSERT INTO items VALUES (\(1))")
                    try await CurrentTask.afterCommit {
                        tell("others see \(try await Self.items(postgres))")
                        throw Refusal()
                    }
                    CurrentTask.unit?.atEnd { tell("\($0)") }
                    tell("work")
                }
            }
            #expect(failure != nil)
            await #expect(throws: PostgresError.self) {
                try await postgres.unit { _ in
                    try await CurrentTask.afterCommit { tell("never") }
                    CurrentTask.unit?.atEnd { tell("\($0)") }
                    try await postgres.execute("INSERT INTO items VALUES (\(1))")
                }
            }

            #expect(told.withLock { $0 } == ["at once", "work", "others see [1]", "committed", "undone"])
            #expect(try await Self.items(postgres) == [1])
        }
    }
}
