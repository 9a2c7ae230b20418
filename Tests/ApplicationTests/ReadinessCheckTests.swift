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

    @Test func `is not looked at again each time that it is asked whether the service is ready`() async throws {
        let server = try await PostgresServer.shared
        let roundTrips = RoundTrips()
        try await server.withDatabase { configuration in
            try await server.psql("CREATE ROLE rows_regular LOGIN", database: configuration.database)
            var theirs = configuration
            theirs.user = "rows_regular"
            let postgres = Postgres(configuration: theirs, logger: Logger(label: "test"), observer: roundTrips)
            async let _: Void = postgres.run()
            let check = ReadinessCheck.role(postgres)
            // A busy machine takes its time to connect and to answer.
            try await until { await check.problem() == nil }
            let before = roundTrips.count

            for _ in 0..<10 { _ = await check.problem() }

            #expect(roundTrips.count == before)
        }
    }
}

private final class RoundTrips: PostgresObserver {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    func ended(_ roundTrip: RoundTrip) { state.withLock { $0 += 1 } }
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

@Suite struct `A check that is believed for a while` {
    /// What is heard, so many times, of a check that says these things one after the other, and how often it was asked.
    private func ask(_ times: Int, believedFor time: Duration, _ answers: [String?]) async -> (answers: [String?], asked: Int) {
        let count = Mutex(0)
        let check = ReadinessCheck("role") {
            count.withLock { asked in
                asked += 1
                return answers[min(asked, answers.count) - 1]
            }
        }.believed(for: time)
        var heard: [String?] = []
        for _ in 0..<times { heard.append(await check.problem()) }
        return (heard, count.withLock { $0 })
    }

    @Test func `is not asked again while it is known to hold`() async {
        let (answers, asked) = await ask(5, believedFor: .seconds(3_600), [nil, "It is a superuser."])

        #expect(answers.allSatisfy { $0 == nil })
        #expect(asked == 1)
    }

    @Test func `is asked each time until it holds, and when that is long ago`() async {
        let (untilItHolds, once) = await ask(4, believedFor: .seconds(3_600), ["It is a superuser.", "It cannot be read.", nil, "It owns tables."])
        let (later, everyTime) = await ask(3, believedFor: .zero, [nil, "It owns tables.", nil])

        #expect(untilItHolds == ["It is a superuser.", "It cannot be read.", nil, nil])
        #expect(once == 3)
        #expect(later == [nil, "It owns tables.", nil])
        #expect(everyTime == 3)
    }
}
