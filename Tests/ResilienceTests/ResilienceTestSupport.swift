import Logging
import Redis
import Synchronization
import TestSupport

/// Runs a server of its own, with a client of this role.
func withRedis<Value>(
    _ role: RedisConfiguration.Role, flags: [String] = [],
    _ body: (Redis, RedisServer) async throws -> Value
) async throws -> Value {
    try await withRedisClients(1, role, flags: flags) { clients, server in try await body(clients[0], server) }
}

/// Runs a server of its own, with so many clients as if each were another process'.
func withRedisClients<Value>(
    _ count: Int, _ role: RedisConfiguration.Role, flags: [String] = [],
    _ body: ([Redis], RedisServer) async throws -> Value
) async throws -> Value {
    try await RedisServer.with(flags) { server in
        let clients = (0..<count).map { _ in testClient(role, port: server.port) }
        return try await running(clients.map { client in { await client.run() } }) { try await body(clients, server) }
    }
}

func testClient(_ role: RedisConfiguration.Role, port: Int, timeout: Duration = .seconds(60)) -> Redis {
    Redis(
        // Long timeouts, so that a busy machine fails no test.
        configuration: RedisConfiguration(
            port: port, role: role, connectTimeout: timeout, commandTimeout: timeout),
        logger: Logger(label: "resilience-tests") { _ in SwiftLogNoOpLogHandler() })
}

/// Keeps work going for as long as the body takes.
func running<Value>(
    _ work: [@Sendable () async -> Void], _ body: () async throws -> Value
) async throws -> Value {
    let tasks = work.map { work in Task { await work() } }
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    return try result.get()
}

final class Flag: Sendable {
    private let state = Atomic(false)
    var isSet: Bool { state.load(ordering: .relaxed) }
    func set() { state.store(true, ordering: .relaxed) }
}
