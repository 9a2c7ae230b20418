internal import Application
internal import Cache
internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Chat

@Suite struct `The list of sessions` {
    @Test func `begins with the one that was used last`() async throws {
        try await withChat { chat in
            let ada = Caller()
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try await chat.open(for: ada)) }

            _ = try await chat.appendMessages(
                .init(sessionId: ids[0], messages: [.saying("hello")]), context: ada.context)
            let list = try await chat.listSessions(.init(), context: ada.context)

            #expect(list.sessions.map(\.id) == [ids[0], ids[2], ids[1]])
            #expect(list.nextPageToken == "")
        }
    }

    @Test func `is not read again while nothing has changed, and is what it is after a change`() async throws {
        try await withChat { chat in
            let ada = Caller()
            for _ in 0..<25 { _ = try await chat.open(for: ada) }

            let first = try await chat.listSessions(.init(), context: ada.context)
            let again = try await chat.listSessions(.init(pageSize: 3), context: ada.context)
            let opened = try await chat.open(for: ada)
            let after = try await chat.listSessions(.init(pageSize: 1), context: ada.context)
            let long = try await chat.listSessions(.init(pageSize: 30), context: ada.context)

            #expect(first.sessions.count == 20 && !first.nextPageToken.isEmpty)
            #expect(again.sessions == Array(first.sessions.prefix(3)))
            #expect(chat.recent.statistics.loads == 2)
            #expect(after.sessions.map(\.id) == [opened] && !after.nextPageToken.isEmpty)
            #expect(long.sessions.count == 26 && long.nextPageToken.isEmpty)
        }
    }

    @Test func `is looked for in Redis for whoever asks past the memory of a replica`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let opened = try await chat.open(for: ada)
            var metadata = Metadata()
            metadata.askPastMemory()
            var past = RPCContext(method: ChatV1.ChatServiceMethods.listSessions.descriptor, metadata: metadata)
            past[CallerIdentity.self] = ada.context[CallerIdentity.self]
            // Its cache hears, and keeps what it is asked for.
            try await until {
                _ = try await chat.listSessions(.init(), context: ada.context)
                return chat.recent.statistics.local.hits > 0
            }
            let before = chat.recent.statistics

            let list = try await chat.listSessions(.init(), context: past)

            let after = chat.recent.statistics
            #expect(list.sessions.map(\.id) == [opened])
            #expect((after.shared.hits, after.loads) == (before.shared.hits + 1, before.loads))
        }
    }

    @Test func `in pages holds every session once`() async throws {
        try await withChat { chat in
            let ada = Caller()
            var opened: Set<String> = []
            for _ in 0..<17 { opened.insert(try await chat.open(for: ada)) }

            var found: [ChatV1.Session] = []
            var token = ""
            repeat {
                let page = try await chat.listSessions(.init(pageSize: 5, pageToken: token), context: ada.context)
                #expect(page.sessions.count == 5 || page.nextPageToken.isEmpty)
                found += page.sessions
                token = page.nextPageToken
            } while !token.isEmpty

            #expect(found.count == 17)
            #expect(Set(found.map(\.id)) == opened)
        }
    }

    @Test func `loses no session that stays unused while others are used between two pages`() async throws {
        try await withChat { chat in
            let ada = Caller()
            var ids: [String] = []
            for _ in 0..<6 { ids.append(try await chat.open(for: ada)) }
            let first = try await chat.listSessions(.init(pageSize: 3), context: ada.context)

            // The one that was used last but five moves to the front, behind the reader's back.
            _ = try await chat.appendMessages(
                .init(sessionId: ids[0], messages: [.saying("hello")]), context: ada.context)
            let second = try await chat.listSessions(
                .init(pageSize: 3, pageToken: first.nextPageToken), context: ada.context)

            #expect(first.sessions.map(\.id) == [ids[5], ids[4], ids[3]])
            #expect(second.sessions.map(\.id) == [ids[2], ids[1]])
        }
    }

    @Test func `holds nothing of somebody else`() async throws {
        try await withChat { chat in
            _ = try await chat.open(for: Caller())

            let list = try await chat.listSessions(.init(), context: Caller().context)

            #expect(list.sessions == [])
        }
    }

    @Test func `refuses a negative page size and a token of something else`() async throws {
        try await withChat { chat in
            let ada = Caller()

            await expect(.invalidArgument, fields: ["page_size"]) {
                try await chat.listSessions(.init(pageSize: -1), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await chat.listSessions(.init(pageToken: "bm9uc2Vuc2U"), context: ada.context)
            }
            for _ in 0..<2 { _ = try await chat.open(for: ada) }
            let token = try await chat.listSessions(.init(pageSize: 1), context: ada.context).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await chat.listSessions(.init(pageToken: token, archived: true), context: ada.context)
            }
        }
    }
}
