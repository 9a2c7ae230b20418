package import Cache
internal import Logging
internal import Redis
internal import TestSupport

/// The Redis of all tests' caches; each test has people of its own.
private let server = Once<RedisServer> { try await RedisServer.start() }

/// Lends a hub that hears, as a program has one.
package func withCaches<Value>(_ body: (CacheHub) async throws -> Value) async throws -> Value {
    let logger = Logger(label: "caches") { _ in SwiftLogNoOpLogHandler() }
    let configuration = RedisConfiguration(port: try await server.value.port, role: .cache, connectTimeout: .seconds(60))
    let redis = Redis(configuration: configuration, logger: logger)
    let hub = CacheHub(redis: redis, configuration: configuration, logger: logger)
    let running = [Task { await redis.run() }, Task { await hub.run() }]
    while !hub.isHearing { try await Task.sleep(for: .milliseconds(1)) }
    let result: Result<Value, any Error>
    do { result = .success(try await body(hub)) } catch { result = .failure(error) }
    for task in running { task.cancel() }
    for task in running { await task.value }
    return try result.get()
}
