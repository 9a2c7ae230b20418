import ConnectionPool
import TestSupport
import Testing
@testable import Postgres

@Suite struct `A client with replicas` {
    private static let isReplica: Query = "SELECT pg_is_in_recovery()"

    private func isOnReplica(_ postgres: Postgres, _ mode: TransactionMode) async throws -> Bool? {
        try await postgres.first(Self.isReplica, as: Scalar<Bool>.self, tier: .slow, mode: mode)?.value
    }

    @Test func `reads there what may lag, and nothing else`() async throws {
        let primary = try await PostgresServer.start()
        let replica = try await primary.startReplica()
        let configuration = primary.configuration(database: "postgres")
        var replicas = configuration
        replicas.host = "\(primary.host),\(replica.host)"
        replicas.ports = [primary.port, replica.port]
        replicas.role = .preferStandby
        try await PostgresServer.withClient(configuration, replicas: replicas) { postgres in
            let lagging = try await isOnReplica(postgres, .replica)
            let reading = try await isOnReplica(postgres, .readOnly)
            let writing = try await isOnReplica(postgres, .readWrite)
            let refusal = await #expect(throws: PostgresError.self) {
                _ = try await postgres.rows("CREATE TABLE marks ()", as: Row.self, mode: .replica)
            }

            #expect(lagging == true && reading == false && writing == false)
            #expect(refusal?.sqlState == "25006")
            #expect(postgres.replicaStatistics?.open == 1)
        }
        try await PostgresServer.withClient(configuration) { postgres in
            let lagging = try await isOnReplica(postgres, .replica)
            #expect(lagging == false && postgres.replicaStatistics == nil)
        }
        try await replica.end()
        try await primary.end()
    }

    @Test func `reads elsewhere when the replica is gone, and follows a failover`() async throws {
        let primary = try await PostgresServer.start()
        let replica = try await primary.startReplica()
        var both = primary.configuration(database: "postgres")
        both.host = "\(primary.host),\(replica.host)"
        both.ports = [primary.port, replica.port]
        both.role = .primary
        var replicas = both
        replicas.role = .preferStandby
        try await PostgresServer.withClient(both, replicas: replicas) { postgres in
            let before = try await isOnReplica(postgres, .replica)
            try await postgres.execute("CREATE TABLE marks (id int)", tier: .slow)

            try await primary.stop()
            try await replica.psql("SELECT pg_promote()")
            var written: Int?
            while written == nil {
                do throws(PostgresError) {
                    written = try await postgres.execute("INSERT INTO marks VALUES (1)", tier: .slow)
                } catch {
                    // The old session's end, or a server that takes no writes yet.
                    #expect([.connectionFailed, .poolTimeout, .outcomeUnknown].contains(error.code))
                }
            }
            var after: Bool?
            while after == nil { after = try? await isOnReplica(postgres, .replica) }

            #expect(before == true && written == 1)
            #expect(after == false)
        }
        try await replica.end()
        try await primary.end()
    }
}
