internal import Application
internal import ConnectionPool
internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Vectors

@Suite struct `Without its database` {
    @Test func `the service says so, and goes on by itself when the database is back`() async throws {
        try await withVectorsDatabase(on: try await PostgresServer.start()) { database in
            let pool = PoolConfiguration(
                minimumConnections: 0, acquireTimeout: .milliseconds(500), initialBackoff: .milliseconds(20),
                maximumBackoff: .milliseconds(100))
            try await database.withReplica(pool: pool) { vectors in
                try await vectors.create("notes")
                let before = try await vectors.upsert([.at([1, 0, 0], "a")], in: "notes").position

                try await database.server.stop()
                await expect(.unavailable) { try await vectors.find(near: [1, 0, 0], in: "notes") }
                await expect(.unavailable) { try await vectors.upsert([.at([2, 0, 0], "b")], in: "notes") }

                try await database.server.restart()
                let after = try await vectors.untilAvailable { try await $0.upsert([.at([2, 0, 0], "b")], in: "notes") }
                let found = try await vectors.find(near: [2, 0, 0], in: "notes", minPosition: after.position)
                #expect(found.matches.map(\.id) == ["b", "a"])
                #expect(after.position == before + 1)
            }
        }
    }
}

extension VectorsService {
    /// The first answer that is not UNAVAILABLE.
    fileprivate func untilAvailable<Answer>(_ call: (VectorsService) async throws -> Answer) async throws -> Answer {
        while true {
            do {
                return try await call(self)
            } catch where RPCError.answering(error).code == .unavailable {
                await Task.yield()
            }
        }
    }
}
