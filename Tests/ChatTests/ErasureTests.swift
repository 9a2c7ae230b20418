internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import Redis
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `Conversations of a person whose account is closed` {
    @Test func `go with what is archived and remembered of them, and from the caches`() async throws {
        try await withChat { service in
            let (ada, bob) = (Caller(), Caller())
            let postgres = service.sessions.postgres
            for caller in [ada, bob] {
                for text in ["one", "two", "three"] { try await service.say(text, as: caller) }
                #expect(try await service.listSessions(.init(), context: caller.context).sessions.count == 3)
                try await SessionArchiveRepository(postgres: postgres).append(
                    SessionArchive(
                        session: UUID(), title: "title", messageCount: 1, encoding: .identity, content: [1], uncompressedBytes: 1, reason: .age,
                        retainUntil: CivilDate(year: 2_033, month: 1, day: 1)),
                    of: caller.id)
                for number in 0..<3 {
                    _ = try await MemoryRepository(postgres: postgres).remember(
                        NewMemory(clientID: ClientID("\(number)"), category: .other, content: MemoryContent("content \(number)")), of: caller.id)
                }
            }
            let records = RecordErasure(postgres: postgres, schema: "chat") { try await service.recent.forget($0.user) }

            let progress = try await records.erase(ErasureSubject(erasure: UUID(), user: ada.id))

            #expect(progress.isComplete)
            #expect(
                progress.removed == [
                    RemovedRows(table: "chat_messages", count: 3), RemovedRows(table: "chat_sessions", count: 3),
                    RemovedRows(table: "patient_memories", count: 3), RemovedRows(table: "session_archives", count: 1),
                ])
            #expect(try await service.listSessions(.init(), context: ada.context).sessions.isEmpty)
            #expect(try await service.listSessions(.init(), context: bob.context).sessions.count == 3)
            #expect(try await SessionArchiveRepository(postgres: postgres).firstBroken(of: bob.id) == nil)
        }
    }

    @Test func `go with what agents keep, and with the copies in Redis`() async throws {
        try await withCheckpoints { store in
            let (ada, bob) = (UUID(), UUID())
            for user in [ada, bob] {
                for _ in 0..<2 {
                    _ = try await store.put(.making(CheckpointIDs.id(1), of: .make(), [("messages", "1", .new(.bytes([1, 2, 3])))]), of: user)
                }
            }
            let records = RecordErasure(postgres: store.postgres, schema: "chat") { try await store.hot.forgetAll(of: $0.user) }
            #expect(try await store.hot.keys(of: ada).count == 2)

            let progress = try await records.erase(ErasureSubject(erasure: UUID(), user: ada))

            #expect(
                progress.removed.map(\.table) == ["checkpoint_segments", "checkpoint_threads", "checkpoints"])
            #expect(try await store.hot.keys(of: ada) == [])
            #expect(try await store.hot.keys(of: bob).count == 2)
        }
    }

    @Test func `are not said to be gone while it is not known of the copies`() async throws {
        try await RedisServer.with(["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]) { server in
            try await withHotRedis(server) { redis in
                try await withChatDatabase { postgres in
                    let hot = HotSegments(redis: redis, settings: patientHotSettings, logger: quiet)
                    let records = RecordErasure(postgres: postgres, schema: "chat") { try await hot.forgetAll(of: $0.user) }
                    try await server.kill()

                    await #expect(throws: RedisError.self) { try await records.erase(ErasureSubject(erasure: UUID(), user: UUID())) }
                }
            }
        }
    }
}
