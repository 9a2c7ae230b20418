import Logging
import Redis
import TestSupport

/// Runs a client while the body runs.
func withRedis<Value>(
    _ configuration: RedisConfiguration, _ body: (Redis) async throws -> Value
) async throws -> Value {
    let redis = Redis(configuration: configuration, logger: .silent)
    let running = Task { await redis.run() }
    do {
        let value = try await body(redis)
        running.cancel()
        await running.value
        return value
    } catch {
        running.cancel()
        await running.value
        throw error
    }
}

/// Runs a server of its own, with a client.
func withRedis<Value>(
    flags: [String] = [], role: RedisConfiguration.Role = .cache,
    _ configure: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (Redis, RedisServer) async throws -> Value
) async throws -> Value {
    try await RedisServer.with(flags) { server in
        var configuration = RedisConfiguration(port: server.port, role: role)
        configure(&configuration)
        return try await withRedis(configuration) { redis in try await body(redis, server) }
    }
}

/// The code of the error that the body throws; nil if it throws none.
func code(_ body: () async throws(RedisError) -> some Any) async -> RedisError.Code? {
    do throws(RedisError) {
        _ = try await body()
        return nil
    } catch {
        return error.code
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "redis-tests") { _ in SwiftLogNoOpLogHandler() } }
}
