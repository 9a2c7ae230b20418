import ConnectionPool
import TestSupport
import Testing
@testable import Postgres

/// What a borrower keeps beyond its loan must not reach the connection, which is another's by then.
@Suite struct `What outlives a loan` {
    private func withOneConnection(_ body: (Postgres) async throws -> Void) async throws {
        let pool = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(60))
        try await PostgresServer.shared.withPostgres(pool: pool, body)
    }

    /// The next borrower finds a connection that nobody else touches.
    private func expectUndisturbed(_ postgres: Postgres, while disturbing: (Transaction) async throws -> Void) async throws {
        try await postgres.transaction { transaction in
            #expect(try await transaction.first("SELECT 1", as: Scalar<Int>.self)?.value == 1)
            try await disturbing(transaction)
            #expect(try await transaction.first("SELECT 2", as: Scalar<Int>.self)?.value == 2)
        }
    }

    @Test func `as a transaction takes no more statements`() async throws {
        try await withOneConnection { postgres in
            let escaped = try await postgres.transaction { transaction in
                try await transaction.execute("SELECT 1")
                return transaction
            }

            try await expectUndisturbed(postgres) { _ in
                let error = await #expect(throws: PostgresError.self) { try await escaped.execute("SELECT 1") }
                #expect(error?.code == .other("25000"))
            }
        }
    }

    @Test func `as rows of a COPY gives no more of them`() async throws {
        try await withOneConnection { postgres in
            let escaped = try await postgres.copy(from: "SELECT n FROM generate_series(1, 1000000) n", as: Scalar<Int>.self) { rows in
                var iterator = rows.makeAsyncIterator()
                let first = try await iterator.next()
                #expect(first?.value == 1)
                return rows
            }

            try await expectUndisturbed(postgres) { _ in
                await #expect(throws: PostgresError.self) { for try await _ in escaped {} }
            }
        }
    }
}
