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

    @Test(arguments: [PostgresConfiguration.Role.any, .primary, .preferStandby])
    func `passes over a host that takes connections and says nothing`(role: PostgresConfiguration.Role) async throws {
        let server = try await PostgresServer.shared
        let silent = try await DroppingProxy(to: server.port)
        silent.drop()
        var configuration = server.configuration(database: "postgres")
        configuration.host = "\(server.host),\(server.host)"
        configuration.ports = [silent.port, server.port]
        configuration.role = role
        configuration.connectTimeout = .seconds(1)

        let port = try await PostgresServer.withClient(configuration) { postgres in
            try await postgres.first("SELECT inet_server_port()", as: Scalar<Int>.self, tier: .slow)?.value
        }

        #expect(port == server.port)
        try await silent.close()
    }

    @Test func `takes no primary for a standby`() async throws {
        let server = try await PostgresServer.shared
        var configuration = server.configuration(database: "postgres")
        configuration.role = .standby

        let error = try await PostgresServer.withClient(configuration) { postgres -> PostgresError? in
            let refusal = await #expect(throws: PostgresError.self) { _ = try await isOnReplica(postgres, .readOnly) }
            return refusal
        }

        #expect(error?.code == .connectionFailed)
    }

    @Test func `knows its hosts apart by their ports`() {
        var configuration = PostgresConfiguration(host: "a,b,a", port: 5_432, database: "d", user: "u")

        #expect(configuration.without(host: "b", port: "5432")?.host == "a,a")
        #expect(configuration.without(host: "b", port: "5433") == nil && configuration.without(host: "c", port: "5432") == nil)

        configuration.ports = [1, 2, 3]
        let rest = configuration.without(host: "a", port: "3")
        #expect(rest?.host == "a,b" && rest?.ports == [1, 2])
        #expect(rest?.without(host: "a", port: "1")?.without(host: "b", port: "2") == nil)
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
