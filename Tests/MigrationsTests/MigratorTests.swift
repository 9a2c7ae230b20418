import ConnectionPool
import Logging
import Postgres
import TestSupport
import Testing
@testable import Migrations

@Suite struct `A migrator` {
    private static let tables = Revision(id: "001", name: "tables", sql: """
        -- Two statements and a body with semicolons of its own.
        CREATE TABLE a (id int PRIMARY KEY);
        CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 1; END; $$;
        """)
    private static let rows = Revision(id: "002", name: "rows", sql: "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)")
    private static let chain = MigrationChain(revisions: [tables, rows])

    private func withMigrators(
        _ body: (Postgres, (MigrationChain) -> Migrator) async throws -> Void
    ) async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await body(postgres) { Migrator(postgres, chain: $0, logger: Logger(label: "migrator-tests")) }
        }
    }

    private func count(_ postgres: Postgres) async throws -> Int? {
        try await postgres.first("SELECT count(*) FROM a", as: Scalar<Int>.self)?.value
    }

    private func failure(_ body: () async throws -> Void) async -> MigrationError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? MigrationError
        }
    }

    @Test func `applies a chain to an empty database, once`() async throws {
        try await withMigrators { postgres, migrator in
            #expect(try await Migrations.currentState(postgres, chain: Self.chain) == .behind(missing: ["001", "002"]))

            #expect(try await migrator(Self.chain).up() == ["001", "002"])
            #expect(try await migrator(Self.chain).up() == [])

            let (applied, state) = try await migrator(Self.chain).status()
            #expect(applied.map(\.id) == ["001", "002"] && applied.map(\.checksum) == Self.chain.revisions.map(\.checksum))
            #expect(state == .current)
            #expect(try await count(postgres) == 2)
            try await migrator(Self.chain).verify()
        }
    }

    @Test func `waits for locks as long as it is told, also for less than a second`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            let chain = MigrationChain(revisions: [
                Revision(id: "001", name: "seen", sql: "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value")
            ])

            try await Migrator(postgres, chain: chain, logger: Logger(label: "migrator-tests"), lockTimeout: .milliseconds(1_500)).up()

            let seen = try await postgres.first("SELECT value FROM seen", as: Scalar<String>.self)
            #expect(seen?.value == "1500ms")
        }
    }

    @Test func `goes on where the chain was shorter`() async throws {
        try await withMigrators { postgres, migrator in
            try await migrator(MigrationChain(revisions: [Self.tables])).up()
            #expect(try await Migrations.currentState(postgres, chain: Self.chain) == .behind(missing: ["002"]))
            try await migrator(Self.chain).verify()

            #expect(try await migrator(Self.chain).up() == ["002"])
        }
    }

    @Test func `refuses a revision that was edited`() async throws {
        try await withMigrators { postgres, migrator in
            try await migrator(Self.chain).up()
            let edited = MigrationChain(revisions: [Self.tables, Revision(id: "002", name: "rows", sql: "SELECT 1")])

            let up = await failure { try await migrator(edited).up() }
            let verify = await failure { try await migrator(edited).verify() }

            #expect(up?.code == .checksumMismatch(revision: "002") && verify?.code == up?.code)
            #expect(up?.message.contains("002 (rows)") == true)
            #expect(try await Migrations.currentState(postgres, chain: edited) == .diverged("002"))
        }
    }

    @Test func `refuses a database that is newer than the program, and one in another order`() async throws {
        try await withMigrators { postgres, migrator in
            try await migrator(Self.chain).up()
            let older = MigrationChain(revisions: [Self.tables])
            let late = Revision(id: "000", name: "late", sql: "SELECT 1")
            let reordered = MigrationChain(revisions: [late, Self.tables, Self.rows])

            let unknown = await failure { try await migrator(older).up() }
            let order = await failure { try await migrator(reordered).up() }

            #expect(unknown?.code == .unknownRevision("002"))
            #expect(order?.code == .orderMismatch(revision: "001"))
            // Who migrates has to know all; a program of before goes on.
            #expect(try await Migrations.currentState(postgres, chain: older) == .ahead(unknown: ["002"]))
            #expect(try await Migrations.currentState(postgres, chain: reordered) == .diverged("001"))
            let otherwise = MigrationChain(revisions: [Revision(id: "001", name: "tables", sql: "SELECT 1")])
            #expect(try await Migrations.currentState(postgres, chain: otherwise) == .diverged("001"))
        }
    }

    @Test func `leaves nothing of a revision that fails, and applies it when it is right`() async throws {
        try await withMigrators { postgres, migrator in
            let broken = Revision(id: "002", name: "rows", sql: "INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (2)")

            let error = await failure { try await migrator(MigrationChain(revisions: [Self.tables, broken])).up() }

            #expect(error?.code == .failed(revision: "002"))
            #expect((error?.cause as? PostgresError)?.code == .undefinedTable)
            let left = try await count(postgres)
            #expect(left == 0)
            let applied = try await migrator(Self.chain).up()
            #expect(applied == ["002"])
        }
    }

    @Test(arguments: ["INSERT INTO a VALUES (1); COMMIT", "ROLLBACK", "COMMIT; BEGIN; INSERT INTO a VALUES (1)"])
    func `refuses a revision that ends its transaction`(sql: String) async throws {
        try await withMigrators { postgres, migrator in
            let revision = Revision(id: "002", name: "rows", sql: sql)

            let error = await failure { try await migrator(MigrationChain(revisions: [Self.tables, revision])).up() }

            #expect(error?.code == .endedItsTransaction(revision: "002"))
        }
    }

    @Test func `shares the work with others that run at the same time`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            let revisions = (1...10).map { Revision(id: "\($0)", name: "n", sql: "CREATE TABLE t\($0) (id int)") }
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await PostgresServer.withClient(configuration) { postgres in
                            let chain = MigrationChain(revisions: revisions)
                            return try await Migrator(postgres, chain: chain, logger: Logger(label: "race")).up()
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }

            #expect(Set(applied) == Set(revisions.map(\.id)) && applied.count == 10)
        }
    }

    @Test func `goes on after it was killed in the middle of a revision`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await PostgresServer.withClient(configuration) { postgres in
                let deadly = Revision(
                    id: "002", name: "rows",
                    sql: "INSERT INTO a VALUES (1); SELECT pg_terminate_backend(pg_backend_pid()); INSERT INTO a VALUES (2)"
                )
                let killed = Migrator(
                    postgres, chain: MigrationChain(revisions: [Self.tables, deadly]), logger: Logger(label: "killed")
                )
                await #expect(throws: MigrationError.self) { try await killed.up() }

                let applied = try await Migrator(postgres, chain: Self.chain, logger: Logger(label: "next")).up()

                #expect(applied == ["002"])
                let count = try await count(postgres)
                #expect(count == 2)
            }
        }
    }

    @Test func `lets any role ask how the schema stands`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            var onlooker = configuration
            onlooker.user = "\(configuration.database)_onlooker"
            try await server.psql("CREATE ROLE \(onlooker.user) LOGIN")
            try await PostgresServer.withClient(onlooker) { postgres in
                #expect(try await Migrations.currentState(postgres, chain: Self.chain) == .behind(missing: ["001", "002"]))
                try await PostgresServer.withClient(configuration) { owner in
                    _ = try await Migrator(owner, chain: Self.chain, logger: Logger(label: "owner")).up()
                }
                #expect(try await Migrations.currentState(postgres, chain: Self.chain) == .current)
            }
        }
    }
}

@Suite struct `A revision` {
    @Test func `has the SHA-256 of its text as checksum`() {
        // printf 'SELECT 1' | sha256sum
        #expect(Revision(id: "1", name: "n", sql: "SELECT 1").checksum
            == "e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5")
    }
}
