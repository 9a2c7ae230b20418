internal import Application
internal import Foundation
internal import Postgres
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

/// Each table's record is what was put in, and nobody else's.
@Suite struct `The records` {
    private func withPeople(_ body: (Postgres, _ ada: UUID, _ bob: UUID) async throws -> Void) async throws {
        try await withChatDatabase { postgres in try await body(postgres, UUIDv7.make(), UUIDv7.make()) }
    }

    @Test func `of chat history are kept for their person alone`() async throws {
        try await withPeople { postgres, ada, bob in
            let records = HistoryMessageRepository(postgres: postgres)
            let record = HistoryMessage(
                id: UUIDv7.make(), sessionID: "session id", role: .user, content: "content",
                saidAt: Instant(microsecondsSinceEpoch: 1_800_000_000_000_000))

            try await records.expectKept(record, id: record.id, of: ada, hiddenFrom: bob)
        }
    }

    @Test func `of archives are a chain, and one that was changed is refused`() async throws {
        try await withPeople { postgres, ada, bob in
            let archives = SessionArchiveRepository(postgres: postgres)
            let made = (0..<3).map { number in
                SessionArchive(
                    session: UUIDv7.make(), title: "title", messageCount: 2, encoding: .identity,
                    content: [UInt8](repeating: UInt8(number), count: 100), uncompressedBytes: 100, reason: .age,
                    retainUntil: CivilDate(year: 2033, month: 1, day: 1))
            }
            for archive in made { try await archives.append(archive, of: ada) }

            for archive in made { #expect(try await archives.find(archive.session, of: ada) == archive) }
            #expect(try await archives.find(made[0].session, of: bob) == nil)
            #expect(try await archives.firstBroken(of: ada) == nil)
            let twice = await #expect(throws: PostgresError.self) { try await archives.append(made[0], of: ada) }
            #expect(twice?.code == .uniqueViolation)

            // What only somebody with more power than the service can do is found.
            try await PostgresServer.shared.psql(
                "UPDATE chat.session_archives SET content = '\\x00' WHERE user_id = '\(ada)' AND sequence = 2", database: "chat_tests")
            #expect(try await archives.firstBroken(of: ada) == 2)
            await #expect(throws: ChatError.archiveDamaged) { try await archives.find(made[1].session, of: ada) }
        }
    }

    @Test(arguments: [
        "session_id = gen_random_uuid()", "title = 'Title'", "message_count = 3", "first_message_at = now()", "last_message_at = now()",
        "encoding = 'lz4'", "content = content || '\\x00'", "uncompressed_bytes = 101", "reason = 'request'",
        "archived_at = archived_at + interval '1 microsecond'", "retain_until = '2033-01-02'", "user_id = gen_random_uuid()",
    ])
    func `of archives hold against a change of any of their columns`(change: String) async throws {
        try await withPeople { postgres, ada, _ in
            let archives = SessionArchiveRepository(postgres: postgres)
            try await archives.append(
                SessionArchive(
                    session: UUIDv7.make(), title: "title", messageCount: 2, encoding: .identity,
                    content: [UInt8](repeating: 7, count: 100), uncompressedBytes: 100, reason: .age,
                    retainUntil: CivilDate(year: 2033, month: 1, day: 1)), of: ada)
            #expect(try await archives.firstBroken(of: ada) == nil)

            let owner = try await PostgresServer.shared.psql(
                "UPDATE chat.session_archives SET \(change) WHERE user_id = '\(ada)' RETURNING user_id", database: "chat_tests")

            #expect(try await archives.firstBroken(of: try #require(UUID(uuidString: owner))) == 1)
        }
    }
}
