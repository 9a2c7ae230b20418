import ConnectionPool
import TestSupport
import Testing
import Time
@testable import Postgres

@Suite struct `A limit of the protocol` {
    @Test func `costs a statement, not the connection`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await server.withPostgres(pool: one) { postgres in
            let pid = try await postgres.first("SELECT pg_backend_pid()", as: Scalar<Int32>.self, tier: .batch)?.value
            var query: Query = "SELECT \(1)"
            for _ in 0..<16 { query = "\(query), \(query)" }

            let error = await #expect(throws: PostgresError.self) { try await postgres.execute(query) }

            #expect(error?.code == .other("54023"))
            let same = try await postgres.first("SELECT pg_backend_pid()", as: Scalar<Int32>.self)?.value
            #expect(same == pid)
        }
    }
}

@Suite struct `A transaction's limit` {
    @Test func `has passed when the COMMIT would come too late`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await postgres.execute("CREATE TABLE marks (id int)")

            let error = await #expect(throws: PostgresError.self) {
                let tier = TimeoutTier(limit: .milliseconds(300))
                try await postgres.transaction(tier: tier) { transaction in
                    try await transaction.execute("INSERT INTO marks VALUES (1)")
                    try await Task.sleep(for: .milliseconds(350))
                }
            }

            #expect(error?.code == .statementTimeout)
            let count = try await postgres.first("SELECT count(*) FROM marks", as: Scalar<Int>.self)
            #expect(count?.value == 0)
        }
    }

    @Test func `names who connects where, and no password`() {
        let configuration = PostgresConfiguration(host: "db", database: "heart", user: "ada", password: "secret")

        #expect("\(configuration)" == "ada@db:5432/heart")
    }
}

@Suite struct `An attempt to connect` {
    @Test func `is not made by a task that was cancelled before`() async throws {
        let configuration = try await PostgresServer.shared.configuration(database: "postgres")
        let attempt = Task { () async -> PostgresError? in
            while !Task.isCancelled { await Task.yield() }
            do throws(PostgresError) { _ = try await Connection.open(configuration) } catch { return error }
            return nil
        }
        attempt.cancel()

        #expect(await attempt.value?.code == .queryCancelled)
    }
}
