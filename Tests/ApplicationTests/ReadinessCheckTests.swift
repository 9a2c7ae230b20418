internal import Application
internal import Logging
internal import Migrations
internal import Postgres
internal import Synchronization
internal import TestSupport
internal import Testing
internal import Time

@Suite struct `The role that a service works with` {
    @Test func `is refused where row-level security does not hold for it`() async throws {
        let server = try await PostgresServer.shared
        try await server.withDatabase { configuration in
            try await server.psql(
                """
                CREATE ROLE rows_owner LOGIN; CREATE ROLE rows_heir LOGIN NOINHERIT IN ROLE rows_owner;
                CREATE ROLE rows_passer LOGIN BYPASSRLS; CREATE ROLE rows_reader LOGIN;
                CREATE TABLE rows (user_id uuid); ALTER TABLE rows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                ALTER TABLE rows OWNER TO rows_owner;
                """, database: configuration.database)
            func problem(_ user: String) async throws -> String? {
                var theirs = configuration
                theirs.user = user
                return try await PostgresServer.withClient(theirs) { postgres in
                    while true {
                        let problem = await ReadinessCheck.role(postgres).problem()
                        // A busy machine takes its time to connect and to answer.
                        guard problem?.hasPrefix("What the database's role may do cannot be read") == true else { return problem }
                    }
                }
            }

            let (superuser, owner) = (try await problem(server.superuser), try await problem("rows_owner"))
            let (heir, passer) = (try await problem("rows_heir"), try await problem("rows_passer"))
            let reader = try await problem("rows_reader")

            #expect(superuser?.hasPrefix("The database role heartguard_test is a superuser, ") == true)
            #expect(owner?.hasPrefix("The database role rows_owner may act as the owner of tables, ") == true)
            #expect(heir?.hasPrefix("The database role rows_heir may act as the owner of tables, ") == true)
            #expect(passer?.hasPrefix("The database role rows_passer has BYPASSRLS, ") == true)
            #expect(reader == nil)
        }
    }
}

@Suite struct `A check of the database` {
    /// Keeps until when each round trip was waited for, besides its tier's limit.
    private final class Deadlines: PostgresObserver {
        private let seen = Mutex<[Deadline?]>([])

        var all: [Deadline?] { seen.withLock { $0 } }

        func ended(_ roundTrip: RoundTrip) {
            let deadline = Deadline.current
            seen.withLock { $0.append(deadline) }
        }
    }

    @Test(arguments: ["postgres", "schema", "role"]) func `has a bound of its own, so that one that falls silent is soon seen`(name: String) async throws {
        let server = try await PostgresServer.shared
        let deadlines = Deadlines()
        try await server.withDatabase { configuration in
            let postgres = Postgres(configuration: configuration, logger: Logger(label: "test"), observer: deadlines)
            async let _: Void = postgres.run()
            let checks: [ReadinessCheck] = [
                .postgres(postgres), .schema(postgres, chain: MigrationChain(revisions: [])), .role(postgres),
            ]

            for check in checks where check.name == name { _ = await check.problem() }
        }

        #expect(!deadlines.all.isEmpty)
        #expect(deadlines.all.allSatisfy { $0 != nil })
    }
}
