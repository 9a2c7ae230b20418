import Logging
import Postgres
import RPC
import TestSupport
import Testing

/// One program calls another, whose handler asks the database.
@Suite struct `The statement of a call` {
    private static let ask = Method<RawMessage, RawMessage>(
        MethodDescriptor(
            service: Asking.serviceName, name: "Ask", kind: .unary, policy: MethodPolicy(access: .anyone, timeout: .batch)))

    private struct Asking: RPCService {
        static var serviceName: String { "heartguard.tests.v1.AskingService" }
        let handlers: [MethodHandler]
    }

    /// Serves the method on a port that the system chooses, while `use` has a channel to it.
    private static func serve(
        _ answer: @escaping @Sendable () async throws -> Void, _ use: @Sendable (RPCChannel) async throws -> Void
    ) async throws {
        let handler = MethodHandler.unary(ask) { request, _ in
            try await answer()
            return request
        }
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = RPCServer(
            configuration: RPCServerConfiguration(host: "127.0.0.1", port: 0), services: [Asking(handlers: [handler])], logger: quiet)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await server.run { _, port in listening.yield(port) }
            }
            let found = await ports.first(where: { _ in true })
            let port = try #require(found)
            let channel = RPCChannel(target: ("127.0.0.1", port), logger: quiet)
            try await use(channel)
            await channel.close()
            server.beginGracefulShutdown()
            try await group.waitForAll()
        }
    }

    private static func isRunning(_ server: PostgresServer) async throws -> Bool {
        try await server.psql("""
            SELECT count(*) FROM pg_stat_activity
            WHERE state <> 'idle' AND query LIKE '%/* abandoned */%' AND pid <> pg_backend_pid()
            """) != "0"
    }

    @Test(.timeLimit(.minutes(2))) func `ends when the caller at the near end goes away, and leaves the connection of use`() async throws {
        let server = try await PostgresServer.shared
        try await server.withPostgres { postgres in
            try await Self.serve({ _ = try await postgres.execute("SELECT pg_sleep(600) /* abandoned */", tier: .batch) }) { far in
                try await Self.serve({ _ = try await far.unary(Self.ask, RawMessage()) }) { near in
                    let call = Task { try await near.unary(Self.ask, RawMessage()) }
                    try await until { try await Self.isRunning(server) }

                    call.cancel()

                    try await until { try await !Self.isRunning(server) }
                }
            }
            try await postgres.ping()
        }
    }
}
