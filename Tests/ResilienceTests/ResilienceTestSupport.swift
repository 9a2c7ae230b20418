import Logging
import Redis
import TestSupport

/// Runs a server of its own, with a client of this role.
func withRedis<Value>(
    _ role: RedisConfiguration.Role, flags: [String] = [],
    _ body: (Redis, RedisServer) async throws -> Value
) async throws -> Value {
    try await RedisServer.with(flags) { server in
        let redis = Redis(
            // Long timeouts, so that a busy machine fails no test.
            configuration: RedisConfiguration(
                port: server.port, role: role, connectTimeout: .seconds(60), commandTimeout: .seconds(60)),
            logger: Logger(label: "resilience-tests") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { await redis.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(redis, server)) } catch { result = .failure(error) }
        running.cancel()
        await running.value
        return try result.get()
    }
}
