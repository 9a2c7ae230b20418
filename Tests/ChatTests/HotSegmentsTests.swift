internal import Application
internal import Foundation
internal import Postgres
internal import Redis
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `Copies of checkpoints in Redis` {
    private static let durable = ["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]

    /// A thread of one checkpoint whose value has several segments.
    private func keep(in store: CheckpointStore, of user: UUID, bytes count: Int = 200_000) async throws -> (ThreadName, [UInt8]) {
        var generator = SeededGenerator(seed: 11)
        let value = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let thread = ThreadName.make()
        _ = try await store.put(.making(CheckpointIDs.id(1), of: thread, [("messages", "1", .new(.bytes(value)))]), of: user)
        return (thread, value)
    }

    private func read(_ thread: ThreadName, in store: CheckpointStore, of user: UUID) async throws -> [UInt8]? {
        try await store.find(nil, in: CheckpointNamespace(kept: ""), of: thread, user).channels.first?.value?.data
    }

    private func key(_ thread: ThreadName, in store: CheckpointStore, of user: UUID) async throws -> String {
        "checkpoints:{\(user.uuidString.lowercased()):\(try await store.number(of: thread, user))}"
    }

    private func withStore(
        _ server: RedisServer, settings: HotSegments.Settings = patientHotSettings, _ body: (CheckpointStore, Redis) async throws -> Void
    ) async throws {
        try await withHotRedis(server) { redis in
            while (try? await redis.ping()) == nil { try await Task.sleep(for: .milliseconds(1)) }
            try await withChatDatabase { postgres in
                try await body(CheckpointStore(postgres: postgres, hot: HotSegments(redis: redis, settings: settings, logger: quiet)), redis)
            }
        }
    }

    @Test func `are made when something is put and when it is read, under its person's key and for a time`() async throws {
        try await RedisServer.with(Self.durable) { server in
            try await withStore(server) { store, redis in
                let user = UUID()
                let (thread, value) = try await keep(in: store, of: user)
                let key = try await key(thread, in: store, of: user)
                // Four of the value and one of the checkpoint.
                #expect(try await redis.integer(["HLEN", key]) == 5)
                #expect(try await redis.integer(["TTL", key]) > 3_000)

                try await redis.delete(key)
                #expect(try await read(thread, in: store, of: user) == value)
                #expect(try await redis.integer(["HLEN", key]) == 5)

                try await store.delete(thread, of: user)
                #expect(try await redis.exists([key]) == 0)
            }
        }
    }

    @Test func `that are not what they were are noticed by their digest and made anew`() async throws {
        try await RedisServer.with(Self.durable) { server in
            try await withStore(server) { store, redis in
                let user = UUID()
                let (thread, value) = try await keep(in: store, of: user)
                let key = try await key(thread, in: store, of: user)
                let fields = try #require(try await redis.send(["HKEYS", key]).array).compactMap(\.bytes)
                for (place, field) in fields.enumerated() {
                    var content = try #require(try await redis.send(["HGET", key, field]).bytes)
                    switch place % 3 {
                    case 0: content[content.count / 2] ^= 0xFF
                    case 1: content = []
                    default: content.removeLast()
                    }
                    try await redis.send(["HSET", key, field, content])
                }

                #expect(try await read(thread, in: store, of: user) == value)

                for field in fields {
                    let content = try #require(try await redis.send(["HGET", key, field]).bytes)
                    #expect(content.count > 20)
                }
                // Now they are read from there: the table's are not needed.
                try await store.postgres.execute("UPDATE chat.checkpoint_segments SET content = '\\x00'", identity: .user(user))
                #expect(try await read(thread, in: store, of: user) == value)
                // And without them damage is said, and never shown.
                try await redis.delete(key)
                await #expect(throws: CheckpointError.damaged) { try await read(thread, in: store, of: user) }
            }
        }
    }

    @Test func `are done without while Redis is killed, and are back when it is`() async throws {
        try await RedisServer.with(Self.durable) { server in
            var settings = patientHotSettings
            settings.timeout = .milliseconds(200)
            try await withStore(server, settings: settings) { store, redis in
                let user = UUID()
                let (thread, value) = try await keep(in: store, of: user)
                var list = value
                for round in 2...9 as ClosedRange<UInt64> {
                    if round == 4 { try await server.kill() }
                    if round == 7 {
                        try await server.launch()
                        while (try? await redis.ping()) == nil { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    list += Array("and round \(round)".utf8)
                    let missing = try await store.put(
                        .making(CheckpointIDs.id(round), of: thread, after: CheckpointIDs.id(round - 1), [("messages", "\(round)", .new(.bytes(list)))]),
                        of: user)
                    #expect(missing == [])
                    #expect(try await read(thread, in: store, of: user) == list)
                }
                for round in 2...9 as ClosedRange<UInt64> {
                    let found = try await store.find(CheckpointIDs.id(round), in: CheckpointNamespace(kept: ""), of: thread, user)
                    #expect(found.channels.first?.value?.data.suffix(1) == Array("\(round)".utf8)[...])
                }
            }
        }
    }

    @Test func `are done without while Redis hangs`() async throws {
        try await RedisServer.with(Self.durable) { server in
            var settings = patientHotSettings
            settings.timeout = .milliseconds(50)
            try await withStore(server, settings: settings) { store, _ in
                let user = UUID()
                let (thread, value) = try await keep(in: store, of: user)
                try await server.suspend()
                #expect(try await read(thread, in: store, of: user) == value)
                let (other, another) = try await keep(in: store, of: user, bytes: 70_000)
                #expect(try await read(other, in: store, of: user) == another)
                try await server.resume()
            }
        }
    }

    @Test func `take no more of a server's memory than their share, and a full one stops nothing`() async throws {
        try await RedisServer.with(["--maxmemory", "24mb", "--maxmemory-policy", "noeviction"]) { server in
            try await withStore(server) { store, redis in
                let user = UUID()
                // Others have more than half of it.
                for number in 0..<14 { try await redis.send(["SET", "blocklist \(number)", [UInt8](repeating: 1, count: 1 << 20)]) }
                let (thread, value) = try await keep(in: store, of: user)
                let key = try await key(thread, in: store, of: user)
                #expect(try await redis.exists([key]) == 0)
                #expect(try await read(thread, in: store, of: user) == value)

                // All of it is taken before anybody has looked.
                try await withChatDatabase { postgres in
                    var others = 0
                    while (try? await redis.send(["SET", "other \(others)", [UInt8](repeating: 1, count: 1 << 16)])) != nil { others += 1 }
                    var settings = patientHotSettings
                    settings.share = 1_000
                    let careless = CheckpointStore(postgres: postgres, hot: HotSegments(redis: redis, settings: settings, logger: quiet))
                    let (other, another) = try await keep(in: careless, of: user)
                    #expect(try await read(other, in: careless, of: user) == another)
                }
            }
        }
    }
}
