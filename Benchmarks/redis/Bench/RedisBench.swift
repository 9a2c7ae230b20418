internal import ArgumentParser
internal import Logging
internal import Redis

/// What `make bench-redis` measures of ours: the client, the cache over it, the limiter's scripts, and LZ4.
@main
struct RedisBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redis-bench",
        abstract: "Uses a Redis server with HeartGuard's client and what stands on it; prints one object of JSON.",
        subcommands: [CallsCommand.self, IdentitiesCommand.self, HitsCommand.self, StaleCommand.self, PackCommand.self])
}

/// Where the benchmark's server is.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server's port on 127.0.0.1.")
    var port: Int

    @Option(help: "Connections of the client; one for each event loop if not given.")
    var connections: Int?

    var configuration: RedisConfiguration {
        RedisConfiguration(port: port, role: .cache, connections: connections, clientName: "redis-bench")
    }

    static let logger = Logger(label: "redis-bench") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a client while `body` uses it.
    func withRedis<Value>(_ body: (Redis) async throws -> Value) async throws -> Value {
        let redis = Redis(configuration: configuration, logger: Self.logger)
        async let _: Void = redis.run()
        try await redis.ping()
        return try await body(redis)
    }
}
