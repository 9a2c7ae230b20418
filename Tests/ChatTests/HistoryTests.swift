internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing
internal import Time

@testable internal import Chat

@Suite struct `What was said before there were sessions` {
    private func withHistory(_ body: (HistoryService) async throws -> Void) async throws {
        try await withChatDatabase { postgres in try await body(HistoryService(history: HistoryMessageRepository(postgres: postgres))) }
    }

    private func message(_ conversation: String, _ second: Int, _ content: String) -> HistoryMessage {
        HistoryMessage(
            id: UUID(), sessionID: conversation, role: .user, content: content, metadata: JSONB(#"{"old": 1}"#),
            saidAt: Instant(microsecondsSinceEpoch: 1_700_000_000_000_000) + .seconds(second))
    }

    @Test func `is read conversation by conversation, in pages, by its person alone`() async throws {
        try await withHistory { service in
            let (ada, bob) = (Caller(), Caller())
            for said in [message("b", 3, "b3"), message("a", 2, "a2"), message("a", 1, "a1"), message("a", 1, "a1"), message("b", 0, "b0")] {
                try await service.history.insert(said, of: ada.id)
            }

            var read: [ChatV1.HistoryMessage] = []
            var request = ChatV1.ListHistoryRequest(pageSize: 2)
            repeat {
                let page = try await service.listHistory(request, context: ada.context)
                #expect(page.messages.count <= 2)
                read += page.messages
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(read.map(\.content) == ["a1", "a1", "a2", "b0", "b3"] && Set(read.map(\.id)).count == 5)
            #expect(read.map(\.conversation) == ["a", "a", "a", "b", "b"] && read.allSatisfy { $0.role == .user && $0.metadata != nil })
            let one = try await service.listHistory(.init(conversation: "b"), context: ada.context)
            #expect(one.messages.map(\.content) == ["b0", "b3"] && one.nextPageToken.isEmpty)
            #expect(try await service.listHistory(.init(), context: bob.context).messages.isEmpty)
        }
    }

    @Test func `is read to its end when it is long, no more at a time than an answer holds`() async throws {
        try await withHistory { service in
            let ada = Caller()
            let heart = String(repeating: "\u{1FAC0}", count: 100_000)
            for second in 0..<12 { try await service.history.insert(message("a", second, heart), of: ada.id) }

            let rows = try await service.history.list(of: nil, behind: nil, limit: 101, of: ada.id)
            #expect(rows.count == 8)
            var pages: [Int] = []
            var request = ChatV1.ListHistoryRequest(pageSize: 100)
            repeat {
                let page = try await service.listHistory(request, context: ada.context)
                pages.append(page.messages.count)
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty
            #expect(pages == [7, 5])
        }
    }

    @Test func `is asked for with a name that it can have, and a token of the same list`() async throws {
        try await withHistory { service in
            let ada = Caller()
            for second in 0..<2 { try await service.history.insert(message("a", second, "x"), of: ada.id) }
            let token = try await service.listHistory(.init(pageSize: 1), context: ada.context).nextPageToken

            await expect(.invalidArgument, fields: ["conversation", "page_size"]) {
                try await service.listHistory(.init(conversation: String(repeating: "x", count: 129), pageSize: -1), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await service.listHistory(.init(conversation: "a", pageToken: token), context: ada.context)
            }
        }
    }
}
