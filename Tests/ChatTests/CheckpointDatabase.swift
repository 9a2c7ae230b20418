internal import Foundation
internal import Logging
internal import Postgres
internal import Redis
internal import TestSupport

@testable internal import Chat

/// What goes wrong in a test is seen by the test.
let quiet = Logger(label: "chat-tests") { _ in SwiftLogNoOpLogHandler() }

/// The Redis of the tests that do nothing to it.
private let sharedRedis = Once<RedisServer> { try await RedisServer.start(["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]) }

/// Lends a client of a Redis server.
func withHotRedis<Value>(_ server: RedisServer, _ body: (Redis) async throws -> Value) async throws -> Value {
    var configuration = RedisConfiguration(port: server.port, role: .durable, connectTimeout: .seconds(60))
    configuration.reconnectDelay = .milliseconds(1) ... .milliseconds(10)
    let redis = Redis(configuration: configuration, logger: quiet)
    let running = Task { await redis.run() }
    let result: Result<Value, any Error>
    do { result = .success(try await body(redis)) } catch { result = .failure(error) }
    running.cancel()
    await running.value
    return try result.get()
}

/// Settings under which a busy machine is not taken for a Redis that is away.
let patientHotSettings: HotSegments.Settings = {
    var settings = HotSegments.Settings()
    settings.timeout = .seconds(30)
    return settings
}()

/// Lends what keeps checkpoints, over a pool of the service's own role.
func withCheckpoints(
    settings: HotSegments.Settings = patientHotSettings, _ body: (CheckpointStore) async throws -> Void
) async throws {
    try await withHotRedis(sharedRedis.value) { redis in
        // Until it has connected, commands fail at once.
        while (try? await redis.ping()) == nil { try await Task.sleep(for: .milliseconds(1)) }
        try await withChatDatabase { postgres in
            var store = CheckpointStore(postgres: postgres, hot: HotSegments(redis: redis, settings: settings, logger: quiet))
            // Small threads are read in several parts too.
            store.partSize = 3
            try await body(store)
        }
    }
}

extension ThreadName {
    /// A thread whose name no other test has.
    static func make() -> ThreadName { ThreadName(kept: UUID().uuidString) }
}

extension NewCheckpoint {
    /// - Parameter values: by channel and version.
    static func making(
        _ id: UUID, of thread: ThreadName, in namespace: String = "", after parent: UUID? = nil, content: String = "content",
        _ channels: [(name: String, version: String, value: Value)] = [], metadata: String = "{}"
    ) throws -> NewCheckpoint {
        NewCheckpoint(
            thread: thread, key: CheckpointKey(namespace: CheckpointNamespace(kept: namespace), id: id), parent: parent,
            content: TypedValue(type: "x", data: Array(content.utf8)),
            channels: channels.map { Channel(name: $0.name, version: $0.version, value: $0.value) },
            metadata: try CheckpointMetadata(json: metadata))
    }
}

extension TypedValue {
    static func bytes(_ data: [UInt8]) -> TypedValue { TypedValue(type: "bytes", data: data) }
}

/// Ids of which each is larger than the one before.
struct CheckpointIDs {
    private var next: UInt64 = 0

    mutating func make() -> UUID {
        next += 1
        return CheckpointIDs.id(next)
    }

    static func id(_ number: UInt64) -> UUID {
        let hex = String(number, radix: 16)
        return UUID(uuidString: "00000000-0000-6000-8000-" + String(repeating: "0", count: 12 - hex.count) + hex)!
    }
}
