internal import Application
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `Archived messages` {
    private struct Told: Decodable {
        struct Record: Decodable {
            let session_id: UUID
            let sequence: Int64?
            let content: String?
        }

        let type: String
        let record: Record
    }

    private static func archive(of session: UUID, _ texts: [String]) throws -> SessionArchive {
        let messages = texts.enumerated().map { position, text in
            ChatMessage(
                id: UUID(), sessionID: SessionID(session), sequence: Int64(position + 1), speaker: .user, content: text,
                metadata: MessageMetadata(kept: "{}"), clientID: "\(position)", createdAt: .now())
        }
        let archive = try ArchivedMessages.archive(
            messages, of: SessionID(session), title: "title", because: .age, retainUntil: CivilDate(year: 2_033, month: 1, day: 1))
        return try #require(archive)
    }

    @Test func `are read as far as they are wanted`() throws {
        let archive = try Self.archive(of: UUID(), (1...9).map { "text \($0)" })

        #expect(try ArchivedMessages.messages(in: archive, 3...5).map(\.content) == ["text 3", "text 4", "text 5"])
        #expect(try ArchivedMessages.messages(in: archive, 8...20).map(\.sequence) == [8, 9])
        #expect(try ArchivedMessages.messages(in: archive, 10...20).isEmpty)
        #expect(try ArchivedMessages.messages(in: archive).map(\.sequence) == Array(1...9))
    }

    /// All pages of the export's part, and how many there were.
    private static func told(_ user: UUID, by source: RecordSource) async throws -> (lines: [Told], counts: [String: Int64], pages: Int) {
        var (lines, counts, pages): ([Told], [String: Int64], Int) = ([], [:], 0)
        var place: String?
        repeat {
            let page = try await source.page(user, place)
            lines += try page.content.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Told.self, from: Data($0)) }
            counts.merge(page.counts, uniquingKeysWith: +)
            place = page.next
            pages += 1
        } while place != nil
        return (lines, counts, pages)
    }

    @Test(arguments: [1, 700, 1 << 20]) func `are told one by one, each once, whatever fits into a page`(mostBytes: Int) async throws {
        try await withChatDatabase { postgres in
            let (ada, bob) = (UUID(), UUID())
            let archives = SessionArchiveRepository(postgres: postgres)
            let sessions = [UUID(), UUID(), UUID()]
            let texts = (0..<40).map { "text \($0) \"quoted\"\nand on" }
            for session in sessions { try await archives.append(Self.archive(of: session, texts), of: ada) }
            try await archives.append(Self.archive(of: UUID(), ["of Bob"]), of: bob)

            let (lines, counts, pages) = try await Self.told(ada, by: .archivedMessages(of: postgres, mostBytes: mostBytes))

            #expect(counts == ["chat.archived_messages": 120])
            #expect(lines.map(\.record.session_id) == sessions.flatMap { Array(repeating: $0, count: 40) })
            #expect(lines.map(\.record.content) == sessions.flatMap { _ in texts })
            #expect(pages >= (mostBytes == 1 ? 120 : 3))
        }
    }

    @Test func `of a damaged archive are not told, and that is said`() async throws {
        try await withChatDatabase { postgres in
            let ada = UUID()
            let session = UUID()
            let archives = SessionArchiveRepository(postgres: postgres)
            // Neither can be unpacked to lines, though their checksums hold.
            for (session, encoding) in [(session, SessionArchive.Encoding.lz4), (UUID(), .identity)] {
                try await archives.append(
                    SessionArchive(
                        session: session, title: "title", messageCount: 1, encoding: encoding, content: [1, 2, 3], uncompressedBytes: 100,
                        reason: .age, retainUntil: CivilDate(year: 2_033, month: 1, day: 1)),
                    of: ada)
            }
            try await archives.append(Self.archive(of: UUID(), ["whole"]), of: ada)

            let (lines, counts, _) = try await Self.told(ada, by: .archivedMessages(of: postgres))

            #expect(counts == ["chat.archived_messages": 1, "chat.damaged_archives": 2])
            #expect(lines.first?.type == "chat.damaged_archives")
            #expect(lines.first?.record.session_id == session)
            #expect(lines.last?.record.content == "whole")
        }
    }

    @Test func `go on nowhere behind a place that no page gave`() async throws {
        try await withChatDatabase { postgres in
            for place in ["", "1", "1 -1", "a b", "1 2 3"] {
                await #expect(throws: ExportError.noSuchPlace) { try await RecordSource.archivedMessages(of: postgres).page(UUID(), place) }
            }
        }
    }
}
