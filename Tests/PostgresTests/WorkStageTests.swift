import ConnectionPool
import Postgres
import TestSupport
import Testing
import Time

@Suite struct `Work that waits for the database` {
    private final class Scope: TaskScope {
        let deadline: Deadline? = nil
        private let stages = StageCounts()

        var current: [WorkStage] { stages.current }

        func with(_ deadline: Deadline?) -> any TaskScope { self }
        func entered(_ stage: WorkStage) { stages.entered(stage) }
        func left(_ stage: WorkStage) { stages.left(stage) }
    }

    @Test(.timeLimit(.minutes(2))) func `says whether it waits for a connection or for an answer`() async throws {
        let server = try await PostgresServer.shared
        let one = PoolConfiguration(minimumConnections: 1, maximumConnections: 1, acquireTimeout: .seconds(600))
        try await server.withPostgres(pool: one) { postgres in
            let (first, second) = (Scope(), Scope())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await CurrentTask.$scope.withValue(first) { _ = try await postgres.execute("SELECT pg_sleep(600)", tier: .batch) }
                }
                try await until { first.current == [.database] }
                group.addTask {
                    try await CurrentTask.$scope.withValue(second) { _ = try await postgres.execute("SELECT pg_sleep(600)", tier: .batch) }
                }
                try await until { second.current == [.pool] }
                group.cancelAll()
                while let result = await group.nextResult() { #expect(throws: PostgresError.self) { try result.get() } }
            }

            #expect(first.current.isEmpty)
            #expect(second.current.isEmpty)
        }
    }
}
