internal import Application
internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Chat

@Suite struct `What a person or a conversation has too many of` {
    @Test(arguments: [(ChatError.tooManyMemories, "user"), (ChatError.tooManyDrafts, "session")])
    func `is said with whose number is used up`(error: ChatError, subject: String) {
        let answer = RPCError.answering(error)

        #expect(answer.code == .resourceExhausted)
        #expect(answer.detail(GoogleRPC.QuotaFailure.self)?.violations.map(\.subject) == [subject])
    }
}

@Suite struct `A session` {
    @Test func `is opened once and read as it was opened`() async throws {
        try await withChat { chat in
            let ada = Caller()

            let opened = try await chat.createSession(.init(title: "Palpitations"), context: ada.context)
            let id = try #require(opened.session?.id)
            let read = try await chat.getSession(.init(sessionId: id), context: ada.context)

            #expect(opened.created)
            #expect(read.session == opened.session)
            #expect(read.session?.title == "Palpitations")
            #expect(read.session?.messageCount == 0)
        }
    }

    @Test func `opened again with its client id is the one that is there, whatever the title`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let first = try await chat.createSession(.init(title: "One", clientId: "app-1"), context: ada.context)

            let second = try await chat.createSession(.init(title: "Two", clientId: "app-1"), context: ada.context)

            #expect(!second.created)
            #expect(second.session == first.session)
        }
    }

    @Test func `opened at once by many with one client id is made once`() async throws {
        try await withChat { chat in
            let ada = Caller()

            let answers = try await withThrowingTaskGroup(of: ChatV1.CreateSessionResponse.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await chat.createSession(.init(title: "One", clientId: "app-1"), context: ada.context)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(answers.count { $0.created } == 1)
            #expect(Set(answers.map { $0.session?.id }).count == 1)
        }
    }

    @Test func `without a client id is another one each time`() async throws {
        try await withChat { chat in
            let ada = Caller()

            let first = try await chat.createSession(.init(), context: ada.context)
            let second = try await chat.createSession(.init(), context: ada.context)

            #expect(first.session?.id != second.session?.id)
            #expect(second.created)
        }
    }

    @Test func `may share its client id with a session of somebody else`() async throws {
        try await withChat { chat in
            let first = try await chat.createSession(.init(clientId: "app-1"), context: Caller().context)
            let second = try await chat.createSession(.init(clientId: "app-1"), context: Caller().context)

            #expect(first.session?.id != second.session?.id)
            #expect(second.created)
        }
    }

    @Test func `of somebody else is not found, whatever is asked of it`() async throws {
        try await withChat { chat in
            let id = try await chat.open(for: Caller())
            let eve = Caller()

            await expect(.notFound) { try await chat.getSession(.init(sessionId: id), context: eve.context) }
            await expect(.notFound) { try await chat.listMessages(.init(sessionId: id), context: eve.context) }
            await expect(.notFound) {
                try await chat.appendMessages(.init(sessionId: id, messages: [.saying("hello")]), context: eve.context)
            }
        }
    }

    @Test func `that never was is not found`() async throws {
        try await withChat { chat in
            await expect(.notFound) {
                try await chat.getSession(.init(sessionId: UUID().uuidString), context: Caller().context)
            }
        }
    }

    @Test func `with a title, a client id or an id that breaks a rule is refused by field`() async throws {
        try await withChat { chat in
            let ada = Caller()

            await expect(.invalidArgument, fields: ["title", "client_id"]) {
                try await chat.createSession(
                    .init(title: String(repeating: "x", count: 201), clientId: ""), context: ada.context)
            }
            await expect(.invalidArgument, fields: ["session_id"]) {
                try await chat.getSession(.init(sessionId: "seven"), context: ada.context)
            }
        }
    }
}
