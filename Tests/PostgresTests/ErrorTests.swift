import ConnectionPool
import TestSupport
import Testing
@testable import Postgres

@Suite struct `An error of the server` {
    private func withPeople(_ body: (Postgres) async throws -> Void) async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.batch([
                "CREATE TABLE teams (id int8 PRIMARY KEY)",
                """
                CREATE TABLE people (
                    email text CONSTRAINT people_email_key UNIQUE, age int4 CONSTRAINT people_age_check CHECK (age > 0),
                    team int8 CONSTRAINT people_team_fkey REFERENCES teams, born date NOT NULL DEFAULT '2000-01-01',
                    CONSTRAINT people_age_excl EXCLUDE (age WITH =)
                )
                """,
            ])
            try await postgres.execute("INSERT INTO people VALUES ('secret@example.org', 4711)")
            try await body(postgres)
        }
    }

    private func failure(of query: Query, _ postgres: Postgres) async -> PostgresError? {
        do throws(PostgresError) {
            try await postgres.execute(query)
            return nil
        } catch {
            return error
        }
    }

    @Test func `holds no value either when the session ends with it`() async throws {
        let server = try await ScriptedPostgres(answering: ScriptedPostgres.error([
            "SERROR", "VERROR", "C23505", "Mduplicate key value violates unique constraint \"people_email_key\"",
            "DKey (email)=(secret@example.org) already exists.", "WCOPY people, line 1: \"secret@example.org\"",
        ]))
        let configuration = PostgresConfiguration(
            host: "127.0.0.1", port: server.port, database: "d", user: "u", pool: PostgresServer.patientPool)

        let error = try await PostgresServer.withClient(configuration) { postgres in
            await #expect(throws: PostgresError.self) {
                try await postgres.executeOutsideTransaction("SELECT 1", lockTimeout: .seconds(1), tier: .slow)
            }
        }

        #expect(error?.code == .connectionFailed)
        #expect(error?.description.contains("secret") == false)
        try await server.close()
    }

    @Test func `has a code, names the constraint and holds no value`() async throws {
        let secret = "secret@example.org"
        try await withPeople { postgres in
            let cases: [(Query, PostgresError.Code, String?)] = [
                ("INSERT INTO people VALUES (\(secret))", .uniqueViolation, "people_email_key"),
                ("INSERT INTO people VALUES ('a', -4711)", .checkViolation, "people_age_check"),
                ("INSERT INTO people VALUES ('b', 1, 4711)", .foreignKeyViolation, "people_team_fkey"),
                ("INSERT INTO people VALUES ('c', 2, NULL, NULL)", .notNullViolation, nil),
                ("INSERT INTO people VALUES ('d', 4711)", .exclusionViolation, "people_age_excl"),
                ("SELECT \(secret)::uuid", .invalidText, nil),
                ("SELECT \(secret + "\0")", .invalidText, nil),
                ("SELECT \(secret)::int", .invalidText, nil),
                ("SELECT \("4711-99-99")::date", .other("22008"), nil),
                ("SELECT 1 / \(0)", .other("22012"), nil),
                ("SELECT name FROM nowhere", .undefinedTable, nil),
                ("SELEC 1", .other("42601"), nil),
                ("DO $$ BEGIN RAISE EXCEPTION 'secret %', 4711; END $$", .other("P0001"), nil),
            ]
            for (query, code, constraint) in cases {
                let error = try #require(await failure(of: query, postgres))

                #expect(error.code == code)
                #expect(error.constraint == constraint)
                #expect(error.sqlState?.count == 5)
                #expect(!error.description.contains("secret") && !error.description.contains("4711"), "\(error)")
            }
        }
    }

    @Test func `leaves its connection of use`() async throws {
        try await withPeople { postgres in
            for _ in 0..<20 { #expect(await failure(of: "SELECT 1 / \(0)", postgres) != nil) }

            #expect(postgres.statistics.open == 1)
            try await postgres.ping()
        }
    }

    @Test func `about a lock has a code of its own`() async throws {
        try await withPeople { postgres in
            let error = await #expect(throws: PostgresError.self) {
                try await postgres.transaction { transaction in
                    try await transaction.execute("LOCK TABLE people")
                    try await postgres.execute("LOCK TABLE people NOWAIT")
                }
            }

            #expect(error?.code == .lockTimeout)
        }
    }

    @Test func `about two that wait for each other tells one of them`() async throws {
        try await withPeople { postgres in
            try await postgres.batch(["INSERT INTO teams VALUES (1)", "INSERT INTO teams VALUES (2)"])
            @Sendable func lock(_ first: Int, then second: Int, _ gate: Gate) async -> PostgresError.Code? {
                do {
                    try await postgres.transaction { transaction in
                        try await transaction.execute("SELECT 1 FROM teams WHERE id = \(first) FOR UPDATE")
                        await gate.arrive()
                        try await transaction.execute("SELECT 1 FROM teams WHERE id = \(second) FOR UPDATE")
                    }
                    return nil
                } catch {
                    return (error as? PostgresError)?.code
                }
            }
            let gate = Gate(parties: 2)

            async let one = lock(1, then: 2, gate)
            async let other = lock(2, then: 1, gate)

            #expect(Set([await one, await other]) == [nil, .deadlockDetected])
        }
    }
}

/// Lets nobody through until all have come.
private actor Gate {
    private let parties: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(parties: Int) { self.parties = parties }

    func arrive() async {
        if waiting.count + 1 == parties {
            for continuation in waiting { continuation.resume() }
            waiting = []
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}
