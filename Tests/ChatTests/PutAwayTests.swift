internal import Contracts
internal import Foundation
internal import RPC
internal import RecordTestSupport
internal import TestSupport
internal import Testing

@testable internal import Chat

@Suite struct `A conversation that its person puts away` {
    @Test func `leaves the list, is read as before, and comes back`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            let said = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("a"), .saying("b")]), context: ada.context)
            let other = try await chat.open(for: ada)
            func ids(archived: Bool = false) async throws -> [String] {
                try await chat.listSessions(.init(archived: archived), context: ada.context).sessions.map(\.id)
            }
            #expect(try await ids() == [other, id])

            let first = try await chat.archiveSession(.init(sessionId: id), context: ada.context)
            let again = try await chat.archiveSession(.init(sessionId: id), context: ada.context)
            #expect(first.session?.archivedAt != nil && again == first)
            #expect(try await ids() == [other])
            #expect(try await ids(archived: true) == [id])
            #expect(try await chat.listMessages(.init(sessionId: id), context: ada.context).messages == said.messages)
            #expect(
                try await PostgresServer.shared.psql(
                    "SELECT reason FROM chat.session_archives WHERE session_id = '\(id)'", database: "chat_tests") == "request")

            let restored = try await chat.restoreSession(.init(sessionId: id), context: ada.context)
            #expect(restored.session?.archivedAt == nil && restored.session?.messageCount == 2)
            #expect(try await chat.restoreSession(.init(sessionId: id), context: ada.context) == restored)
            #expect(try await ids() == [id, other])
            #expect(try await ids(archived: true) == [])
        }
    }

    @Test func `comes back with the next message, which stands behind the others`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            _ = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("a")]), context: ada.context)
            _ = try await chat.archiveSession(.init(sessionId: id), context: ada.context)
            _ = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("a"), .saying("b")]), context: ada.context)

            let session = try await chat.getSession(.init(sessionId: id), context: ada.context).session
            #expect(session?.archivedAt == nil)
            #expect(try await chat.listSessions(.init(), context: ada.context).sessions.map(\.id) == [id])
            let read = try await chat.listMessages(.init(sessionId: id), context: ada.context).messages
            #expect(read.map(\.content) == ["a", "b"] && read.map(\.sequence) == [1, 2])
        }
    }

    @Test func `takes the next message for a known one only if its client id has the same bytes`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            // To Swift these three are equal strings.
            let forms = ["\u{1E69}", "s\u{323}\u{307}", "s\u{307}\u{323}"]
            for (place, form) in forms.prefix(2).enumerated() {
                _ = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("\(place)", as: form)]), context: ada.context)
            }
            _ = try await chat.archiveSession(.init(sessionId: id), context: ada.context)

            let again = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("0", as: forms[0])]), context: ada.context)
            let fresh = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("2", as: forms[2])]), context: ada.context)

            #expect(again.duplicateCount == 1 && again.messages.map(\.sequence) == [1])
            #expect(fresh.duplicateCount == 0 && fresh.messages.map(\.sequence) == [3])
            let read = try await chat.listMessages(.init(sessionId: id), context: ada.context).messages
            #expect(read.map(\.content) == ["0", "1", "2"])
        }
    }

    @Test func `does not come back when what was archived was changed`() async throws {
        try await withChat { chat in
            let ada = Caller()
            let id = try await chat.open(for: ada)
            _ = try await chat.appendMessages(.init(sessionId: id, messages: [.saying("a")]), context: ada.context)
            _ = try await chat.archiveSession(.init(sessionId: id), context: ada.context)
            try await PostgresServer.shared.psql(
                "UPDATE chat.session_archives SET content = content || '\\x20' WHERE session_id = '\(id)'", database: "chat_tests")

            await expect(.dataLoss) { try await chat.restoreSession(.init(sessionId: id), context: ada.context) }
            #expect(try await chat.listSessions(.init(archived: true), context: ada.context).sessions.map(\.id) == [id])
        }
    }

    @Test func `or renames is nobody else's`() async throws {
        try await withChat { chat in
            let (ada, bob) = (Caller(), Caller())
            let id = try await chat.open(for: ada)
            let renamed = try await chat.renameSession(.init(sessionId: id, title: "Palpitations"), context: ada.context)

            #expect(renamed.session?.title == "Palpitations")
            #expect(try await chat.listSessions(.init(), context: ada.context).sessions.map(\.title) == ["Palpitations"])
            await expect(.notFound) { try await chat.renameSession(.init(sessionId: id, title: "x"), context: bob.context) }
            await expect(.notFound) { try await chat.archiveSession(.init(sessionId: id), context: bob.context) }
            await expect(.notFound) { try await chat.restoreSession(.init(sessionId: id), context: bob.context) }
            await expect(.invalidArgument, fields: ["title"]) {
                try await chat.renameSession(.init(sessionId: id, title: String(repeating: "x", count: 201)), context: ada.context)
            }
        }
    }
}
