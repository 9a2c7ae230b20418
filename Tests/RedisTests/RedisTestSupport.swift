import Logging
import Redis
import TestSupport

/// Runs a client while the body runs.
func withRedis<Value>(
    _ configuration: RedisConfiguration, log: ConnectionLog = ConnectionLog(),
    _ body: (Redis) async throws -> Value
) async throws -> Value {
    let redis = Redis(configuration: configuration, logger: log.logger)
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
    flags: [String] = [], role: RedisConfiguration.Role = .cache, log: ConnectionLog = ConnectionLog(),
    _ configure: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (Redis, RedisServer) async throws -> Value
) async throws -> Value {
    try await RedisServer.with(flags) { server in
        var configuration = RedisConfiguration.patient(port: server.port, role: role)
        configure(&configuration)
        return try await withRedis(configuration, log: log) { redis in try await body(redis, server) }
    }
}

/// The error that the body throws; nil if it throws none.
func failure(_ body: () async throws -> some Any) async -> RedisError? {
    do {
        _ = try await body()
        return nil
    } catch {
        // Another error than the client's leaves nil, and with it the expectation unmet.
        return error as? RedisError
    }
}

func code(_ body: () async throws -> some Any) async -> RedisError.Code? { await failure(body)?.code }

extension RedisConfiguration {
    /// Waits long, so that a busy machine fails no test. Tests of timeouts set their own.
    static func patient(
        port: Int, username: String? = nil, password: String? = nil, role: RedisConfiguration.Role, tls: RedisTLS? = nil
    ) -> RedisConfiguration {
        RedisConfiguration(
            port: port, username: username, password: password, role: role, connectTimeout: .seconds(60),
            commandTimeout: .seconds(60), tls: tls, connections: 1)
    }
}

extension Redis {
    /// Lets other tasks run until so many commands are in flight.
    func untilInFlight(_ count: Int) async throws {
        while inFlight < count {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "redis-tests") { _ in SwiftLogNoOpLogHandler() } }
}
