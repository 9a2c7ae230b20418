import Cache
import Logging
import Redis
import Synchronization
import TestSupport
import Testing

/// What a cached value is made of: a number that is changed, and how often it was read.
final class Source: Sendable {
    private let state = Mutex((value: 0, reads: 0, isDown: false))

    struct Down: Error {}

    var value: Int {
        get { state.withLock { $0.value } }
        set { state.withLock { $0.value = newValue } }
    }

    var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }

    var reads: Int { state.withLock { $0.reads } }

    func read() throws -> [UInt8]? {
        let (value, isDown) = state.withLock { state in
            state.reads += 1
            return (state.value, state.isDown)
        }
        if isDown { throw Down() }
        return value < 0 ? nil : Array("\(value)".utf8)
    }
}

/// One replica: a process's worth of caches over its own client of a Redis.
struct Replica: Sendable {
    let hub: CacheHub
    let numbers: TieredCache<[UInt8]>
    let source: Source

    static let key = CacheKey.shared("number")

    /// What the replica serves.
    func number(_ key: CacheKey = Replica.key) async throws -> Int? {
        let source = source
        let bytes = try await numbers.value(for: key) { try source.read() }
        return bytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    }

    /// Expects that the replica serves this.
    func serves(_ expected: Int?, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let served = try await number()
        #expect(served == expected, sourceLocation: sourceLocation)
    }

    func set(_ value: Int, _ key: CacheKey = Replica.key) async throws {
        try await numbers.changing([key]) { source.value = value }
    }
}

/// Runs so many replicas over one Redis and one source; `listening`, they hear of each other's changes from the beginning.
func withReplicas<Value>(
    _ count: Int = 1, source: Source = Source(), listening: Bool = true, _ configure: (inout CacheConfiguration) -> Void = { _ in },
    _ body: ([Replica], RedisServer) async throws -> Value
) async throws -> Value {
    try await RedisServer.with { server in
        try await withReplicas(count, at: server.port, source: source, listening: listening, configure) { replicas in
            try await body(replicas, server)
        }
    }
}

/// The same over a Redis that is reached at this port.
func withReplicas<Value>(
    _ count: Int, at port: Int, source: Source = Source(), listening: Bool = true,
    _ configure: (inout CacheConfiguration) -> Void = { _ in }, _ body: ([Replica]) async throws -> Value
) async throws -> Value {
    let logger = Logger(label: "cache-tests") { _ in SwiftLogNoOpLogHandler() }
    var cache = CacheConfiguration()
    // A busy machine is slow; tests of silence set their own.
    cache.redisTimeout = .seconds(10)
    configure(&cache)
    let configuration = RedisConfiguration(port: port, role: .cache, connectTimeout: .seconds(60), commandTimeout: .seconds(10))
    let clients = (0..<count).map { _ in Redis(configuration: configuration, logger: logger) }
    let replicas = clients.map { redis in
        let hub = CacheHub(redis: redis, configuration: configuration, logger: logger)
        let numbers = TieredCache("numbers", hub: hub, codec: .bytes, configuration: cache)
        return Replica(hub: hub, numbers: numbers, source: source)
    }
    let listeners = listening ? replicas : []
    let running = clients.map { redis in Task { await redis.run() } } + listeners.map { replica in Task { await replica.hub.run() } }
    for replica in listeners { try await until { replica.hub.isHearing } }
    let result: Result<Value, any Error>
    do { result = .success(try await body(replicas)) } catch { result = .failure(error) }
    for task in running { task.cancel() }
    for task in running { await task.value }
    return try result.get()
}
